import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conversions, enrollments, refunds } from '../../db/schema/index.ts';
import type { DomainEvent, NoRevenue, PersonDetails } from '../../domain/events.ts';
import { registryOf } from '../../integrations/index.ts';
import { jsonReceiver } from '../../integrations/verified-receiver.ts';
import { acceptDelivery } from '../../operations/accept-delivery.ts';
import { readAnalytics, type Revenue } from '../../operations/read/analytics.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { leaveCart } from '../api/left-carts.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { posted } from '../helpers/a-delivery.ts';

// What an order counts for, whatever the shop says of it, as often and in whatever order: docs/adr/0016-what-an-order-counts-for.md.

let shop: Shop;
let owner: pg.Client;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await shop.close();
});

/** Understands bodies that are domain events already. */
const asTold = jsonReceiver({
  topics: [],
  readsHeaders: [],
  topicHeader: null,
  answersUnreadable: 'accept',
  verify: () => null,
  dedupeKey: ({ headers }) => String(headers['id']),
  normalise: (_delivery, body) => ({ kind: 'events', topic: 'told', events: body as DomainEvent[], notes: [] }),
});
const secondMs = 1_000;
const t0 = Math.floor(Date.now() / secondMs) * secondMs - 3_600_000;
const at = (seconds: number) => t0 + seconds * secondMs;

async function tell(...events: DomainEvent[]): Promise<void> {
  const connectionId = shop.tenant.webhooks.generic.path.split('/').at(-1) ?? '';
  const delivery = posted({ headers: { id: randomUUID() }, raw: Buffer.from(JSON.stringify(events)), receivedAtMs: Date.now() });
  const accepted = await acceptDelivery(
    { ...shop.deps, integrations: registryOf([{ name: 'generic', receiver: asTold }]) },
    'generic',
    connectionId,
    delivery,
  );
  expect(accepted).toEqual({ kind: 'accepted', result: 'applied' });
}

let carts = 0;
/** A cart whose sequence has begun, and its order, of which nothing is known yet. */
async function left(): Promise<{ cart: string; order: string; enrollmentId: string }> {
  carts += 1;
  const cart = `cart-${carts}`;
  return { cart, order: `order-${carts}`, enrollmentId: await leaveCart(shop, cart, `${cart}@example.com`) };
}

interface Placed {
  currency?: string | null;
  total?: number | null;
  noRevenue?: NoRevenue | null;
  seconds?: number;
}
function placed(c: { cart: string; order: string }, { currency = 'EUR', total = 10_000, noRevenue = null, seconds = 0 }: Placed = {}): DomainEvent {
  const person: PersonDetails = {
    ...{ email: `${c.cart}@example.com`, phone: null, externalId: null, firstName: null, lastName: null, locale: null, timeZone: null },
    ...{ country: null, region: null, orderCount: null, lifetimeValueMinor: null, consents: [] },
  };
  return {
    ...{ type: 'order.placed', occurredAtMs: at(seconds), keys: [{ kind: 'external', value: c.cart }], person },
    order: { externalId: c.order, currency, totalMinor: total, products: [], noRevenue },
  };
}
type Updated = Extract<DomainEvent, { type: 'order.updated' }>;
interface Update {
  currency?: string | null;
  total?: number | null;
  refunds?: Updated['order']['refunds'];
  coarse?: boolean;
  holds?: boolean;
}
function updated(
  { order }: { order: string },
  seconds: number,
  { currency = 'EUR', total = null, refunds: given = [], coarse = false, holds = false }: Update,
): Updated {
  return {
    ...{ type: 'order.updated', occurredAtMs: at(seconds), ...(coarse ? { toTheSecond: true as const } : {}) },
    order: { externalId: order, currency, currentTotalMinor: total, refunds: given, ...(holds ? { holds } : {}) },
  };
}
const cancelled = ({ order }: { order: string }, seconds: number): DomainEvent => ({
  ...{ type: 'order.cancelled', occurredAtMs: at(seconds) },
  order: { externalId: order },
});
const refund = (id: string, amountMinor: number, seconds: number, besidesTotalMinor?: number) => ({
  ...{ id, amountMinor, atMs: at(seconds) },
  ...(besidesTotalMinor === undefined ? {} : { besidesTotalMinor }),
});

