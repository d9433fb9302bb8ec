import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connections, contacts, conversions, enrollments, messages, sequences, subjects } from '../../db/schema/index.ts';
import { wilsonInterval } from '../../domain/statistics/proportions.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { ask, sendFirstMail, leaveCart } from './left-carts.ts';

const dayMs = 24 * 3_600_000;
let shop: Shop;
let base: { sequenceId: string; versionId: string; connectionId: string };
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  base = await shop.deps.db.withTenant(shop.tenant.tenantId, async (tx) => {
    const [sequence] = await tx.select().from(sequences).limit(1);
    const [connection] = await tx.select().from(connections).limit(1);
    return { sequenceId: sequence?.id ?? '', versionId: sequence?.currentVersionId ?? '', connectionId: connection?.id ?? '' };
  });
});
afterAll(() => shop.close());

interface Case {
  type: 'first_time' | 'returning' | 'high_value' | 'low_stock';
  /** Days ago that the cart counted as abandoned; null: it never did. */
  daysAgo: number | null;
  reason?: 'purchased' | 'purchased_elsewhere' | 'manual';
  sent?: { opened?: boolean; clicked?: boolean; state?: 'sent' | 'unknown' | 'skipped' }[];
  orders?: { currency: string | null; valueMinor: number | null; reversed?: boolean; noRevenue?: 'test' }[];
}

/** Write a history as the product would have left it. */
async function history({ type, daysAgo, reason, sent = [], orders = [] }: Case): Promise<void> {
  const tenantId = shop.tenant.tenantId;
  const startedMs = Date.now() - (daysAgo ?? 1) * dayMs;
  const id = uuidv7();
  const contactId = uuidv7();
  const subjectId = uuidv7();
  await shop.deps.db.withTenant(tenantId, async (tx) => {
    await tx.insert(contacts).values({ tenantId, id: contactId, personId: contactId });
    await tx.insert(subjects).values({ tenantId, id: subjectId, contactId, startedAt: startedMs, lastActivityAt: startedMs });
    await tx.insert(enrollments).values({
      tenantId,
      id,
      sequenceId: base.sequenceId,
      versionId: base.versionId,
      contactId,
      subjectId,
      sequenceType: type,
      cartValueMinor: 10_000,
      currency: 'EUR',
      timeScale: 1,
      anchorAt: startedMs,
      activatedAt: daysAgo === null ? null : startedMs,
      ...(reason === undefined
        ? {}
        : { status: reason === 'purchased' ? ('CONVERTED' as const) : ('EXITED' as const), stopReason: reason, endedAt: startedMs + 1 }),
    });
    for (const [n, { opened, clicked, state = 'sent' }] of sent.entries()) {
      await tx.insert(messages).values({
        tenantId,
        id: uuidv7(),
        enrollmentId: id,
        stepId: `step-${n}`,
        contactId,
        state,
        channel: state === 'skipped' ? null : 'email',
        openedAt: opened === true ? startedMs : null,
        clickedAt: clicked === true ? startedMs : null,
      });
    }
    for (const order of orders) {
      await tx.insert(conversions).values({
        tenantId,
        id: uuidv7(),
        connectionId: base.connectionId,
        orderId: uuidv7(),
        enrollmentId: id,
        currency: order.currency,
        valueMinor: order.valueMinor,
        placedAt: startedMs + 1,
        reversedAt: order.reversed === true ? startedMs + 2 : null,
        noRevenue: order.noRevenue ?? null,
      });
    }
  });
}

const analytics = async (query = '') => (await ask(shop, shop.tenant.apiKey, `/recovery/analytics${query}`)).body;
const none = {
  recovery_rate: 0,
  recovery_rate_interval: null,
  total_sequences: 0,
  purchased_sequences: 0,
  recovered_revenue: [],
  orders_of_unknown_value: 0,
  avg_sequence_length: 0,
  emails_sent: 0,
  mails_sent: 0,
  open_rate: null,
  click_rate: null,
};

test('without sequences the rate is 0, and what would divide by nothing is null', async () => {
  expect(await analytics()).toMatchObject({
    days: 30,
    ...none,
    by_sequence_type: { first_time: none, returning: none, high_value: none, low_stock: none },
  });
});

