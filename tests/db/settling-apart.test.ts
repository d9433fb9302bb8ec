import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../db/client.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({ url: database.url, maxConnections: 2, settlingConnections: 1, idleInTransactionMs: 5_000 });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

test('whoever holds every connection for requests keeps no outcome of a call from being stored', async () => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const holding = [1, 2, 3].map(() => db.withTenant(randomUUID(), () => released));
  await expect.poll(() => db.stats()).toMatchObject({ total: 2, idle: 0, waiting: 1 });
  expect(await db.settling(randomUUID(), async () => 'stored')).toBe('stored');
  release();
  await Promise.all(holding);
});