/** What the enrollment's orders count for, as the database says it. */
async function figuresOf(enrollmentId: string): Promise<Record<string, unknown>[]> {
  const { rows } = await owner.query<Record<string, unknown>>(
    `select f.* from conversions c cross join lateral figures_of_order(c) f where c.enrollment_id = $1 order by c.order_id`,
    [enrollmentId],
  );
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, k === 'currency' ? v : Number(v)])));
}
const counts = (gross: number, refunded: number, net: number, currency = 'EUR') => [
  { currency, orders: 1, cancelled_orders: 0, unknown_orders: 0, gross_minor: gross, refunded_minor: refunded, net_minor: net },
];
async function endOf(enrollmentId: string) {
  const [row] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select({ status: enrollments.status, reason: enrollments.stopReason }).from(enrollments).where(eq(enrollments.id, enrollmentId)),
  );
  return row;
}
/** What the story says about the order. */
async function storyOf(enrollmentId: string): Promise<string[]> {
  const story = await explainEnrollment(shop.deps, shop.tenant.tenantId, enrollmentId);
  return (story?.entries ?? []).flatMap((e) => (e.kind === 'event' && /^(recovered|order_)/.test(e.type) ? [e.sentence] : []));
}
/** Of a long time: each cart that is left moves those before it an hour into the past. */
const analytics = async () => {
  const carts = (await readAnalytics(shop.deps, shop.tenant.tenantId, 365)).kinds.find(({ kind }) => kind === 'cart');
  if (carts === undefined) throw new Error('there are no figures of carts');
  return carts.all;
};
/** What has been added to the store's figures since. */
async function added(before: Awaited<ReturnType<typeof analytics>>) {
  const now = await analytics();
  const of = (revenue: Revenue[], currency: string) => revenue.find((r) => r.currency === currency);
  const grown = now.revenue.flatMap((r) => {
    const was = of(before.revenue, r.currency);
    const row = {
      currency: r.currency,
      gross: r.grossMinor - (was?.grossMinor ?? 0),
      refunded: r.refundedMinor - (was?.refundedMinor ?? 0),
      net: r.netMinor - (was?.netMinor ?? 0),
      orders: r.orders - (was?.orders ?? 0),
      cancelled: r.cancelledOrders - (was?.cancelledOrders ?? 0),
    };
    return Object.values(row).some((n) => typeof n === 'number' && n !== 0) ? [row] : [];
  });
  return { purchased: now.purchased - before.purchased, unknown: now.ordersOfUnknownValue - before.ordersOfUnknownValue, grown };
}

