import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../../db/migrate.ts';
import { waitUntil } from '../../local/child-process.ts';
import { freePort } from '../../local/ports.ts';
import { removePostgres } from '../../local/postgres-place.ts';
import { type PostgresServer, startPostgres } from '../../local/postgres.ts';

/**
 * `immediate`: Postgres's own crash stop (SIGQUIT). `parent`: its first process alone is killed, the others notice. `killed`: every process of
 * it at once, as when the machine goes down.
 */
export type PostgresCrash = 'immediate' | 'parent' | 'killed';

/** A Postgres that a run may crash, freeze and bring back: same port, same data. */
export interface OwnPostgres {
  /** The owner's URL of a migrated database. */
  url: string;
  pid(): number;
  /** @returns the owner's URL of a further migrated database */
  newDatabase(name: string): Promise<string>;
  /** Resolves when none of its processes is left. */
  crash(how: PostgresCrash): Promise<void>;
  /** Bring it back on the same data, recovering what a crash left. */
  start(): Promise<void>;
  /** Every process of it stands still: TCP is accepted by the kernel, nothing is answered. */
  freeze(): void;
  thaw(): void;
  remove(): Promise<void>;
}

interface OwnPostgresOptions {
  /** The settings of production; without them a crash may destroy the data. */
  durable: boolean;
  /** A folder that exists, to lie in; by default a new one that goes with it. */
  within?: string;
  /** Default: any free one. */
  port?: number;
  /** Whether URLs are those of its Unix socket, as on one machine in production; default: TCP. */
  socket?: boolean;
  log?: (line: string) => void;
}

export async function ownPostgres({ durable, within, port, socket = false, log = () => undefined }: OwnPostgresOptions): Promise<OwnPostgres> {
  const dir = within ?? mkdtempSync(join(tmpdir(), 'rekindle-postgres-'));
  // As root, Postgres runs as another user who must be able to enter.
  chmodSync(dir, 0o755);
  const stablePort = port ?? (await freePort());
  const start = () => startPostgres({ dir: join(dir, 'postgres'), port: stablePort, durable, socket, log });
  let server: PostgresServer = await start();
  const { socketUrl } = server;
  await migrate(socketUrl);
  return {
    url: socketUrl,
    pid: () => server.pid,
    async newDatabase(name) {
      const owner = new pg.Client({ connectionString: socketUrl });
      await owner.connect();
      try {
        await owner.query(`create database ${owner.escapeIdentifier(name)}`);
      } finally {
        await owner.end();
      }
      const url = new URL(socketUrl);
      url.pathname = `/${name}`;
      await migrate(url.href);
      return url.href;
    },
    async crash(how) {
      const everyone = processesOf(server.pid);
      if (how === 'killed') for (const pid of everyone) signal(pid, 'SIGKILL');
      else signal(server.pid, how === 'immediate' ? 'SIGQUIT' : 'SIGKILL');
      if (!(await waitUntil(() => !everyone.some(exists), 20_000, 20))) throw new Error('Postgres did not end');
    },
    async start() {
      server = await start();
    },
    // The parent first, so that it starts no new children meanwhile.
    freeze: () => processesOf(server.pid).forEach((pid) => signal(pid, 'SIGSTOP')),
    thaw: () => processesOf(server.pid).forEach((pid) => signal(pid, 'SIGCONT')),
    async remove() {
      for (const pid of processesOf(server.pid)) signal(pid, 'SIGCONT');
      await server.stop();
      removePostgres(join(dir, 'postgres'));
      if (within === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A process and its children, itself first; each of Postgres's leads a group of its own. */
function processesOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const children = stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (child !== undefined && parent === pid ? [child] : []));
  return [pid, ...children];
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself meanwhile.
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
