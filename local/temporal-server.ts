import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { searchAttributes } from '../workflows/contract.ts';
import { commandOf, endProcess, hasEnded, tail, tieToParent, waitUntil } from './child-process.ts';
import { findTemporal, type TemporalBinary, temporalWays } from './temporal-binary.ts';
import { localDir } from './local-files.ts';
import { StartError } from './start-error.ts';

export interface TemporalServer {
  address: string;
  /** null: started without the Web UI. */
  uiUrl: string | null;
  /** Of the server, e.g. `1.31.2`. */
  version: string;
  /** Its database; null: in memory. */
  file: string | null;
  pid: number;
  stop(): Promise<void>;
  /** Called once when the server ends without having been asked to, with its last output. */
  onUnexpectedEnd(listener: (lastWords: string) => void): void;
}

const retentionDays = 3;
const leftoverFile = 'server.pid';
/** Beside a database file that never had more than one partition for each task queue. */
const onePartitionFile = 'one-partition';
/** Temporal's own default. */
const usualPartitions = 4;

/**
 * Start the CLI's dev server.
 * @param dir - folder of its database; null: in memory, gone with the process, for tests
 * @param durable - false for tests and benchmarks: faster, and a power cut may destroy the file
 * @param uiPort - null: without the Web UI
 * @param binary - found beforehand; otherwise it is looked for
 * @throws StartError with what the server said, or with how to install it
 */
export async function startTemporal(options: {
  dir: string | null;
  port: number;
  uiPort: number | null;
  durable: boolean;
  log: (line: string) => void;
  binary?: TemporalBinary;
}): Promise<TemporalServer> {
  const binary = options.binary ?? (await findTemporal(temporalWays({ projectBinDir: join(localDir, 'bin'), log: options.log }), options.log));
  const dir = options.dir === null ? null : resolve(options.dir);
  if (dir !== null) await endLeftover(dir, options.log);
  const file = dir === null ? null : databaseFile(dir, binary.serverVersion, options.log);

  const child = spawn(binary.path, argumentsFor({ ...options, file, readPartitions: readPartitionsOf(file) }), {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    cwd: dir ?? '/',
  });
  const said = tail();
  child.stderr.setEncoding('utf8').on('data', said.add);
  child.on('error', (error) => said.add(error.message));
  tieToParent(child, 'TERM');
  if (dir !== null && child.pid !== undefined) writeFileSync(join(dir, leftoverFile), String(child.pid));

  const address = `127.0.0.1:${options.port}`;
  const ready = await waitUntil(() => hasEnded(child) || serves(address), 60_000, 150);
  if (!ready || hasEnded(child)) {
    await endProcess(child, 'SIGTERM', 3_000);
    throw new StartError(`Temporal did not start on port ${options.port}: ${said.text() || 'it said nothing'}`);
  }
  if (file !== null) await keepLonger(address);
  const uiUrl = options.uiPort === null ? null : `http://localhost:${options.uiPort}`;
  return { address, uiUrl, version: binary.serverVersion, file, ...lifetime(child, said.text) };
}

function argumentsFor(options: { file: string | null; port: number; uiPort: number | null; durable: boolean; readPartitions: number }): string[] {
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(options.port), '--log-level', 'error'],
    ...(options.uiPort === null ? ['--headless'] : ['--ui-port', String(options.uiPort), '--ui-disable-news-fetch']),
    ...(options.file === null ? [] : ['--db-filename', options.file]),
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', `synchronous=${options.durable ? 'NORMAL' : 'OFF'}`],
    // Taken only when the database file is made.
    ...Object.values(searchAttributes).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ...dynamicConfig('matching.enableFairness', true),
    ...dynamicConfig('matching.numTaskqueueWritePartitions', 1),
    ...dynamicConfig('matching.numTaskqueueReadPartitions', options.readPartitions),
  ];
}

const dynamicConfig = (name: string, value: number | boolean): string[] => ['--dynamic-config-value', `${name}=${value}`];

/**
 * One partition for each task queue: stores take turns (fairness) among what waits in the same partition, so with Temporal's four a backlog of one store
 * holds the others up. A file from before this was so may hold tasks in all four, which are still to be read.
 */
export function readPartitionsOf(file: string | null): number {
  if (file === null) return 1;
  const marker = join(dirname(file), onePartitionFile);
  if (!existsSync(file)) writeFileSync(marker, '');
  return existsSync(marker) ? 1 : usualPartitions;
}

/** The server migrates no schema: a file of another version is removed, and the reconciler rebuilds what ran. */
function databaseFile(dir: string, serverVersion: string, log: (line: string) => void): string {
  mkdirSync(dir, { recursive: true });
  const name = `dev-server-${serverVersion}.db`;
  const stale = readdirSync(dir).filter((file) => file.startsWith('dev-server-') && !file.startsWith(name));
  if (stale.length > 0) log(`Temporal is now ${serverVersion}: its old file is replaced, running sequences are rebuilt from Postgres.`);
  for (const file of stale) rmSync(join(dir, file), { force: true });
  // The database file was removed alone: its journal is useless now.
  if (!existsSync(join(dir, name))) for (const suffix of ['-wal', '-shm']) rmSync(join(dir, `${name}${suffix}`), { force: true });
  return join(dir, name);
}

function lifetime(child: ChildProcess, lastWords: () => string): Pick<TemporalServer, 'pid' | 'stop' | 'onUnexpectedEnd'> {
  let stopping = false;
  return {
    pid: child.pid ?? -1,
    async stop() {
      stopping = true;
      await endProcess(child, 'SIGTERM', 15_000);
    },
    onUnexpectedEnd(listener) {
      child.once('exit', () => {
        if (!stopping) listener(lastWords());
      });
    },
  };
}

async function serves(address: string): Promise<boolean> {
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address, connectTimeout: '2 seconds' });
    // The frontend answers before the namespace exists.
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return true;
  } catch {
    return false;
  } finally {
    await connection?.close();
  }
}

/** The dev server forgets closed workflows after a day; a weekend should not hide what happened. A refusal costs nothing but that. */
async function keepLonger(address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.updateNamespace({
      namespace: 'default',
      config: { workflowExecutionRetentionTtl: msToTs(`${retentionDays} days`) },
    });
  } catch {
    // Not logged: the default retention works as well.
  } finally {
    await connection.close();
  }
}

/** A server of this folder that outlived its parent: two on one file would corrupt it. */
async function endLeftover(dir: string, log: (line: string) => void): Promise<void> {
  const file = join(dir, leftoverFile);
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8'));
  rmSync(file, { force: true });
  if (!Number.isInteger(pid) || pid <= 1 || !commandOf(pid).includes(join(dir, 'dev-server-'))) return;
  log('Stopping a Temporal that an earlier run left behind …');
  process.kill(pid, 'SIGTERM');
  if (!(await waitUntil(() => commandOf(pid) === '', 20_000)))
    throw new StartError(`An earlier Temporal (process ${pid}) does not stop. End it, then start again.`);
}
