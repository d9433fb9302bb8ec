import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { migrate } from '../../db/migrate.ts';

test('processes that start at once migrate an empty database once', async () => {
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await admin.query(`create database ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  try {
    await Promise.all([1, 2, 3, 4].map(() => migrate(url.href)));
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    const { rows } = await client.query<{ n: number }>('select count(*)::int as n from drizzle.__drizzle_migrations');
    const { rows: tables } = await client.query<{ n: number }>(
      `select count(*)::int as n from pg_tables where schemaname = 'public' and tablename = 'messages'`,
    );
    await client.end();
    expect(rows[0]?.n).toBeGreaterThan(1);
    expect(tables[0]?.n).toBe(1);
  } finally {
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  }
});
