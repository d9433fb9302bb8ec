import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NobodyWaitsError } from '../../db/connection-line.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';
import { type OwnPostgres, ownPostgres } from '../chaos/own-postgres.ts';

// While Postgres stands still, webhooks pile up before the pool. Those that cannot be answered in time are refused at once, and when Postgres goes
// on, no work is done for abandoned requests.

/** Shops give up after five seconds (docs/fence.md#times-in-order); the rest is for a machine that runs other tests meanwhile. Milliseconds. */
const answerLimitMs = 6_500;
const connections = 4;

let postgres: OwnPostgres;
let shop: Shop;
beforeAll(async () => {
  postgres = await ownPostgres({ durable: true });
  shop = await openShop({ database: { url: postgres.url, drop: async () => {} }, maxConnections: connections });
});
afterAll(async () => {
  postgres.thaw();
  await shop.close();
  await postgres.remove();
});

const stats = () => shop.deps.db.stats();
const atRest = () => until('every connection to be back', () => stats().total === stats().idle && stats().waiting === 0);

describe('a shop whose Postgres stands still for five seconds', () => {
  const ids = Array.from({ length: 40 }, () => randomUUID());
  const post = async (id: string) => {
    const startedMs = performance.now();
    const { status, body } = await shop.post('cart.updated', aCart(id, `${id}@example.com`), { id });
    return { status, code: (body as { code?: string }).code, tookMs: performance.now() - startedMs };
  };
  const late = (answers: { tookMs: number }[], limitMs: number) => answers.filter((answer) => answer.tookMs > limitMs);
  const stored = async () => {
    const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.execute<{ dedupe_key: string }>(sql`select dedupe_key from inbox`),
    );
    return rows.map((row) => row.dedupe_key);
  };

  test('is answered 503 in time, at once where the line is long; afterwards only what is waited for is done', async () => {
    // Every connection is open, with its plans.
    expect((await Promise.all(Array.from({ length: 20 }, () => post(randomUUID())))).map((a) => a.status)).toEqual(Array(20).fill(200));
    await atRest();
    const before = await stored();

    postgres.freeze();
    const first = Promise.all(ids.map(post));
    await until('the first to have waited for long', () => stats().longestWaitMs > 1_600);
    const second = await Promise.all(ids.map((id) => post(`second-${id}`)));
    expect(second.map(({ status, code }) => `${status} ${code}`)).toEqual(ids.map(() => '503 overloaded'));
    expect(late(second, 1_000)).toEqual([]);
    const answers = await first;
    expect(answers.map((a) => a.status)).toEqual(ids.map(() => 503));
    expect(late(answers, answerLimitMs)).toEqual([]);
    expect(stats().waiting).toBe(0);
    postgres.thaw();

    // Connections that were lost are opened anew; a shop sends again what was refused meanwhile.
    await until('the shop to be served again', async () => (await post('after')).status === 200);
    await atRest();
    // Of the first wave some had a connection when Postgres stood still, and had only asked whose delivery it was.
    expect((await stored()).toSorted()).toEqual([...before, 'after'].toSorted());
    const repeated = await Promise.all(ids.map(post));
    expect(repeated.map((a) => a.status)).toEqual(ids.map(() => 200));
  }, 60_000);

  test('says when to come again', async () => {
    postgres.freeze();
    const waiting = Promise.all(ids.slice(0, 8).map(() => post(randomUUID())));
    try {
      await until('the first to have waited for long', () => stats().longestWaitMs > 1_600);
      const { statusCode, headers } = await shop.app.inject({ method: 'POST', url: shop.tenant.webhooks.generic.path, payload: {} });
      expect([statusCode, headers['retry-after']]).toEqual([503, '2']);
    } finally {
      postgres.thaw();
    }
    await waiting;
    await atRest();
  });
});

test('whoever is no longer waited for leaves the line without a connection; the others are served', async () => {
  const holder = new pg.Client({ connectionString: postgres.url });
  await holder.connect();
  const { db } = shop.deps;
  const { tenantId } = shop.tenant;
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ leaves: fc.boolean(), asks: fc.constantFrom('a transaction', 'a question') }), { maxLength: 25 }),
        async (line) => {
          await holder.query('select pg_advisory_lock(4711)');
          // All connections wait for one lock; it does not matter how long.
          const busy = Array.from({ length: connections }, () =>
            db.withTenant(tenantId, (tx) => tx.execute(sql`select set_config('lock_timeout', '0', true), pg_advisory_xact_lock_shared(4711)`)),
          );
          await until('every connection to be taken', () => stats().total === connections && stats().idle === 0);
          const served: number[] = [];
          let left = false;
          const waiting = Promise.allSettled(
            line.map(async ({ leaves, asks }, index) => {
              const wanted = () => !(leaves && left);
              if (asks === 'a transaction') await db.withTenant(tenantId, async () => void served.push(index), wanted);
              // Each about another connection: those about the same share one question.
              else await db.resolveConnection('generic', randomUUID(), wanted).then(() => served.push(index));
            }),
          );
          expect(stats().waiting).toBe(line.length);
          left = true;
          await holder.query('select pg_advisory_unlock(4711)');
          const results = await waiting;
          await Promise.all(busy);
          expect(results.map((r) => r.status === 'rejected' && r.reason instanceof NobodyWaitsError)).toEqual(line.map(({ leaves }) => leaves));
          expect(served.toSorted((a, b) => a - b)).toEqual(line.flatMap(({ leaves }, index) => (leaves ? [] : [index])));
          await atRest();
          expect(stats().longestWaitMs).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  } finally {
    await holder.end();
  }
});
