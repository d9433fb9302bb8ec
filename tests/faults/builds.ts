import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { compileSources } from '../chaos/compiled-sources.ts';
import { startScript } from '../chaos/own-process.ts';
import type { WorkerProcessConfig } from '../chaos/worker-process.ts';

const root = resolve(import.meta.dirname, '../..');
const copied = [
  ...['activities', 'config', 'content', 'db', 'domain', 'integrations', 'operations', 'sequences', 'temporal', 'worker', 'workflows'],
  ...['package.json', 'tsconfig.json', 'tests/chaos/worker-process.ts', 'tests/helpers/stub-sender.ts'],
];

/** A change of the product's text; `from` (a global pattern) must stand there exactly once. */
export interface Change {
  file: string;
  from: RegExp;
  to: string;
}

/** A build of the product other than the one under test: its sources, changed. */
export interface Build {
  startWorker(config: WorkerProcessConfig): Promise<ChildProcess>;
  remove(): void;
}

/** @throws when the product moved on and a change no longer fits it */
export async function makeBuild(changes: Change[]): Promise<Build> {
  const texts = new Map<string, string>();
  for (const { file, from, to } of changes) {
    const text = texts.get(file) ?? readFileSync(join(root, file), 'utf8');
    const found = text.match(from)?.length ?? 0;
    if (found !== 1) throw new Error(`this stands ${found} times in ${file}, expected once: ${from.source}`);
    texts.set(
      file,
      text.replace(from, () => to),
    );
  }
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-build-'));
  for (const part of copied) cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [file, text] of texts) writeFileSync(join(folder, file), text);
  const compiled = join(folder, 'compiled');
  await compileSources(folder, compiled);
  return {
    async startWorker(config) {
      const { child, ready } = await startScript('tests/chaos/worker-process.js', { args: [JSON.stringify(config)], cwd: compiled });
      await ready;
      return child;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
