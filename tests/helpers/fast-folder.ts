import { mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Linux's file system in memory: each test file makes and removes a database, hundreds of files, which costs a disk's file system more. */
const inMemory = '/dev/shm';
const tmpfsMagic = 0x01021994;
/** Far more than the databases of a run take together. In a container it may be 64 MB. */
const leastBytes = 2 * 2 ** 30;

/** A new folder for what a run makes and throws away: in memory where there is enough of it, else where temporary files are. */
export function fastFolder(name: string): string {
  return mkdtempSync(join(isRoomy(inMemory) ? withoutLeftovers(inMemory, name) : tmpdir(), `${name}-${process.pid}-`));
}

function isRoomy(path: string): boolean {
  try {
    const { type, bavail, bsize } = statfsSync(path);
    return process.platform === 'linux' && type === tmpfsMagic && bavail * bsize >= leastBytes;
  } catch {
    return false;
  }
}

/** What runs left there that were killed would stay in memory until the machine is restarted. */
function withoutLeftovers(path: string, name: string): string {
  for (const entry of readdirSync(path)) {
    const [, pid] = new RegExp(`^${name}-(\\d+)-`).exec(entry) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(path, entry), { recursive: true, force: true });
  }
  return path;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
