import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { agreeable } from '../../bench/hot-actions.ts';
import { enrollmentEvents, outbox } from '../../db/schema/index.ts';
import type { WorkflowEngine } from '../../operations/deps.ts';
import { endDrill, listDrills, readDrill, startDrill } from '../../operations/drills/drills.ts';
import { readDrillFigures, readLastDay, readWaves } from '../../operations/drills/figures.ts';
import { createRelay, relayOutbox } from '../../operations/relay-outbox.ts';
import { dispatch, leaveCart } from '../api/left-carts.ts';
import { asOwner } from '../helpers/database.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// Outages that are practised: nothing is sent meanwhile, twice, or all at once afterwards, and stops take effect all the while.

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { catchUpPerMinute: 1 } });
});
afterEach(async () => {
  const { items } = await listDrills(shop.deps, shop.tenant.tenantId, { limit: 1, after: null });
  for (const { id } of items) await endDrill(shop.deps, shop.tenant.tenantId, id, 'test');
});
afterAll(() => shop.close());

const start = async (part: 'provider' | 'worker' | 'temporal', minutes: number, sharePercent = 100) => {
  const wish = { part, channel: null, sharePercent, lastsMs: minutes * minuteMs };
  const { kind, drill } = await startDrill(shop.deps, shop.tenant.tenantId, wish, 'test');
  expect(kind).toBe('started');
  return drill.id;
};
const figures = async (id: string) => {
  const drill = await readDrill(shop.deps, shop.tenant.tenantId, id);
  if (drill === null) throw new Error('no drill');
  return readDrillFigures(shop.deps, shop.tenant.tenantId, drill);
};
/** A cart whose first email is due now. */
async function due(name: string): Promise<string> {
  const id = await leaveCart(shop, name, `${name}@example.com`);
  await letTimePass(shop, hourMs - 1_000);
  return id;
}
const mails = (...names: string[]) =>
  shop.smtp.accepted.filter(({ envelope: { to } }) => names.some((name) => to.includes(`${name}@example.com`))).length;
const stateOf = async (id: string) => (await shop.ledgerOf(id)).find(({ stepId }) => stepId === 'email_2h')?.state ?? null;
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

test('what is due, late and held is counted as it stands', async () => {
  const first = await due('one');
  await leaveCart(shop, 'two', 'two@example.com');
  const waves = await readWaves(shop.deps, shop.tenant.tenantId);
  expect(waves).toMatchObject({ open: 2, lookedAt: 2, catchUpPerMinute: 1, held: 0 });
  // The first cart's email is an hour late, the other one's comes within the hour.
  expect([sum(waves.ahead), waves.ahead[0], sum(waves.behind)]).toEqual([1, 1, 1]);
  await dispatch(shop, first, 'email_2h');
  const { sent } = await readWaves(shop.deps, shop.tenant.tenantId);
  expect(sent.map(({ onTime, late }) => [onTime, late])).toEqual([[0, 1]]);
});

describe('a worker that counts as away', () => {
  test('decides nothing until the drill is over, which ends by itself; then the step goes out once', async () => {
    const id = await due('late');
    const before = await readLastDay(shop.deps, shop.tenant.tenantId);
    const drill = await start('worker', 4);
    expect(await dispatch(shop, id, 'email_2h')).toMatchObject({ kind: 'again', why: 'an outage is practised: no worker decides anything' });
    expect([await stateOf(id), mails('late')]).toEqual([null, 0]);
    expect(sum((await figures(drill)).waves.behind)).toBeGreaterThan(0);
    await letTimePass(shop, 4 * minuteMs);
    expect(await dispatch(shop, id, 'email_2h')).toMatchObject({ kind: 'done' });
    await dispatch(shop, id, 'email_2h');
    expect([await stateOf(id), mails('late')]).toEqual(['sent', 1]);
    expect(await figures(drill)).toMatchObject({ released: 1, sentDuring: 0, sentTwice: 0, expired: 0, busiestMinute: 0 });
    const { processed, attempts } = await readLastDay(shop.deps, shop.tenant.tenantId);
    expect([attempts.all - before.attempts.all, attempts.failed - before.attempts.failed]).toEqual([1, 0]);
    expect(processed - before.processed).toBe(1);
    await asOwner(shop.database.url, `update messages set state = 'failed' where enrollment_id = $1 and step_id = 'email_2h'`, [id]);
    expect((await readLastDay(shop.deps, shop.tenant.tenantId)).attempts).toMatchObject({ failed: attempts.failed + 1, all: attempts.all });
  });

  test('a purchase meanwhile stops: nothing goes out afterwards', async () => {
    const id = await due('bought');
    await start('worker', 10);
    await dispatch(shop, id, 'email_2h');
    await shop.post('order.placed', {
      order: { id: 'o-1', total: '10.00', currency: 'EUR' },
      cart_id: 'bought',
      contact: { email: 'bought@example.com' },
    });
    await letTimePass(shop, 10 * minuteMs);
    await dispatch(shop, id, 'email_2h');
    expect(mails('bought')).toBe(0);
    expect((await shop.enrollmentOf('bought'))?.stopReason).toBe('purchased');
    expect(await readLastDay(shop.deps, shop.tenant.tenantId)).toMatchObject({ sentTwice: 0, sentAfterStop: 0, stopped: { purchased: 1 } });
  });

  test('what was held is released at the store’s rate for what is late, not all at once', async () => {
    const ids = [await leaveCart(shop, 'first', 'first@example.com'), await leaveCart(shop, 'second', 'second@example.com')];
    await letTimePass(shop, hourMs);
    const drill = await start('worker', 20);
    for (const id of ids) await dispatch(shop, id, 'email_2h');
    await letTimePass(shop, 20 * minuteMs);
    const results = [];
    for (const id of ids) results.push(await dispatch(shop, id, 'email_2h'));
    expect(mails('first', 'second')).toBe(1);
    expect(results[1]).toMatchObject({ kind: 'done', note: 'deferred: rate' });
    expect(await figures(drill)).toMatchObject({ released: 1, busiestMinute: 1, sentTwice: 0 });
  });

  test('whoever is not in the share is written to', async () => {
    const ids = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      await shop.post('cart.updated', aCart(name, `${name}@example.com`));
      ids.push((await shop.enrollmentOf(name))?.id ?? '');
    }
    await letTimePass(shop, 2 * hourMs);
    for (const id of ids) await dispatch(shop, id, 'popup_1h');
    await start('worker', 10, 50);
    const kinds = [];
    for (const id of ids) kinds.push([Number.parseInt(id.slice(-4), 16) * 100 < 50 * 65_536, (await dispatch(shop, id, 'email_2h')).kind]);
    expect(kinds.map(([isHeld, kind]) => [isHeld, kind === 'again'])).toEqual(kinds.map(([isHeld]) => [isHeld, isHeld]));
  });
});

