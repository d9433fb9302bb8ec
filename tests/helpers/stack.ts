import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { freePort } from '../../local/ports.ts';
import { type PostgresServer, startPostgres } from '../../local/postgres.ts';
import { removePostgres } from '../../local/postgres-place.ts';
import { startTemporal, type TemporalServer } from '../../local/temporal-server.ts';
import { templateDatabase } from './template-database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The owner's URL of the test cluster, for making databases; tests themselves use `createTestDatabase()`. */
    postgresUrl: string;
    temporalAddress: string;
  }
}

interface Stack {
  postgres: PostgresServer;
  temporal: TemporalServer;
  remove(): void;
}

// Vitest sets up once per project, each with a module instance of its own: one stack for all, ended by the last.
const shared: { stack?: Promise<Stack>; users: number } = ((globalThis as Record<symbol, unknown>)[Symbol.for('rekindle.test-stack')] ??= {
  users: 0,
}) as { stack?: Promise<Stack>; users: number };

/** Start one Postgres and one Temporal on free ports, beside whatever else runs on this machine. */
export async function setup(project: TestProject): Promise<void> {
  shared.users += 1;
  shared.stack ??= startStack();
  const { postgres, temporal } = await shared.stack;
  project.provide('postgresUrl', postgres.url);
  project.provide('temporalAddress', temporal.address);
}

export async function teardown(): Promise<void> {
  shared.users -= 1;
  if (shared.users > 0 || shared.stack === undefined) return;
  const stack = await shared.stack;
  delete shared.stack;
  await Promise.all([stack.temporal.stop(), stack.postgres.stop()]);
  stack.remove();
}

async function startStack(): Promise<Stack> {
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-test-'));
  // As root, Postgres runs as another user who must be able to enter.
  chmodSync(dir, 0o755);
  const log = (line: string) => process.stderr.write(`[stack] ${line}\n`);
  const [postgres, temporal] = await Promise.all([
    onFreePort((port) => startPostgres({ dir: join(dir, 'postgres'), port, durable: false, log })),
    onFreePort((port) => startTemporal({ dir: null, port, uiPort: null, durable: false, log })),
  ]);
  await makeTemplate(postgres.url);
  return {
    postgres,
    temporal,
    remove() {
      removePostgres(join(dir, 'postgres'));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago may be taken by now: the machine runs other things, and these servers open ports of their own. */
async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function makeTemplate(adminUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`create database ${templateDatabase}`);
  await admin.end();
  const url = new URL(adminUrl);
  url.pathname = `/${templateDatabase}`;
  if (!existsSync(new URL('../../db/migrate.ts', import.meta.url))) return;
  const { migrate } = await import('../../db/migrate.ts');
  await migrate(url.href);
}