describe('refunds and edits', () => {
  test('refunds in parts are subtracted once each, however often they are reported', async () => {
    const before = await analytics();
    const c = await left();
    await tell(placed(c));
    await tell(updated(c, 60, { refunds: [refund('r1', 2_000, 60)] }));
    await tell(updated(c, 60, { refunds: [refund('r1', 2_000, 60)] }));
    await tell(updated(c, 90, { refunds: [refund('r2', 500, 90), refund('r1', 2_000, 60), refund('r2', 500, 90)] }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 2_500, 7_500));
    expect(await added(before)).toEqual({
      ...{ purchased: 1, unknown: 0 },
      grown: [{ currency: 'EUR', gross: 10_000, refunded: 2_500, net: 7_500, orders: 1, cancelled: 0 }],
    });
    expect(await storyOf(c.enrollmentId)).toEqual([
      'An order (EUR 100.00) was credited to this sequence.',
      'EUR 20.00 of the order was refunded. EUR 80.00 of it is kept.',
      'EUR 5.00 of the order was refunded. EUR 75.00 of it is kept.',
    ]);
  });

  test('a refund that is in the current total is not subtracted again; one that comes later is', async () => {
    const c = await left();
    await tell(placed(c));
    await tell(updated(c, 60, { refunds: [refund('r1', 2_000, 60)] }));
    await tell(updated(c, 61, { total: 8_000 }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 2_000, 8_000));
    await tell(updated(c, 90, { refunds: [refund('r2', 1_000, 90)] }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 3_000, 7_000));
    await tell(updated(c, 91, { total: 7_000, refunds: [refund('r1', 2_000, 60), refund('r2', 1_000, 90)] }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 3_000, 7_000));
    // A total that refunds explain is no edit.
    expect((await storyOf(c.enrollmentId)).filter((s) => s.includes('changed'))).toEqual([]);
  });

  test('a refund that is reported with a total is in it, also by a clock that runs ahead', async () => {
    const c = await left();
    await tell(placed(c), updated(c, 60, { total: 8_000, refunds: [refund('r1', 2_000, 63)] }));
    await tell(updated(c, 63, { refunds: [refund('r1', 2_000, 63)] }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 2_000, 8_000));
  });

  test('what the shop does not take off its total is subtracted besides', async () => {
    const c = await left();
    await tell(placed(c), updated(c, 60, { total: 8_000, refunds: [refund('goodwill', 2_500, 60, 500)] }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 2_500, 7_500));
    // The lines came to more than was given back: the shop keeps a fee.
    await tell(updated(c, 70, { total: 6_000, refunds: [refund('fee', 1_500, 70, -500)] }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 4_000, 6_000));
  });

  test('a refund that fails or grows later has the amount of its latest report', async () => {
    const c = await left();
    await tell(placed(c), updated(c, 60, { refunds: [refund('r1', 0, 60)] }));
    expect(await storyOf(c.enrollmentId)).toHaveLength(1);
    await tell(updated(c, 80, { refunds: [refund('r1', 2_000, 60)] }));
    await tell(updated(c, 70, { refunds: [refund('r1', 900, 60)] }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 2_000, 8_000));
  });

  test.each([
    ['up', 12_000],
    ['down', 7_000],
    ['to nothing', 0],
  ])('an edit %s is what the shop keeps; what was ordered stays', async (_how, total) => {
    const before = await analytics();
    const c = await left();
    await tell(placed(c));
    await tell(updated(c, 60, { total }));
    await tell(updated(c, 30, { total: 5_555 }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 0, total));
    expect((await added(before)).grown).toMatchObject([{ gross: 10_000, refunded: 0, net: total }]);
    expect(await storyOf(c.enrollmentId)).toEqual([
      'An order (EUR 100.00) was credited to this sequence.',
      `The order was changed: it is worth EUR ${(total / 100).toFixed(2)} now. EUR ${(total / 100).toFixed(2)} of it is kept.`,
    ]);
  });

  test('of two totals of one second the later arrival counts, where the clock has whole seconds', async () => {
    const c = await left();
    await tell(placed(c));
    await tell({ ...updated(c, 60, { total: 9_000 }), occurredAtMs: at(60) + 400 });
    await tell(updated(c, 60, { total: 8_000, coarse: true }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 0, 8_000));
    await tell({ ...updated(c, 60, { total: 7_000 }), occurredAtMs: at(60) + 300 });
    // By finer clocks it is the older one.
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 0, 8_000));
    await tell(updated(c, 59, { total: 1, coarse: true }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 0, 8_000));
  });

  test('more than was ordered can be refunded: net is 0, and the story says so', async () => {
    const c = await left();
    await tell(placed(c));
    await tell(updated(c, 60, { refunds: [refund('r1', 12_000, 60)] }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 12_000, 0));
    expect((await storyOf(c.enrollmentId)).at(-1)).toBe(
      'EUR 120.00 of the order was refunded. That makes more than was ordered; the figures count 0 for it. EUR 0.00 of it is kept.',
    );
  });

  test('another currency than the order’s is kept and shown in the story, and counted in no sum', async () => {
    const c = await left();
    await tell(placed(c));
    await tell(updated(c, 60, { currency: 'CHF', total: 9_000, refunds: [refund('r1', 1_000, 60)] }));
    await tell(updated(c, 70, { refunds: [refund('r2', 500, 70)] }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 500, 9_500));
    const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(refunds).where(eq(refunds.orderId, c.order)));
    expect(rows.map((r) => r.currency ?? '').toSorted((a, b) => a.localeCompare(b))).toEqual(['CHF', 'EUR']);
    expect(await storyOf(c.enrollmentId)).toEqual([
      'An order (EUR 100.00) was credited to this sequence.',
      'CHF 10.00 of the order was refunded. That is not the currency of the order, so it is left out of the figures.',
      'The order was changed: it is worth CHF 90.00 now. That is not the currency of the order, so it is left out of the figures.',
      'EUR 5.00 of the order was refunded. EUR 95.00 of it is kept.',
    ]);
  });

  test('amounts that cannot be are left out and cost nothing else', async () => {
    const c = await left();
    await tell(placed(c), updated(c, 60, { total: -5, refunds: [refund('r1', -100, 60), refund('r2', 0.5, 60), refund('r3', 700, 60, 9_999)] }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 700, 9_300));
  });
});

