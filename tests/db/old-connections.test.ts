import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callFunction, type Database, openDatabase } from '../../db/client.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({ url: database.url, maxConnections: 1, settlingConnections: 1, connectionLifeSeconds: 0.2 });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

test.each(['withTenant', 'settling'] as const)('a connection that has lived long enough is replaced, and its plans with it: %s', async (pool) => {
  const pid = () => db[pool](randomUUID(), (tx) => callFunction<number>(tx, 'pg_backend_pid()', []));
  const first = await pid();
  await expect.poll(pid).not.toBe(first);
});

test('a transaction keeps the connection that it has, however old', async () => {
  const [begun, later] = await db.withTenant(randomUUID(), async (tx) => {
    const pid = () => callFunction<number>(tx, 'pg_backend_pid()', []);
    const before = await pid();
    await callFunction(tx, 'pg_sleep(0.4)', []);
    return [before, await pid()];
  });
  expect(later).toBe(begun);
});
