import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { endProcess } from '../../local/child-process.ts';
import { freePort } from '../../local/ports.ts';

const run = promisify(execFile);
const endWithParent = resolve(import.meta.dirname, '../../local/end-with-parent.mjs');

/** `before`: the build that is replaced; `now`: this checkout's. */
export type BuildName = 'before' | 'now';

/** A process of one of the two builds. */
export interface Running {
  build: BuildName;
  pid: number;
  /** Of an API, where it listens. */
  port: number;
  /** SIGTERM. @throws Error where it does not end by itself within 40 s */
  end(): Promise<void>;
}

/** Checkouts that `npm run build` was run in, and what their processes need. */
export interface Installation {
  folders: Record<BuildName, string>;
  /** Of Postgres, Temporal, mail and secrets. */
  env: Record<string, string>;
  logs: string;
}

/** Where a build's processes write. */
export const logOf = ({ logs }: Installation, build: BuildName) => join(logs, `${build}.log`);

/** Run a script of a build to its end. @throws Error with what it wrote, where it fails */
export async function runOf({ folders, env }: Installation, build: BuildName, args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, args, { cwd: join(folders[build], 'dist'), env: { ...process.env, ...env } });
  return stdout;
}

/** Start an API or a worker of a build, and wait until it serves. */
export async function begin(installation: Installation, build: BuildName, program: 'api/server' | 'worker/main', more = {}): Promise<Running> {
  const port = await freePort();
  const log = openSync(logOf(installation, build), 'a');
  const child: ChildProcess = spawn(process.execPath, ['--import', endWithParent, '--enable-source-maps', `dist/${program}.js`], {
    cwd: installation.folders[build],
    env: { ...process.env, ...installation.env, PORT: String(port), ...more },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  await new Promise<void>((ready, fail) => {
    child.on('message', (said) => said === 'ready' && ready());
    child.on('exit', (code, signal) => fail(new Error(`${program} of ${build} ended with ${code ?? signal} before it served`)));
  });
  return {
    build,
    pid: child.pid ?? 0,
    port,
    async end() {
      if ((await endProcess(child, 'SIGTERM', 40_000)) === 'forced') throw new Error(`${program} of ${build} did not end by itself`);
    },
  };
}
