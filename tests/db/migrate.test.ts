import { randomBytes, randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { migrate } from '../../db/migrate.ts';
import { readSums } from '../../operations/read/sums.ts';
import { comparable, countSlowly } from '../helpers/slow-figures.ts';

/** An empty database for the time of `work`. */
async function withEmptyDatabase(work: (url: string) => Promise<void>): Promise<void> {
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await admin.query(`create database ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  try {
    await work(url.href);
  } finally {
    await admin.query(`drop database ${name} with (force)`);
    await admin.end();
  }
}

/** Bring a database to where an earlier version left it: every migration before `tag`. */
async function migrateBefore(url: string, tag: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-migrations-'));
  try {
    cpSync(join(import.meta.dirname, '../../db/migrations'), folder, { recursive: true });
    const file = join(folder, 'meta/_journal.json');
    const journal: { entries: { tag: string }[] } = JSON.parse(readFileSync(file, 'utf8'));
    const entries = journal.entries.slice(
      0,
      journal.entries.findIndex((entry) => entry.tag === tag),
    );
    writeFileSync(file, JSON.stringify({ ...journal, entries }));
    await migrate(url, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('processes that start at once migrate an empty database once', () =>
  withEmptyDatabase(async (url) => {
    await Promise.all([1, 2, 3, 4].map(() => migrate(url)));
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ n: number }>('select count(*)::int as n from drizzle.__drizzle_migrations');
    const { rows: tables } = await client.query<{ n: number }>(
      `select count(*)::int as n from pg_tables where schemaname = 'public' and tablename = 'messages'`,
    );
    await client.end();
    expect(rows[0]?.n).toBeGreaterThan(1);
    expect(tables[0]?.n).toBe(1);
  }));

test('a store that ran before there were sums of figures has them after the upgrade', () =>
  withEmptyDatabase(async (url) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await migrateBefore(url, '0007_rollups');
      const tenant = randomUUID();
      await client.query(`insert into tenants (id, slug, name, settings) values ($1, 'store', 'Store', '{}')`, [tenant]);
      // Only figures are compared, so foreign keys are not needed.
      await client.query('set session_replication_role = replica');
      const id = (n: string) => `(lpad(${n}::text, 32, '0'))::uuid`;
      await client.query(
        `insert into enrollments (tenant_id, id, sequence_id, version_id, contact_id, subject_id, status, stop_reason, ended_at, sequence_type,
           cart_value_minor, currency, time_scale, anchor_at, activated_at)
         select $1, ${id('n')}, $1, $1, $1, $1, 'EXITED', case when n % 3 = 0 then 'purchased' end, now(),
           case when n % 2 = 0 then 'first_time' else 'high_value' end, 1, 'EUR', 1, now(), case when n % 5 > 0 then now() - n * interval '7 hours' end
         from generate_series(1, 40) n`,
        [tenant],
      );
      await client.query(
        `insert into messages (tenant_id, id, enrollment_id, step_id, contact_id, state, channel, opened_at, clicked_at)
         select $1, gen_random_uuid(), ${id('n')}, 'step-' || s, $1, (array['sent', 'unknown', 'skipped'])[1 + (n + s) % 3], 'email',
           case when n % 4 = 0 then now() end, case when n % 8 = 0 then now() end from generate_series(1, 40) n, generate_series(1, 3) s`,
        [tenant],
      );
      await client.query(
        `insert into conversions (tenant_id, id, connection_id, order_id, enrollment_id, currency, value_minor, placed_at, reversed_at)
         select $1, gen_random_uuid(), $1, n, ${id('n')}, case when n % 2 = 0 then 'EUR' else 'JPY' end, 100 + n, now(), case when n % 9 = 0 then now() end
         from generate_series(3, 40, 3) n`,
        [tenant],
      );
      await client.query('set session_replication_role = origin');
      await migrate(url);
      for (const fromMs of [0, Date.now() - (Date.now() % 3_600_000) - 100 * 3_600_000]) {
        const counted = comparable(await countSlowly(client, tenant, fromMs));
        expect(Object.keys(counted)).toHaveLength(6);
        expect(comparable(await readSums(drizzle(client), fromMs))).toEqual(counted);
      }
      // Processes of the old build keep writing; their rows count.
      await client.query(`update messages set state = 'sent' where state = 'unknown'`);
      expect(comparable(await readSums(drizzle(client), 0))).toEqual(comparable(await countSlowly(client, tenant, 0)));
    } finally {
      await client.end();
    }
  }));