describe('a cancellation', () => {
  test('takes net away and leaves what was ordered; it is not un-bought', async () => {
    const before = await analytics();
    const c = await left();
    await tell(placed(c));
    await tell(cancelled(c, 60));
    await tell(cancelled(c, 60));
    await tell(updated(c, 61, { total: 0, refunds: [refund('r1', 10_000, 61)] }));
    expect(await added(before)).toEqual({
      ...{ purchased: 1, unknown: 0 },
      grown: [{ currency: 'EUR', gross: 10_000, refunded: 10_000, net: 0, orders: 0, cancelled: 1 }],
    });
    expect(await storyOf(c.enrollmentId)).toEqual([
      'An order (EUR 100.00) was credited to this sequence.',
      'The order that was credited to this sequence was cancelled.',
      'EUR 100.00 of the order was refunded.',
    ]);
    expect(await endOf(c.enrollmentId)).toEqual({ status: 'CONVERTED', reason: 'purchased' });
  });

  test('is over when the shop says that the order holds again', async () => {
    const c = await left();
    await tell(placed(c), cancelled(c, 60));
    // Older than the cancellation.
    await tell(updated(c, 59, { total: 10_000, holds: true }));
    expect(await figuresOf(c.enrollmentId)).toMatchObject([{ cancelled_orders: 1, net_minor: 0 }]);
    await tell(updated(c, 90, { total: 10_000, holds: true }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 0, 10_000));
    await tell(cancelled(c, 61));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 0, 10_000));
    expect((await storyOf(c.enrollmentId)).slice(1)).toEqual([
      'The order that was credited to this sequence was cancelled.',
      'The shop took the cancellation of the order back.',
    ]);
    await tell(cancelled(c, 91));
    expect(await figuresOf(c.enrollmentId)).toMatchObject([{ cancelled_orders: 1, net_minor: 0 }]);
  });

  test('and refunds may be known before the order, which then brings its cart’s sequence the figures', async () => {
    const c = await left();
    await tell(updated(c, 60, { total: 8_000, refunds: [refund('r1', 2_000, 60)] }));
    const [known] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.select().from(conversions).where(eq(conversions.orderId, c.order)),
    );
    expect(known).toMatchObject({ currency: null, valueMinor: null, enrollmentId: null, currentMinor: 8_000, refundedMinor: 2_000 });
    await tell(placed(c));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 2_000, 8_000));
    expect(await storyOf(c.enrollmentId)).toEqual([
      'An order (EUR 100.00) was credited to this sequence. EUR 20.00 of it had been refunded by then. EUR 80.00 of it is kept.',
    ]);
    // Without a total nothing says the order's currency before the order does; and it may correct itself.
    const e = await left();
    await tell(updated(e, 60, { refunds: [refund('r1', 2_000, 60)] }), updated(e, 61, { currency: 'CHF', refunds: [refund('r2', 700, 61)] }));
    await tell(placed(e));
    expect(await figuresOf(e.enrollmentId)).toEqual(counts(10_000, 2_000, 8_000));
    await tell(placed(e, { currency: 'CHF', total: 9_000, seconds: 5 }));
    expect(await figuresOf(e.enrollmentId)).toEqual(counts(9_000, 700, 8_300, 'CHF'));
    const d = await left();
    await tell(cancelled(d, 60));
    await tell(placed(d));
    expect(await figuresOf(d.enrollmentId)).toMatchObject([{ orders: 0, cancelled_orders: 1, gross_minor: 10_000, net_minor: 0 }]);
    expect(await storyOf(d.enrollmentId)).toEqual(['An order (EUR 100.00) was credited to this sequence. It had been cancelled by then.']);
  });

  test('of an order that an older build noted as USD 0 does not decide its currency', async () => {
    const c = await left();
    const connectionId = shop.tenant.webhooks.generic.path.split('/').at(-1) ?? '';
    await owner.query(
      `insert into conversions (tenant_id, id, connection_id, order_id, currency, value_minor, placed_at, reversed_at) values ($1, $2, $3, $4, 'USD', 0, now(), now())`,
      [shop.tenant.tenantId, randomUUID(), connectionId, c.order],
    );
    await tell(placed(c, { total: null, currency: null }));
    expect(await figuresOf(c.enrollmentId)).toMatchObject([{ currency: '', cancelled_orders: 1, gross_minor: 0 }]);
  });
});

