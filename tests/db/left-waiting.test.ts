import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callFunction, callUnawaited, type Database, type LeftWaiting, LeftWaitingError, openDatabase, type Tx } from '../../db/client.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

// A process without processor time leaves its transactions waiting between two statements, and Postgres ends them: their persons are locked.

let database: TestDatabase;
let db: Database;
let owner: pg.Client;
let left: LeftWaiting[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({ url: database.url, applicationName: 'starved', idleInTransactionMs: 100, onLeftWaiting: (one) => void left.push(one) });
  owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query('create table notes (text text primary key)');
  await owner.query(`create function note(said text) returns void language sql as $$ insert into notes values (said) $$`);
  await owner.query('grant all on notes to rekindle_app');
});
afterAll(async () => {
  await owner.end();
  await db.close();
  await database.drop();
});

async function untilEnded(): Promise<void> {
  const sessions = () => owner.query(`select from pg_stat_activity where application_name = 'starved main'`);
  await expect.poll(async () => (await sessions()).rowCount).toBe(0);
}
/** Nothing is read or written meanwhile: the event loop stands still. */
function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
const notes = async () => (await owner.query<{ text: string }>('select text from notes order by text')).rows.map((row) => row.text);

test.each<[string, () => Promise<void> | void]>([
  ['whose end is read at once', untilEnded],
  ['whose end is read after a standstill of this process', () => blockFor(400)],
])('a transaction %s is done once, by a second run', async (name, gap) => {
  left = [];
  let runs = 0;
  const result = await db.withTenant(randomUUID(), async (tx) => {
    runs += 1;
    await callFunction(tx, 'note($1)', [`${name} 1`]);
    if (runs === 1) await gap();
    await callFunction(tx, 'note($1)', [`${name} 2`]);
    return runs;
  });
  expect(result).toBe(2);
  expect(await notes()).toEqual(expect.arrayContaining([`${name} 1`, `${name} 2`]));
  expect(left).toEqual([{ after: expect.stringContaining('note($1)'), repeated: true }]);
});

test('one whose connection was closed before its next statements is done once, by a second run', async () => {
  left = [];
  let runs = 0;
  await db.withTenant(randomUUID(), async (tx) => {
    runs += 1;
    await callFunction(tx, 'note($1)', ['closed 1']);
    if (runs > 1) return;
    // The server's last words lie unread, and the answer to the first of these writes discards them.
    blockFor(400);
    callUnawaited(tx, 'note($1)', ['closed 2']);
    blockFor(50);
    await callFunction(tx, 'note($1)', ['closed 3']);
  });
  expect(runs).toBe(2);
  expect((await notes()).filter((note) => note.startsWith('closed'))).toEqual(['closed 1']);
  expect(left).toEqual([{ after: expect.any(String), repeated: true }]);
});

/** The server of `url` by its TCP address. */
function byTcp(url: string): string {
  const tcp = new URL(url);
  tcp.hostname = '127.0.0.1';
  return tcp.href;
}

// By a socket the first write fails and the server's last words are never read; by TCP the answer to it closes the connection.
test.each<[string, (url: string) => string, (tx: Tx) => void]>([
  ['by a socket, COMMIT alone', (url) => url, () => blockFor(400)],
  ['by a socket, behind a statement', (url) => url, standBeforeCommit],
  ['by TCP, COMMIT alone', byTcp, () => blockFor(400)],
  ['by TCP, behind a statement', byTcp, standBeforeCommit],
])('one whose connection was closed before COMMIT is done once, by a second run: %s', async (how, addressOf, stand) => {
  const own: LeftWaiting[] = [];
  const one = openDatabase({ url: addressOf(database.url), idleInTransactionMs: 100, onLeftWaiting: (it) => void own.push(it) });
  let runs = 0;
  await one.withTenant(randomUUID(), async (tx) => {
    runs += 1;
    await callFunction(tx, 'note($1)', [how]);
    if (runs === 1) stand(tx);
  });
  await one.close();
  expect(runs).toBe(2);
  expect(await notes()).toContain(how);
  expect(own).toEqual([{ after: expect.any(String), repeated: true }]);
});
function standBeforeCommit(tx: Tx): void {
  blockFor(400);
  callUnawaited(tx, 'note($1)', ['never sent']);
  blockFor(50);
}

test('one that is ended before COMMIT, with a statement that nobody waited for, is done once', async () => {
  left = [];
  let runs = 0;
  await db.withTenant(randomUUID(), async (tx) => {
    runs += 1;
    callUnawaited(tx, 'note($1)', ['unawaited']);
    if (runs === 1) await untilEnded();
  });
  expect(runs).toBe(2);
  expect(await notes()).toContain('unawaited');
  expect(left).toHaveLength(1);
});

test('one that is left waiting each time fails after two repeats, and nothing of it is stored', async () => {
  left = [];
  const always = db.withTenant(randomUUID(), async (tx) => {
    await callFunction(tx, 'note($1)', ['never']);
    await untilEnded();
    await callFunction(tx, 'note($1)', ['neither']);
  });
  await expect(always).rejects.toBeInstanceOf(LeftWaitingError);
  expect(left.map(({ repeated }) => repeated)).toEqual([true, true, false]);
  expect(await notes()).not.toContain('never');
});

test('any other failure is not repeated', async () => {
  left = [];
  let runs = 0;
  const twice = db.withTenant(randomUUID(), async (tx) => {
    runs += 1;
    await callFunction(tx, 'note($1)', ['other']);
    await callFunction(tx, 'note($1)', ['other']);
  });
  await expect(twice).rejects.toThrow();
  expect([runs, left]).toEqual([1, []]);
});
