import { randomUUID } from 'node:crypto';
import { inArray, sql } from 'drizzle-orm';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { inbox, subjects } from '../../db/schema/index.ts';
import { applyPending } from '../../operations/accept-delivery.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// An API of four connections, and far more stops than that which have to wait.

const hourMs = 3_600_000;
/** Shops give up after five seconds (docs/fence.md#times-in-order); the rest is for a machine that runs other tests meanwhile. Milliseconds. */
const answerLimitMs = 6_500;
const times = { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 };

let shop: Shop;
let provider: StubProvider;
let holdAt: Checkpoint | null = null;
let release: () => void = () => undefined;
afterEach(async () => {
  holdAt = null;
  release();
  await shop.close();
  await provider.stop();
});

/** A cart whose first email is due. */
async function openDue(): Promise<string> {
  provider = await startStubProvider(false);
  const held = new Promise<void>((resolve) => (release = resolve));
  shop = await openShop({
    timeScale: 1,
    maxConnections: 4,
    sender: createStubSender(provider.port, { kind: 'none', times }),
    checkpoints: (at) => (at === holdAt ? held : Promise.resolve()),
  });
  await shop.post('cart.updated', aCart('cart-1', 'ada@example.com'));
  const { id } = await until('the enrollment', () => shop.enrollmentOf('cart-1'));
  await letTimePass(shop, 2 * hourMs + 1_000);
  await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId: 'popup_1h' });
  return id;
}

const timed = async (answer: Promise<{ status: number }>) => {
  const startedMs = performance.now();
  const { status } = await answer;
  return { status, tookMs: performance.now() - startedMs };
};
/** Replies of one person, each a stop of its own. */
const replies = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    timed(shop.post('message.received', { contact: { email: 'ada@example.com' }, channel: 'email', text: `Is it still there? ${i}` })),
  );
const visits = (count: number) =>
  Array.from({ length: count }, (_, i) => timed(shop.post('cart.updated', aCart(`other-${i}`, `other-${i}@example.com`))));
const late = (answers: { tookMs: number }[]) => answers.filter((a) => a.tookMs > answerLimitMs);
const connectionsAtRest = () =>
  until('every connection to be back', () => {
    const { total, idle, waiting } = shop.deps.db.stats();
    return total === idle && waiting === 0;
  });
/** Hold the locks of everybody that exists now. */
async function lockEverybody(): Promise<pg.Client> {
  const locker = new pg.Client({ connectionString: shop.database.url });
  await locker.connect();
  await locker.query('begin');
  await locker.query('select id from contacts for no key update');
  return locker;
}
const allInbox = () => shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select({ state: inbox.state }).from(inbox));

test('thirty stops that wait for a call keep no connection from others, nor the call from being settled', async () => {
  const enrollmentId = await openDue();
  holdAt = 'dispatch.called';
  const dispatched = dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email_2h' });
  await until('the call', () => provider.accepted.length === 1);
  const stops = replies(30);
  await until('the stop to be committed', async () => (await shop.enrollmentOf('cart-1'))?.endedAt != null);
  const others = await Promise.all(visits(20));
  expect(others.filter((a) => a.status !== 200)).toEqual([]);
  expect(late(others)).toEqual([]);
  release();
  const answers = await Promise.all(stops);
  await dispatched;
  // As a shop does: only unanswered deliveries are repeated.
  expect(answers.filter((a) => a.status !== 200 && a.status !== 503)).toEqual([]);
  expect(late(answers)).toEqual([]);
  expect((await Promise.all(replies(4))).map((a) => a.status)).toEqual([200, 200, 200, 200]);
  expect((await shop.ledgerOf(enrollmentId)).find((m) => m.stepId === 'email_2h')?.state).toBe('sent');
  await connectionsAtRest();
}, 60_000);

test('thirty stops that wait for a lock: everybody is answered in time, a call is settled meanwhile, and all takes effect afterwards', async () => {
  const enrollmentId = await openDue();
  holdAt = 'dispatch.called';
  // Settled, it looks again, and may find no connection: Temporal would ask once more.
  const dispatched = dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId: 'email_2h' }).catch(() => null);
  await until('the call', () => provider.accepted.length === 1);
  const locker = await lockEverybody();
  try {
    const stops = replies(30);
    // Stops of one store use two connections at a time; whatever else the process does may use the rest.
    const busy = Array.from({ length: 20 }, () =>
      shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.execute(sql`select pg_sleep(0.4)`)).catch(() => undefined),
    );
    await until('the pool to be used up', () => shop.deps.db.stats().waiting > 10, 5_000);
    release();
    await until('the call to be settled while the pool is used up', async () => {
      const { rows } = await locker.query<{ state: string }>(`select state from messages where step_id = 'email_2h'`);
      return rows[0]?.state === 'sent' && shop.deps.db.stats().waiting > 0;
    });
    const others = await Promise.all(visits(10));
    const answers = await Promise.all(stops);
    await Promise.all(busy);
    expect(answers.map((a) => a.status)).toEqual(answers.map(() => 503));
    expect(others.filter((a) => a.status !== 200 && a.status !== 503)).toEqual([]);
    expect(late([...answers, ...others])).toEqual([]);
  } finally {
    await locker.query('rollback');
    await locker.end();
  }
  await dispatched;
  await connectionsAtRest();
  // What was stored as pending is applied by the inbox worker; the rest comes again, as shops do.
  while ((await applyPending(shop.deps)) > 0);
  expect((await allInbox()).filter((row) => row.state !== 'applied')).toEqual([]);
  expect((await Promise.all([...replies(3), ...visits(3)])).map((a) => a.status)).toEqual([200, 200, 200, 200, 200, 200]);
  expect((await shop.enrollmentOf('cart-1'))?.endedAt).not.toBeNull();
}, 60_000);

test('events that found their person locked are applied in the order in which they came', async () => {
  await openDue();
  const ids = [randomUUID(), randomUUID(), randomUUID()];
  const locker = await lockEverybody();
  // All at the same moment of the shop's clock: only the order of arrival tells them apart.
  const at = Date.now() + 1_000;
  for (const [i, id] of ids.entries()) {
    const answer = await shop.post('cart.updated', aCart('cart-1', 'ada@example.com', { total: `${i + 1}0.00` }), { id, at });
    expect(answer).toEqual({ status: 200, body: { status: 'pending' } });
  }
  await locker.query('rollback');
  await locker.end();
  expect(await applyPending(shop.deps)).toBe(3);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select({ id: inbox.dedupeKey, state: inbox.state }).from(inbox).where(inArray(inbox.dedupeKey, ids)).orderBy(inbox.appliedAt),
  );
  expect(rows).toEqual(ids.map((id) => ({ id, state: 'applied' })));
  const [cart] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select({ totalMinor: subjects.totalMinor }).from(subjects));
  expect(cart).toEqual({ totalMinor: 3_000 });
}, 60_000);
