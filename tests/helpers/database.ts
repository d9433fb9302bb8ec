import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { templateDatabase } from './template-database.ts';

export interface TestDatabase {
  /** The owner's URL of a fresh, migrated database. */
  url: string;
  drop(): Promise<void>;
}

/** A copy of the migrated template for one test file: files run in parallel on real Postgres and never see each other. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = inject('postgresUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  // Copied file by file, not block by block through the log, which takes longer.
  await asOwner(adminUrl, `create database ${name} template ${templateDatabase} strategy file_copy`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asOwner(adminUrl, `drop database if exists ${name} with (force)`) };
}

/** Change as the owner what the application has no right to change. @param url - the owner's */
export async function asOwner(url: string, statement: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement, values);
  } finally {
    await client.end();
  }
}