describe('unknown amounts', () => {
  test.each([
    ['no amount', { total: null }],
    ['no currency', { currency: null, total: null }],
    ['an amount without a currency', { currency: null, total: 10_000 }],
  ])('%s is an order of unknown value, not one of 0', async (_what, order) => {
    const before = await analytics();
    const c = await left();
    await tell(placed(c, order));
    expect(await added(before)).toEqual({ purchased: 1, unknown: 1, grown: [] });
    expect(await storyOf(c.enrollmentId)).toEqual(['An order (of unknown value) was credited to this sequence.']);
    // The shop says it after all, and an echo of the first event takes nothing back.
    await tell(placed(c, { seconds: 5 }));
    await tell(placed(c, order));
    expect(await added(before)).toEqual({
      ...{ purchased: 1, unknown: 0 },
      grown: [{ currency: 'EUR', gross: 10_000, refunded: 0, net: 10_000, orders: 1, cancelled: 0 }],
    });
    expect((await storyOf(c.enrollmentId)).at(-1)).toBe('The shop corrected the order: EUR 100.00.');
  });

  test('a current total is a value, too', async () => {
    const c = await left();
    await tell(placed(c, { currency: null, total: null }), updated(c, 60, { currency: 'JPY', total: 4_500, refunds: [refund('r1', 500, 60)] }));
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(5_000, 500, 4_500, 'JPY'));
    expect((await storyOf(c.enrollmentId)).at(-1)).toBe('The order was changed: it is worth JPY 4500 now. JPY 4500 of it is kept.');
  });
});

describe('a test order, and one that is cancelled or declined at once,', () => {
  test.each([
    ['test', 'A test order (EUR 100.00) came for this cart. It is not revenue.'],
    ['cancelled', 'An order that was cancelled at once (EUR 100.00) came for this cart. It is not revenue.'],
    ['declined', 'An order that was declined (EUR 100.00) came for this cart. It is not revenue.'],
  ] as const)('stops the sequence and is no revenue: %s', async (noRevenue, sentence) => {
    const before = await analytics();
    const c = await left();
    await tell(placed(c, { noRevenue }));
    expect(await endOf(c.enrollmentId)).toEqual({ status: 'EXITED', reason: 'order_void' });
    await tell(updated(c, 60, { total: 9_000 }), cancelled(c, 61));
    expect(await added(before)).toEqual({ purchased: 0, unknown: 0, grown: [] });
    expect((await storyOf(c.enrollmentId))[0]).toBe(sentence);
  });

  test('a later real order of the same cart counts', async () => {
    const before = await analytics();
    const c = await left();
    await tell(placed(c, { noRevenue: 'declined' }));
    await tell(placed({ cart: c.cart, order: `${c.order}-again` }, { total: 9_000, seconds: 30 }));
    await tell(placed({ cart: c.cart, order: `${c.order}-again` }, { total: 9_000, seconds: 30 }));
    expect(await endOf(c.enrollmentId)).toEqual({ status: 'CONVERTED', reason: 'purchased' });
    expect(await added(before)).toMatchObject({ purchased: 1, grown: [{ gross: 9_000, net: 9_000, orders: 1 }] });
  });

  test('an order that is shown alive by any event counts, whichever came first; a test never does', async () => {
    for (const [first, second, real] of [
      ['cancelled', null, true],
      [null, 'cancelled', true],
      ['test', null, false],
      [null, 'test', false],
    ] as const) {
      const before = await analytics();
      const c = await left();
      await tell(placed(c, { noRevenue: first }));
      await tell(placed(c, { noRevenue: second }));
      const end = real ? { status: 'CONVERTED', reason: 'purchased' } : { status: 'EXITED', reason: 'order_void' };
      expect(await endOf(c.enrollmentId), `${first} ${second}`).toEqual(end);
      expect((await added(before)).purchased, `${first} ${second}`).toBe(real ? 1 : 0);
      expect(await figuresOf(c.enrollmentId), `${first} ${second}`).toEqual(real ? counts(10_000, 0, 10_000) : []);
    }
  });
});

