import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import pg from 'pg';
import { freePort } from '../local/ports.ts';
import { startTemporal } from '../local/temporal-server.ts';
import { ownPostgres } from '../tests/chaos/own-postgres.ts';
import { startScript } from '../tests/chaos/own-process.ts';
import { costOf } from './process-cost.ts';

/** Postgres with its durable settings and Temporal's dev server, both fresh, on free ports. */
export interface BenchStack {
  /** As the owner. */
  databaseUrl: string;
  temporalAddress: string;
  /** Processor time of all of Postgres's processes so far, milliseconds; null where the system does not report it. */
  postgresCpuMs(): number | null;
  masterKey: Buffer;
  /** One more migrated database on the same server. @returns its URL, as the owner */
  newDatabase(name: string): Promise<string>;
  /** Run a script of the repo, or of its build, in a process of its own and wait until it says `ready` over IPC. */
  spawn(script: string, env: Record<string, string>): Promise<ChildProcess>;
  close(): Promise<void>;
}

export async function openStack(): Promise<BenchStack> {
  const [postgres, temporal] = await Promise.all([
    ownPostgres({ durable: true, socket: true }),
    startTemporal({ dir: null, port: await freePort(), uiPort: null, durable: false, log: () => undefined }),
  ]);
  const children = new Set<ChildProcess>();
  return {
    databaseUrl: postgres.url,
    temporalAddress: temporal.address,
    postgresCpuMs: () => costOf(postgres.pid())?.cpuMs ?? null,
    masterKey: randomBytes(32),
    newDatabase: postgres.newDatabase,
    async spawn(script, env) {
      const { child, ready } = await startScript(script, { env });
      children.add(child);
      await ready;
      return child;
    },
    async close() {
      for (const child of children) await endChild(child);
      await Promise.all([temporal.stop(), postgres.remove()]);
    },
  };
}

/** Ask a process to end, and wait until it has. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** Do something as the owner of a database, on a connection of its own. */
export async function asOwner<T>(url: string, work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  try {
    return await work(owner);
  } finally {
    await owner.end();
  }
}
