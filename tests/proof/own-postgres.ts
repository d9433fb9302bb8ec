import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '../../db/migrate.ts';
import { freePort } from '../../local/ports.ts';
import { removePostgres } from '../../local/postgres-place.ts';
import { startPostgres } from '../../local/postgres.ts';

/** A Postgres for the proof alone, gone afterwards. */
export interface OwnPostgres {
  /** @returns the owner's URL of a new, migrated database */
  newDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startOwnPostgres(log: (line: string) => void): Promise<OwnPostgres> {
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-proof-'));
  // As root, Postgres runs as another user who must be able to enter.
  chmodSync(dir, 0o755);
  const server = await startPostgres({ dir: join(dir, 'postgres'), port: await freePort(), durable: false, log });
  return {
    async newDatabase(name) {
      const admin = new pg.Client({ connectionString: server.url });
      await admin.connect();
      try {
        await admin.query(`create database ${admin.escapeIdentifier(name)}`);
      } finally {
        await admin.end();
      }
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      await migrate(url.href);
      return url.href;
    },
    async stop() {
      await server.stop();
      removePostgres(join(dir, 'postgres'));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