test('the figures of a constructed month are exact', async () => {
  // In the window: four started, one of them bought and kept, one bought and cancelled.
  await history({
    type: 'first_time',
    daysAgo: 29,
    reason: 'purchased',
    sent: [{ opened: true, clicked: true }, {}],
    orders: [{ currency: 'EUR', valueMinor: 12_990 }],
  });
  await history({ type: 'first_time', daysAgo: 3, sent: [{ opened: true }, { state: 'unknown', opened: true }, { state: 'skipped' }] });
  await history({ type: 'low_stock', daysAgo: 2, reason: 'purchased_elsewhere', sent: [] });
  await history({
    type: 'high_value',
    daysAgo: 1,
    reason: 'purchased',
    sent: [{}],
    orders: [
      { currency: 'EUR', valueMinor: 99_900, reversed: true },
      { currency: 'JPY', valueMinor: 4_500 },
      { currency: null, valueMinor: null },
      { currency: 'EUR', valueMinor: 1_000, noRevenue: 'test' },
    ],
  });
  // Not in it: too long ago, and never abandoned.
  await history({ type: 'first_time', daysAgo: 31, reason: 'purchased', orders: [{ currency: 'EUR', valueMinor: 77_700 }] });
  await history({ type: 'first_time', daysAgo: null, orders: [{ currency: 'EUR', valueMinor: 55_500 }] });

  const interval = wilsonInterval(2, 4);
  const body = await analytics();
  expect(body).toMatchObject({
    total_sequences: 4,
    purchased_sequences: 2,
    recovery_rate: 50,
    recovery_rate_interval: { low: 100 * (interval?.low ?? 0), high: 100 * (interval?.high ?? 0), confidence: 0.95 },
    recovered_revenue: [
      // What was cancelled stays in what was ordered.
      {
        ...{ currency: 'EUR', amount: '129.90', amount_minor: 12_990, orders: 1, cancelled_orders: 1 },
        ...{ gross: '1128.90', gross_minor: 112_890, refunded: '0.00', adjusted: '-999.00', net: '129.90', net_minor: 12_990 },
      },
      { currency: 'JPY', amount: '4500', amount_minor: 4_500, orders: 1, gross: '4500', refunded: '0', adjusted: '0', net: '4500' },
    ],
    orders_of_unknown_value: 1,
    // 2 + 2 + 0 + 1 steps reached somebody: an unknown outcome counts as sent, a skipped step does not.
    avg_sequence_length: 5 / 4,
    mails_sent: 4,
    open_rate: 50,
    click_rate: 25,
  });
  const types = (body as { by_sequence_type: Record<string, unknown> }).by_sequence_type;
  expect(types['first_time']).toMatchObject({
    total_sequences: 2,
    recovery_rate: 50,
    recovered_revenue: [{ currency: 'EUR', amount_minor: 12_990 }],
  });
  expect(types['high_value']).toMatchObject({
    total_sequences: 1,
    recovery_rate: 100,
    recovered_revenue: [
      { currency: 'EUR', amount_minor: 0, gross_minor: 99_900, orders: 0, cancelled_orders: 1 },
      { currency: 'JPY', amount_minor: 4_500 },
    ],
    orders_of_unknown_value: 1,
  });
  expect(types['low_stock']).toMatchObject({ total_sequences: 1, recovery_rate: 0 });
  expect(types['returning']).toEqual(none);
});

test('the window is the one that was asked for', async () => {
  expect(await analytics('?days=10')).toMatchObject({ days: 10, total_sequences: 3 });
  expect(await analytics('?days=365')).toMatchObject({ total_sequences: 5, recovery_rate: 60 });
  for (const days of ['0', '-1', '1.5', 'all', '99999'])
    expect((await ask(shop, shop.tenant.apiKey, `/recovery/analytics?days=${days}`)).status, days).toBe(400);
});

test('the window begins at the full hour before', async () => {
  const { from, to } = (await analytics('?days=7')) as { from: string; to: string };
  expect(from).toMatch(/:00:00\.000Z$/);
  const longerMs = Date.parse(to) - Date.parse(from) - 7 * dayMs;
  expect(longerMs).toBeGreaterThanOrEqual(0);
  expect(longerMs).toBeLessThan(dayMs / 24);
});

test('a recovery that really happened is counted, and taken back when its order is cancelled', async () => {
  const before = (await analytics('?days=10')) as { purchased_sequences: number };
  const francs = (figures: Record<string, unknown>) => expect.arrayContaining([expect.objectContaining({ currency: 'CHF', ...figures })]) as unknown;
  const id = await leaveCart(shop, 'cart-real', 'real@example.com', { currency: 'CHF' });
  await sendFirstMail(shop, id);
  await shop.post('order.placed', { order: { id: 'order-real', currency: 'CHF', total: '80.50' }, cart_id: 'cart-real' });
  expect(await analytics('?days=10')).toMatchObject({
    purchased_sequences: before.purchased_sequences + 1,
    recovered_revenue: francs({ amount: '80.50', amount_minor: 8_050, gross: '80.50', net: '80.50', orders: 1, cancelled_orders: 0 }),
  });
  await shop.post('order.cancelled', { order: { id: 'order-real' } });
  expect(await analytics('?days=10')).toMatchObject({
    purchased_sequences: before.purchased_sequences + 1,
    recovered_revenue: francs({ amount: '0.00', gross: '80.50', net: '0.00', orders: 0, cancelled_orders: 1 }),
  });
});

test.each([
  [0, 10, 0, 0.2775],
  [5, 10, 0.2366, 0.7634],
  [10, 10, 0.7225, 1],
  [1, 1, 0.2065, 1],
])('Wilson’s interval of %i in %i', (successes, cases, low, high) => {
  const interval = wilsonInterval(successes, cases);
  expect(interval?.low).toBeCloseTo(low, 3);
  expect(interval?.high).toBeCloseTo(high, 3);
});
