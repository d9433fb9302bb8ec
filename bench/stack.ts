import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { migrate } from '../db/migrate.ts';
import { freePort } from '../local/ports.ts';
import { startPostgres } from '../local/postgres.ts';
import { removePostgres } from '../local/postgres-place.ts';
import { startTemporal } from '../local/temporal-server.ts';
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
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-bench-'));
  chmodSync(dir, 0o755);
  const log = () => undefined;
  const [postgres, temporal] = await Promise.all([
    startPostgres({ dir: join(dir, 'postgres'), port: await freePort(), durable: true, log }),
    startTemporal({ dir: null, port: await freePort(), uiPort: null, durable: false, log }),
  ]);
  await migrate(postgres.url);
  const children = new Set<ChildProcess>();
  return {
    databaseUrl: postgres.url,
    temporalAddress: temporal.address,
    postgresCpuMs: () => costOf(postgres.pid)?.cpuMs ?? null,
    masterKey: randomBytes(32),
    async newDatabase(name) {
      await asOwner(postgres.url, (owner) => owner.query(`create database ${owner.escapeIdentifier(name)}`));
      const url = new URL(postgres.url);
      url.pathname = `/${name}`;
      await migrate(url.href);
      return url.href;
    },
    async spawn(script, env) {
      const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
      const child = spawn(process.execPath, [...(script.endsWith('.ts') ? ['--import', 'tsx'] : []), path], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      children.add(child);
      await new Promise<void>((resolve, reject) => {
        child.on('message', (m) => m === 'ready' && resolve());
        child.on('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
      });
      return child;
    },
    async close() {
      for (const child of children) await endChild(child);
      await Promise.all([temporal.stop(), postgres.stop()]);
      removePostgres(join(dir, 'postgres'));
      rmSync(dir, { recursive: true, force: true });
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