describe('an order under another name of the cart', () => {
  const nobody = { email: null, phone: null, externalId: null };
  /** The order knows the cart by its token alone; a later event of the cart names both. */
  async function joined(noRevenue: NoRevenue | null) {
    const c = await left();
    const token = { kind: 'cart_token', value: `${c.cart}-token` };
    const order = placed(c, { noRevenue, seconds: 3_600 + 60 });
    if (order.type !== 'order.placed') throw new TypeError();
    await tell({ ...order, keys: [token], person: { ...order.person, ...nobody } });
    expect(await figuresOf(c.enrollmentId)).toEqual([]);
    await tell({
      ...{ type: 'cart.updated', occurredAtMs: at(3_600 + 90), keys: [...order.keys, token], person: order.person },
      cart: { ...{ createdAtMs: at(0), currency: 'EUR', totalMinor: 10_000, items: [], restoreUrl: null }, origin: null, completed: false },
    });
    return c;
  }

  test('is credited once both are known to be one', async () => {
    const c = await joined(null);
    expect(await endOf(c.enrollmentId)).toEqual({ status: 'CONVERTED', reason: 'purchased' });
    expect(await figuresOf(c.enrollmentId)).toEqual(counts(10_000, 0, 10_000));
    expect(await storyOf(c.enrollmentId)).toEqual(['An order (EUR 100.00) was credited to this sequence.']);
  });

  test('buys nothing where it was a test', async () => {
    const c = await joined('test');
    expect(await endOf(c.enrollmentId)).toEqual({ status: 'EXITED', reason: 'order_void' });
    expect(await storyOf(c.enrollmentId)).toEqual(['A test order (EUR 100.00) came for this cart. It is not revenue.']);
  });
});

// One order as a shop may speak of it, in any order, more than once: the figures are those of a plain count.
interface Statement {
  seconds: number;
  what:
    | { is: 'placed'; currency: string | null; total: number | null; noRevenue: NoRevenue | null }
    | { is: 'updated'; currency: string; total: number | null; refunds: { id: string; amount: number; seconds: number }[]; holds: boolean }
    | { is: 'cancelled' };
}

function expected(statements: readonly Statement[]): { figures: Record<string, unknown>[]; real: boolean } {
  const latest = [...statements].sort((a, b) => b.seconds - a.seconds);
  const orders = latest.flatMap((s) => (s.what.is === 'placed' ? [s.what] : []));
  const isTest = orders.some((o) => o.noRevenue === 'test');
  if (isTest || orders.every((o) => o.noRevenue !== null)) return { figures: [], real: false };
  const said = orders.find((o) => o.currency !== null && o.total !== null) ?? orders.find((o) => o.currency !== null);
  const updates = latest.flatMap((s) => (s.what.is === 'updated' ? [{ ...s.what, seconds: s.seconds }] : []));
  const current = updates.find((u) => u.total !== null);
  const currency = said?.currency ?? current?.currency ?? null;
  const total = current?.currency === currency ? (current?.total ?? null) : null;
  const byId = new Map<string, { currency: string; amount: number; from: number }>();
  for (const u of updates)
    for (const r of u.refunds) {
      const from = u.total === null ? r.seconds : Math.min(r.seconds, u.seconds);
      const known = byId.get(r.id);
      byId.set(r.id, { ...(known ?? { currency: u.currency, amount: r.amount }), from: Math.min(from, known?.from ?? from) });
    }
  const own = [...byId.values()].filter((r) => r.currency === currency);
  const sum = (rows: { amount: number }[]) => rows.reduce((all, r) => all + r.amount, 0);
  const refunded = sum(own);
  const contained = sum(own.filter((r) => current !== undefined && r.from <= current.seconds));
  const isCancelled = latest.find(({ what }) => what.is === 'cancelled' || (what.is === 'updated' && what.holds))?.what.is === 'cancelled';
  const gross = said?.total ?? (total === null ? null : total + contained);
  const zero = { orders: 0, cancelled_orders: isCancelled ? 1 : 0, unknown_orders: 0, gross_minor: 0, refunded_minor: 0, net_minor: 0 };
  if (currency === null || gross === null) return { figures: [{ ...zero, currency: '', unknown_orders: isCancelled ? 0 : 1 }], real: true };
  const kept = total === null ? gross - refunded : total - (refunded - contained);
  const money = { gross_minor: gross, refunded_minor: refunded, net_minor: isCancelled ? 0 : Math.max(0, kept) };
  return { figures: [{ ...zero, currency, orders: isCancelled ? 0 : 1, ...money }], real: true };
}