test('a provider that counts as away puts the step off by its back-off, and is not called', async () => {
  const id = await due('outage');
  const drill = await start('provider', 10);
  expect(await dispatch(shop, id, 'email_2h')).toMatchObject({ kind: 'done', note: 'the provider could not be reached' });
  expect([await stateOf(id), mails('outage')]).toEqual(['failed', 0]);
  const story = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select({ type: enrollmentEvents.type }).from(enrollmentEvents).where(eq(enrollmentEvents.enrollmentId, id)),
  );
  expect(story.map(({ type }) => type)).toContain('provider.unreachable');
  // Somebody ends it early.
  expect(await endDrill(shop.deps, shop.tenant.tenantId, drill, 'test')).toMatchObject({ kind: 'ended' });
  expect(await endDrill(shop.deps, shop.tenant.tenantId, drill, 'test')).toMatchObject({ kind: 'over' });
  await letTimePass(shop, 5 * minuteMs + 1_000);
  await dispatch(shop, id, 'email_2h');
  expect([await stateOf(id), mails('outage')]).toEqual(['sent', 1]);
});

test('a drill of a text message’s provider leaves emails alone', async () => {
  const id = await due('other');
  await startDrill(shop.deps, shop.tenant.tenantId, { part: 'provider', channel: 'sms', sharePercent: 100, lastsMs: hourMs }, 'test');
  await dispatch(shop, id, 'email_2h');
  expect(mails('other')).toBe(1);
});

describe('a Temporal that counts as away', () => {
  const told: string[] = [];
  const engine: WorkflowEngine = { ...agreeable, start: ({ enrollmentId }) => Promise.resolve(void told.push(enrollmentId)) };

  test('is told when it is over; that says nothing about the real one', async () => {
    const drill = await start('temporal', 60);
    await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.delete(outbox));
    await shop.post('cart.updated', aCart('untold', 'untold@example.com'));
    const relay = createRelay({ ...shop.deps, engine });
    expect(await relay()).toBe(true);
    expect(told).toEqual([]);
    const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(outbox));
    expect(rows.map(({ lastError }) => lastError)).toEqual(['an outage of Temporal is practised']);
    await endDrill(shop.deps, shop.tenant.tenantId, drill, 'test');
    await letTimePass(shop, 31_000);
    expect(await relayOutbox({ ...shop.deps, engine })).toEqual({ taken: 1, failed: 0, held: 0 });
    expect(told).toHaveLength(1);
  });
});

test('one at a time, noted with who it was; the next one may begin when it is over', async () => {
  const first = await start('worker', 5);
  const wish = { part: 'worker' as const, channel: null, sharePercent: 1, lastsMs: minuteMs };
  const again = await Promise.all([1, 2].map(() => startDrill(shop.deps, shop.tenant.tenantId, wish, 'test')));
  expect(again.map(({ kind, drill }) => [kind, drill.id])).toEqual([
    ['running', first],
    ['running', first],
  ]);
  await letTimePass(shop, 5 * minuteMs + 1_000);
  expect((await startDrill(shop.deps, shop.tenant.tenantId, wish, 'test')).kind).toBe('started');
});
