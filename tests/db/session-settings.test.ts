import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { sql } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Tx } from '../../db/client.ts';
import { openIdentityDb } from '../../db/identity.ts';
import { addressOf } from '../chaos/postgres-line.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';

// A connection is set up by its first statement. Until that is answered nothing else may go through it; where it fails nothing ever does.

let database: TestDatabase;
let pooler: Pooler;
beforeAll(async () => {
  database = await createTestDatabase();
  pooler = await startPooler(database.url);
});
afterAll(async () => {
  pooler.close();
  await database.drop();
});

interface Pooler {
  url: string;
  /** Whether what the client says after its login reaches Postgres. */
  passes: boolean;
  /** Startup parameters of every login, and the texts of the statements that came after it, one list for each connection. */
  seen: { startup: string; statements: string[] }[];
  close(): void;
}

/** Stands before Postgres as PgBouncer does: it lets a client in, whether or not there is a server for what comes next. */
async function startPooler(to: string): Promise<Pooler> {
  const sockets = new Set<net.Socket>();
  const pooler: Pooler = { url: '', passes: true, seen: [], close: () => undefined };
  const server = net.createServer((client) => {
    const upstream = net.connect(addressOf(to));
    const seen = { startup: '', statements: [] as string[] };
    pooler.seen.push(seen);
    let isReady = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => [client, upstream].forEach((one) => one.destroy()));
    }
    client.on('data', (data) => {
      if (seen.startup === '') seen.startup = data.toString('latin1').replaceAll('\0', ' ');
      if (isReady) seen.statements.push(data.toString('latin1').replaceAll('\0', ' '));
      if (!isReady || pooler.passes) upstream.write(data);
    });
    upstream.on('data', (data) => {
      // ReadyForQuery ends a login.
      if (data.subarray(-6).toString('latin1') === 'Z\0\0\0\u0005I') isReady = true;
      client.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(to);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  pooler.url = url.href;
  pooler.close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return pooler;
}

const whoAmI = sql<string>`select current_user as me, current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle`;

test('a connection has its role and its limits before anything else is asked, and its login asks for nothing that a pooler refuses', async () => {
  const db = openDatabase({ url: pooler.url, lockWaitMs: 700, idleInTransactionMs: 900 });
  const identity = openIdentityDb(pooler.url, 'test');
  try {
    const app = { me: 'rekindle_app', lock: '700ms', idle: '900ms' };
    const me = async () => (await db.withTenant(randomUUID(), async (tx) => (await tx.execute(whoAmI)).rows))[0];
    expect(await Promise.all(Array.from({ length: 12 }, me))).toEqual(Array.from({ length: 12 }, () => app));
    expect((await db.settling(randomUUID(), async (tx) => (await tx.execute(whoAmI)).rows))[0]).toEqual(app);
    expect((await db.snapshot(randomUUID(), async (tx) => (await tx.execute(whoAmI)).rows))[0]).toMatchObject({ me: 'rekindle_app', idle: '2min' });
    expect((await identity.db.execute(whoAmI)).rows[0]).toEqual({ me: 'rekindle_identity', lock: '2s', idle: '5s' });
    expect(pooler.seen.length).toBeGreaterThan(3);
    for (const { startup, statements } of pooler.seen) {
      expect(startup).not.toContain(' options ');
      expect(statements[0]).toContain('set_config(');
      // Nothing travels with it: whatever came along would run without the role.
      expect(statements[0]).not.toMatch(/begin|current_user/);
    }
  } finally {
    await Promise.all([db.close(), identity.close()]);
  }
});

test('a server that is away behind its pooler fails the transaction, and what it would have done is never said', async () => {
  const db = openDatabase({ url: pooler.url });
  const before = pooler.seen.length;
  pooler.passes = false;
  try {
    await expect(db.withTenant(randomUUID(), (tx) => tx.execute(whoAmI))).rejects.toThrow();
    const since = pooler.seen.slice(before);
    expect(since.length).toBeGreaterThan(0);
    for (const { statements } of since) expect(statements.join(' ')).not.toMatch(/begin|current_user/);
    pooler.passes = true;
    expect((await db.withTenant(randomUUID(), async (tx) => (await tx.execute(whoAmI)).rows))[0]).toMatchObject({ me: 'rekindle_app' });
  } finally {
    pooler.passes = true;
    await db.close();
  }
});

test('a session that has lost its role on the way is bound by row-level security all the same', async () => {
  const db = openDatabase({ url: database.url, maxConnections: 1 });
  const me = async (tx: Tx) => (await tx.execute(whoAmI)).rows[0];
  try {
    await db.withTenant(randomUUID(), (tx) => tx.execute(sql`select set_config('role', 'none', false)`));
    expect(await db.withTenant(randomUUID(), me)).toMatchObject({ me: 'rekindle_app' });
  } finally {
    await db.close();
  }
});

test('a login that may not take the role does nothing at all', async () => {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  const name = `stranger_${randomUUID().replaceAll('-', '')}`;
  await owner.query(`create role ${name} login password 'stranger'`);
  const url = new URL(database.url);
  [url.username, url.password] = [name, 'stranger'];
  const db = openDatabase({ url: url.href });
  try {
    let ran = false;
    const work = async () => {
      ran = true;
    };
    await expect(db.withTenant(randomUUID(), work)).rejects.toThrow(/role/);
    expect(ran).toBe(false);
  } finally {
    await db.close();
    await owner.query(`drop role ${name}`);
    await owner.end();
  }
});
