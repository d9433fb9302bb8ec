import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  callFunction,
  callUnawaited,
  CommitUnclearError,
  type Database,
  faultOf,
  openDatabase,
  postgresCode,
  type Tx,
  unawaited,
} from '../../db/client.ts';
import { auditLog } from '../../db/schema/index.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

let database: TestDatabase;
let db: Database;
let owner: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({ url: database.url, lockWaitMs: 100 });
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

const noted = async (said: string) => (await owner.query('select from notes where text = $1', [said])).rowCount === 1;
const codeOf = (work: (tx: Tx) => Promise<unknown>) => db.withTenant(randomUUID(), work).then(() => null, postgresCode);

test('a statement whose answer was not awaited is committed when the transaction reports it', async () => {
  await db.withTenant(randomUUID(), async (tx) => callUnawaited(tx, 'note($1)', ['last']));
  expect(await noted('last')).toBe(true);
});

test.each<[string, (tx: Tx) => Promise<unknown>]>([
  ['COMMIT', async () => undefined],
  ['a statement that is waited for', (tx) => callFunction(tx, 'note($1)', ['behind'])],
  ['the work itself, which gives up', () => Promise.reject(new Error('of the work'))],
])('when it fails, the transaction fails with its error, whatever comes next: %s', async (_what, next) => {
  const code = await codeOf(async (tx) => {
    await callFunction(tx, 'note($1)', ['before']);
    callUnawaited(tx, 'note($1)', ['before']);
    return next(tx);
  });
  expect(code).toBe('23505');
  expect(await noted('before')).toBe(false);
  expect(await noted('behind')).toBe(false);
});

test('when it does not get its lock, that is a failure of locks, which may be tried again', async () => {
  await owner.query('begin');
  await owner.query('lock table notes');
  expect(await codeOf(async (tx) => callUnawaited(tx, 'note($1)', ['waiting']))).toBe('55P03');
  await owner.query('rollback');
});

test('a failed transaction leaves a connection that works', async () => {
  const one = openDatabase({ url: database.url, maxConnections: 1 });
  await expect(one.withTenant(randomUUID(), async (tx) => callUnawaited(tx, 'nothing_of_that_name($1)', [1]))).rejects.toThrow(
    'nothing_of_that_name',
  );
  await one.withTenant(randomUUID(), async (tx) => callUnawaited(tx, 'note($1)', ['after a failure']));
  expect(await noted('after a failure')).toBe(true);
  await one.close();
});

test('a statement of the query builder is sent before whatever comes next, COMMIT among it', async () => {
  const tenant = randomUUID();
  const line = (said: string) => ({ tenantId: tenant, id: randomUUID(), actor: 'somebody', action: said, subject: 'something', data: {} });
  await owner.query('insert into tenants (id, slug, name, settings) values ($1, $2, $2, $3)', [tenant, 'unawaited', '{}']);
  await db.withTenant(tenant, async (tx) => {
    unawaited(tx, tx.insert(auditLog).values(line('first')));
    expect((await tx.select().from(auditLog)).map((row) => row.action)).toEqual(['first']);
    unawaited(tx, tx.insert(auditLog).values(line('last')));
  });
  expect((await owner.query('select action from audit_log where tenant_id = $1 order by action', [tenant])).rows).toEqual([
    { action: 'first' },
    { action: 'last' },
  ]);
});

test('a statement that could not be sent makes the COMMIT count as unclear', async () => {
  const unsendable = {
    toPostgres: () => {
      throw new Error('of the value');
    },
  };
  const error: unknown = await db.withTenant(randomUUID(), async (tx) => callUnawaited(tx, 'note($1)', [unsendable])).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(CommitUnclearError);
  expect(error).toMatchObject({ cause: { message: 'of the value' } });
});

test('the text of an error is one that can be stored', () => {
  expect(faultOf(new Error(`${'x'.repeat(499)}😀`))).toBe('x'.repeat(499));
  expect(faultOf(new Error('a\0b 😀'))).toBe('ab 😀');
});