test('an order comes to the same figures in whatever order, and however often, its events arrive', async () => {
  const amount = fc.constantFrom(0, 1, 500, 2_000, 10_000);
  const seconds = fc.nat({ max: 40 });
  const currency = fc.constantFrom('EUR', 'EUR', 'EUR', 'CHF');
  const what = fc.oneof(
    fc.record({
      is: fc.constant('placed' as const),
      currency: fc.option(currency, { freq: 4 }),
      total: fc.option(amount, { freq: 4 }),
      noRevenue: fc.option(fc.constantFrom<NoRevenue>('cancelled', 'declined', 'cancelled', 'test'), { freq: 2 }),
    }),
    fc.record({
      is: fc.constant('updated' as const),
      currency,
      total: fc.option(amount),
      refunds: fc.uniqueArray(fc.record({ id: fc.constantFrom('r1', 'r2', 'r3'), amount, seconds }), { selector: (r) => r.id, maxLength: 3 }),
      holds: fc.boolean(),
    }),
    fc.record({
      is: fc.constantFrom('updated' as const),
      currency,
      total: amount,
      refunds: fc.constant<{ id: string; amount: number; seconds: number }[]>([]),
      holds: fc.boolean(),
    }),
    fc.constant({ is: 'cancelled' as const }),
  );
  const history = fc
    .record({
      first: fc.record({
        seconds,
        noRevenue: fc.constantFrom<NoRevenue | null>(null, null, null, 'cancelled', 'declined', 'test'),
        currency: fc.option(currency, { freq: 6 }),
        total: fc.option(amount, { freq: 2 }),
      }),
      rest: fc.uniqueArray(fc.record({ seconds, what }), { selector: (s) => s.seconds, maxLength: 6 }),
    })
    .chain(({ first, rest }) => {
      const order = { is: 'placed' as const, currency: first.currency, total: first.total, noRevenue: first.noRevenue };
      const statements: Statement[] = [{ seconds: first.seconds, what: order }, ...rest.filter((s) => s.seconds !== first.seconds)];
      const arrivals = fc
        .tuple(fc.shuffledSubarray(statements, { minLength: statements.length }), fc.subarray(statements))
        .map(([once, again]) => [...once, ...again]);
      return fc.record({ statements: fc.constant(statements), arrivals, together: fc.boolean() });
    });
  const seen = { void: 0, unknown: 0, cancelled: 0, refunded: 0, kept: 0 };
  await fc.assert(
    fc.asyncProperty(history, async ({ statements, arrivals, together }) => {
      const c = await left();
      const events = arrivals.map(({ seconds: when, what: s }): DomainEvent => {
        if (s.is === 'cancelled') return cancelled(c, when);
        if (s.is === 'placed') return placed(c, { ...s, seconds: when });
        return updated(c, when, { ...s, refunds: s.refunds.map((r) => refund(r.id, r.amount, r.seconds)) });
      });
      if (together) await tell(...events);
      else for (const event of events) await tell(event);
      const { figures, real } = expected(statements);
      expect(await figuresOf(c.enrollmentId)).toEqual(figures);
      expect(await endOf(c.enrollmentId)).toEqual(real ? { status: 'CONVERTED', reason: 'purchased' } : { status: 'EXITED', reason: 'order_void' });
      const [row] = figures;
      if (row === undefined) seen.void += 1;
      else {
        seen.unknown += Number(row['unknown_orders']);
        seen.cancelled += Number(row['cancelled_orders']);
        if (Number(row['refunded_minor']) > 0) seen.refunded += 1;
        if (Number(row['net_minor']) > 0) seen.kept += 1;
      }
    }),
    { numRuns: 60 },
  );
  for (const [kind, n] of Object.entries(seen)) expect(n, kind).toBeGreaterThan(0);
}, 300_000);
