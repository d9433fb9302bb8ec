import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';

const root = resolve(import.meta.dirname, '../..');

/** A project of its own that lives under our rules, so that a test can break them. */
export interface ScratchProject {
  dir: string;
  /** Run one of our tools in it. */
  run(tool: string, args: string[]): { code: number | null; stdout: string; stderr: string };
  remove(): void;
}

/**
 * Make a project with this one's dependencies and the named rule files.
 * @param ruleFiles - paths in our project, copied as they are
 * @param files - path to content
 */
export function scratchProject(ruleFiles: string[], files: Record<string, string>): ScratchProject {
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-scratch-'));
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'), 'junction');
  for (const file of ['package.json', 'tsconfig.json', ...ruleFiles]) cpSync(join(root, file), join(dir, file));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
  const bins = join(root, 'node_modules/.bin');
  return {
    dir,
    run: (tool, args) => {
      const done = spawnSync(join(bins, tool), args, { cwd: dir, encoding: 'utf8', shell: process.platform === 'win32', maxBuffer: 1 << 28 });
      return { code: done.status, stdout: done.stdout, stderr: done.stderr };
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
