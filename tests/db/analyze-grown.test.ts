import { afterAll, beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import { type Database, openDatabase } from '../../db/client.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

let database: TestDatabase;
let db: Database;
let owner: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({ url: database.url });
  owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query('create table public.grown (id int primary key) with (autovacuum_enabled = off)');
});
afterAll(async () => {
  await owner.end();
  await db.close();
  await database.drop();
});

async function grow(from: number, to: number): Promise<void> {
  await owner.query('insert into public.grown select generate_series($1::int, $2::int)', [from, to]);
  await owner.query('select pg_stat_force_next_flush()');
}
/** How many rows Postgres plans with. */
async function counted(): Promise<number> {
  const { rows } = await owner.query<{ n: number }>(`select reltuples as n from pg_class where oid = 'public.grown'::regclass`);
  return rows[0]?.n ?? Number.NaN;
}

test('a table is counted when it is worth it, and again whenever it has doubled', async () => {
  await grow(1, 199);
  await db.analyzeGrown();
  expect(await counted()).toBe(-1);
  await grow(200, 200);
  expect(await db.analyzeGrown()).toBeGreaterThan(0);
  expect(await counted()).toBe(200);
  await grow(201, 400);
  await db.analyzeGrown();
  expect(await counted()).toBe(200);
  await grow(401, 401);
  await db.analyzeGrown();
  expect(await counted()).toBe(401);
});

test('two processes never do it at once', async () => {
  await grow(402, 1_000);
  await owner.query('begin');
  await owner.query(`select pg_advisory_xact_lock(hashtext('rekindle.analyze_grown'))`);
  expect(await db.analyzeGrown()).toBe(0);
  expect(await counted()).toBe(401);
  await owner.query('commit');
  expect(await db.analyzeGrown()).toBe(1);
  expect(await counted()).toBe(1_000);
});
