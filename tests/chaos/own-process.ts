import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compiledSources } from './compiled-sources.ts';

const root = resolve(import.meta.dirname, '../..');

/** A script in a process of its own, to be killed. */
export interface OwnProcess {
  child: ChildProcess;
  /** Resolves when it says `ready` over IPC; rejects when it ends before. */
  ready: Promise<void>;
}

interface OwnProcessOptions {
  args?: string[];
  env?: Record<string, string>;
  /** The checkout that the script is of. Default: this one. */
  cwd?: string;
  /** What it writes is appended there. Default: it goes where ours goes. */
  logFile?: string;
}

/**
 * Start a script of the product, of its build or of a test. It ends with this process, however that ends.
 * @param script - relative to its checkout; a source is compiled first, where that has not been done
 */
export async function startScript(script: string, { args = [], env = {}, cwd = root, logFile }: OwnProcessOptions = {}): Promise<OwnProcess> {
  const file = script.endsWith('.ts') ? join(await compiledSources(), script.replace(/\.ts$/, '.js')) : script;
  const log = logFile === undefined ? 'inherit' : openSync(logFile, 'a');
  const child = spawn(process.execPath, ['--import', resolve(root, 'local/end-with-parent.mjs'), '--enable-source-maps', file, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log, 'ipc'],
  });
  if (typeof log === 'number') closeSync(log);
  const ready = new Promise<void>((done, fail) => {
    child.on('message', (said) => said === 'ready' && done());
    child.on('exit', (code, signal) => fail(new Error(`${script} ended with ${code ?? signal} before it was ready`)));
  });
  // Not everybody waits for it.
  ready.catch(() => undefined);
  return { child, ready };
}
