import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { commandOf, endProcess, hasEnded, tail, tieToParent, waitUntil } from './child-process.ts';
import { makeDataDir, type PostgresPlace, placePostgres } from './postgres-place.ts';
import { StartError } from './start-error.ts';

export interface PostgresServer {
  /** As the owner, database `rekindle`; holds the password. */
  url: string;
  /** The same by its Unix socket, which costs both sides less for each statement; as `url` where there is none. */
  socketUrl: string;
  pid: number;
  /** Clean stop: open sessions are ended, everything committed stays. */
  stop(): Promise<void>;
  /** Called once when the server ends without having been asked to, with its last output. */
  onUnexpectedEnd(listener: (lastWords: string) => void): void;
}

const database = 'rekindle';
const owner = 'postgres';
const passwordName = 'password';
const mebibytes = (count: number) => String(count * 2 ** 20);

/** Longer addresses of sockets are refused by some systems. */
const longestSocketPath = 100;

/**
 * Start the embedded Postgres of `dir`, making it first when it does not exist. Listens on the loopback only, and on a socket if it is to.
 * @param durable - false for tests: faster, and a power cut may destroy it
 * @param socket - have a Unix socket in the data folder as well, where its path is not too long
 * @throws StartError with what Postgres said
 */
export async function startPostgres(options: {
  dir: string;
  port: number;
  durable: boolean;
  socket?: boolean;
  log: (line: string) => void;
}): Promise<PostgresServer> {
  const place = placePostgres(options.dir, options.log);
  const isShort = Buffer.byteLength(join(place.dataDir, `.s.PGSQL.${options.port}`)) <= longestSocketPath;
  const socketDir = options.socket === true && isShort && process.platform !== 'win32' ? place.dataDir : null;
  const passwordFile = join(options.dir, passwordName);
  const password = existsSync(passwordFile) ? readFileSync(passwordFile, 'utf8').trim() : await createCluster(options, place);
  if (!existsSync(join(place.dataDir, 'PG_VERSION'))) {
    throw new StartError(`The database is no longer in ${place.dataDir}. Bring it back, or begin anew with npm start -- --fresh.`);
  }
  await endLeftover(place.dataDir, options.log);

  const child = spawn(place.postgres, ['-D', place.dataDir, ...settings(options, socketDir)], {
    ...place.runAs,
    cwd: place.dataDir,
    // By default glibc returns memory to the kernel as soon as 128 KiB are free at its end, and each large statement that Postgres plans takes it anew.
    env: { MALLOC_TRIM_THRESHOLD_: mebibytes(256), MALLOC_TOP_PAD_: mebibytes(4), ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const said = tail();
  child.stderr.setEncoding('utf8').on('data', said.add);
  child.on('error', (error) => said.add(error.message));
  tieToParent(child, 'INT');

  const url = urlFor(options.port, password, database);
  if (!(await waitUntil(() => hasEnded(child) || answers(urlFor(options.port, password, 'postgres')), 60_000, 50)) || hasEnded(child)) {
    await endProcess(child, 'SIGQUIT', 3_000);
    throw new StartError(`Postgres did not start on port ${options.port}: ${said.text() || 'it said nothing'}`);
  }
  await createDatabase(urlFor(options.port, password, 'postgres'));
  const socketUrl = socketDir === null ? url : urlFor(options.port, password, database, encodeURIComponent(socketDir));
  return { url, socketUrl, ...lifetime(child, said.text) };
}

function lifetime(child: ChildProcess, lastWords: () => string): Omit<PostgresServer, 'url' | 'socketUrl'> {
  let stopping = false;
  return {
    pid: child.pid ?? -1,
    async stop() {
      stopping = true;
      // SIGINT is Postgres's "fast": it does not wait for idle clients. SIGQUIT leaves the rest to recovery at the next start.
      await endProcess(child, 'SIGINT', 20_000, 'SIGQUIT');
    },
    onUnexpectedEnd(listener) {
      child.once('exit', () => {
        if (!stopping) listener(lastWords());
      });
    },
  };
}

function settings(options: { port: number; durable: boolean }, socketDir: string | null): string[] {
  const safe = ['fsync=on', 'synchronous_commit=on', 'full_page_writes=on'];
  const fast = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];
  return [
    `port=${options.port}`,
    'listen_addresses=127.0.0.1',
    // Socket paths have a length limit and their directory an owner; TCP has neither problem.
    `unix_socket_directories=${socketDir ?? ''}`,
    'max_connections=200',
    'timezone=UTC',
    'log_timezone=UTC',
    ...(options.durable ? safe : fast),
  ].flatMap((setting) => ['-c', setting]);
}

/** Make the cluster; `dir/password` is written last and marks it as complete. */
async function createCluster(options: { dir: string; durable: boolean; log: (line: string) => void }, place: PostgresPlace): Promise<string> {
  options.log('Making the database (a few seconds, once) …');
  // Left by a first run that was interrupted; initdb refuses a directory with anything in it.
  rmSync(place.dataDir, { recursive: true, force: true });
  makeDataDir(place);
  const password = randomBytes(18).toString('base64url');
  const passwordFile = `${place.dataDir}.initial-password`;
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (place.runAs.uid !== undefined && place.runAs.gid !== undefined) chownSync(passwordFile, place.runAs.uid, place.runAs.gid);
  try {
    await runInitdb(place, [
      ...[`--pgdata=${place.dataDir}`, `--username=${owner}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
      // Many iterations make a password hard to guess. This one has 144 random bits, and each connection of a test would take both sides some milliseconds. Other clients than
      // Node's, Temporal's server among them, refuse fewer than the usual 4,096.
      ...(options.durable ? [] : ['--set=scram_iterations=1']),
      // Postgres's own locale: the same order and the same lower() on every machine.
      ...['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-instructions'],
    ]);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  writeFileSync(join(options.dir, passwordName), `${password}\n`, { mode: 0o600 });
  return password;
}

function runInitdb(place: PostgresPlace, args: string[]): Promise<void> {
  const said = tail();
  const child = spawn(place.initdb, args, {
    ...place.runAs,
    cwd: place.dataDir,
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8').on('data', said.add);
  child.stderr.setEncoding('utf8').on('data', said.add);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new StartError(`The database could not be made: ${said.text()}`))));
  });
}

/** A server of this directory that outlived its parent (a killed process, a crash) is ended first. */
async function endLeftover(dataDir: string, log: (line: string) => void): Promise<void> {
  const file = join(dataDir, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !commandOf(pid).includes(dataDir)) return;
  log('Stopping a Postgres that an earlier run left behind …');
  process.kill(pid, 'SIGINT');
  if (!(await waitUntil(() => commandOf(pid) === '', 20_000)))
    throw new StartError(`An earlier Postgres (process ${pid}) does not stop. End it, then start again.`);
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function createDatabase(adminUrl: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
}

/** @param host - an address, or the folder of a socket, encoded */
function urlFor(port: number, password: string, name: string, host = '127.0.0.1'): string {
  return `postgres://${owner}:${password}@${host}:${port}/${name}`;
}
