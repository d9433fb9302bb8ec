import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf } from './child-process.ts';
import { StartError } from './start-error.ts';

export const lockFile = 'running.pid';

/**
 * Make sure that only one Rekindle runs on this checkout's data.
 * @returns releases the lock
 * @throws StartError naming the process that holds it
 */
export function lockInstance(dir: string, isOurs: (command: string) => boolean = (command) => command.includes('local/main.ts')): () => void {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, lockFile);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      const handle = openSync(file, 'wx', 0o600);
      writeSync(handle, String(process.pid));
      closeSync(handle);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const pid = holder(file);
      // A process that was killed leaves its file, and its process id may have been reused.
      if (pid !== null && pid !== process.pid && isAlive(pid) && (process.platform === 'win32' || isOurs(commandOf(pid)))) {
        throw new StartError(`Rekindle already runs here (process ${pid}). Stop it with Ctrl-C in its terminal, or with: kill ${pid}`);
      }
      rmSync(file, { force: true });
    }
  }
  throw new StartError(`${file} cannot be taken. Remove it and start again.`);
}

function holder(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
