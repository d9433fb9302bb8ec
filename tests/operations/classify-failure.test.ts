import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../db/client.ts';
import { classifyFailure } from '../../operations/classify-failure.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

let database: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

/** The error of a transaction that goes on after its session was ended. */
async function errorAfter(name: string, end: () => Promise<unknown>): Promise<unknown> {
  const db = openDatabase({ url: database.url, applicationName: name, idleInTransactionMs: 100 });
  try {
    return await db.withTenant(randomUUID(), async (tx) => {
      await tx.execute('select 1');
      await end();
      await tx.execute('select 1');
    });
  } catch (error) {
    return error;
  } finally {
    await db.close();
  }
}

const sessionsOf = (name: string) => admin.query('select 1 from pg_stat_activity where application_name = $1', [`${name} main`]);
async function untilGone(name: string): Promise<void> {
  const endMs = Date.now() + 10_000;
  while (((await sessionsOf(name)).rowCount ?? 0) > 0) if (Date.now() > endMs) throw new Error('the session does not end');
}

test('a transaction whose session was ended by the server may be tried again', async () => {
  const name = 'ended';
  const error = await errorAfter(name, async () => {
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [`${name} main`]);
    await untilGone(name);
    // The client has read the end, too: the next query is refused by the client itself.
    await new Promise((done) => setImmediate(done));
  });
  expect(error).toBeInstanceOf(Error);
  expect(classifyFailure(error)).toBe('unavailable');
});

test('a transaction that this process left waiting for too long may be tried again', async () => {
  const error = await errorAfter('idle', () => untilGone('idle'));
  expect(classifyFailure(error)).toBe('unavailable');
});

test('a fault in a query stays unexpected', async () => {
  expect(classifyFailure(await admin.query('select from nowhere').catch((error: unknown) => error))).toBe('unexpected');
});
