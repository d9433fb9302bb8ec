import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BacktestReport } from '../../../domain/backtest/tally.ts';
import { parseSequence } from '../../../domain/sequence/parse-sequence.ts';
import { runBacktest } from '../../../operations/backtest/run-backtest.ts';
import { asOwner } from '../../helpers/database.ts';
import { aCart, openShop, type Shop } from '../../helpers/shop.ts';

// A small history, checked by hand: what each person would have got is written beside them.

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
let shop: Shop;
beforeAll(async () => {
  const quietHours = { fromMinute: 21 * 60, toMinute: 8 * 60 };
  shop = await openShop({ timeScale: 1, settings: { quietHours, caps: [{ channel: null, most: 3, withinHours: 24 }] } });
});
afterAll(() => shop.close());

const midnight = Math.floor(Date.now() / day) * day;
const at = (daysAgo: number, ms: number) => midnight - daysAgo * day + ms;

/** Something that the store was told at that moment, and knew from then on. */
async function told(type: string, data: Record<string, unknown>, atMs: number, receivedMs = atMs) {
  const { status, body } = await shop.post(type, data, { at: atMs });
  expect(status, JSON.stringify(body)).toBe(200);
  await asOwner(shop.database.url, `update inbox set received_at = $1 where id = (select max(id::text)::uuid from inbox)`, [new Date(receivedMs)]);
}

const twoEmails = `
sequence: twice
name: Twice
on: cart.abandoned
steps:
  - { id: first, at: 2h, channel: email, content: cart/email_2h }
  - { id: second, at: 24h, channel: email, content: cart/email_24h }
`;

async function backtest(yaml = twoEmails, days = 30, prices: Record<string, number> | null = null): Promise<BacktestReport> {
  const parsed = parseSequence(yaml);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  const tried = { version: 1, definition: parsed.definition, content: null };
  return runBacktest(shop.deps, { tenantId: shop.tenant.tenantId, tried, days, prices, onProgress: () => undefined });
}

test('of an empty history there is nothing to tell', async () => {
  const report = await backtest();
  expect(report).toMatchObject({
    people: 0,
    enrollments: { begun: 0, completed: 0, held_out: 0, running: 0, stopped: {} },
    not_begun: {},
    messages: { total: 0, by_channel: {}, by_step: {}, by_day: [], busiest_day: null },
    cost: null,
    suppressed: { people: 0, share: 0 },
    messaged_after_buying: { people: 0, examples: [] },
  });
});

test('a small history comes out as it was checked by hand', async () => {
  // Both emails: at 12:00 and, a day later, at 10:00.
  await told('cart.updated', aCart('a', 'a@example.com'), at(10, 10 * hour));
  // The first email at 12:00; the order comes at 15:00.
  await told('cart.updated', aCart('b', 'b@example.com'), at(10, 10 * hour));
  await told(
    'order.placed',
    { order: { id: 'o-b', currency: 'EUR', total: '9.00', cart_id: 'b' }, contact: { email: 'b@example.com' } },
    at(10, 15 * hour),
  );
  // Nothing: opted out after an hour.
  await told('cart.updated', aCart('c', 'c@example.com'), at(9, 10 * hour));
  await told('contact.opted_out', { contact: { email: 'c@example.com' }, channel: 'all' }, at(9, 11 * hour));
  // Nothing begins: nobody is known.
  await told('cart.updated', aCart('d', null), at(9, 10 * hour));
  // Due at 22:30: put off to 08:00, and at the other's due time, 20:30 of the next day, the second.
  await told('cart.updated', aCart('e', 'e@example.com'), at(8, 20 * hour + 30 * minute));
  // Used again after an hour and a half: the first at 13:30 instead of 12:00. The order's delivery is late: until it comes, nobody could know.
  await told('cart.updated', aCart('f', 'f@example.com'), at(7, 10 * hour));
  await told('cart.updated', aCart('f', 'f@example.com', { total: '12.00' }), at(7, 11 * hour + 30 * minute));
  await told(
    'order.placed',
    { order: { id: 'o-f', currency: 'EUR', total: '9.00', cart_id: 'f' }, contact: { email: 'f@example.com' } },
    at(7, 12 * hour),
    at(7, 14 * hour),
  );
  // Before the history: nothing of it counts.
  await told('cart.updated', aCart('g', 'g@example.com'), at(40, 10 * hour));

  const report = await backtest(twoEmails, 30, { email: 0.001 });
  const dayOf = (daysAgo: number) => new Date(at(daysAgo, 0)).toISOString().slice(0, 10);
  expect(report.enrollments).toEqual({ begun: 5, completed: 2, held_out: 0, running: 0, stopped: { opted_out: 1, purchased: 2 } });
  expect(report.not_begun).toEqual({ unknown_person: 1 });
  expect(report.messages.by_step).toEqual({ first: 4, second: 2 });
  expect(report.messages.by_day).toEqual([
    { day: dayOf(10), channel: 'email', messages: 2 },
    { day: dayOf(9), channel: 'email', messages: 1 },
    { day: dayOf(7), channel: 'email', messages: 3 },
  ]);
  expect(report.deferred).toEqual({ activity: 1, quiet_hours: 1 });
  expect(report.cost).toEqual({ currency: null, total: 0.006, by_channel: { email: 0.006 } });
  expect(report.messaged_after_buying.people).toBe(0);
  expect(report.suppressed).toEqual({ people: 0, share: 0 });
});

test('who had bought before is a returning customer from then on, as for a real dispatch', async () => {
  const toCustomers = `
sequence: customers
name: Customers
on: cart.abandoned
reentry: once-per-subject
steps:
  - { id: first, at: 2h, channel: email, content: cart/email_2h, when: { segment: RETURNING } }
`;
  const sentTo = async () => (await backtest(toCustomers)).messages.total;
  const before = await sentTo();
  // Their first cart is a newcomer's; the second, after an order that no cart's payload tells of, a customer's.
  await told('cart.updated', aCart('r1', 'r@example.com'), at(20, 10 * hour));
  await told('order.placed', { order: { id: 'o-r', currency: 'EUR', total: '9.00' }, contact: { email: 'r@example.com' } }, at(15, 10 * hour));
  await told('cart.updated', aCart('r2', 'r@example.com'), at(10, 10 * hour));
  await asOwner(shop.database.url, `update conversions set created_at = placed_at where order_id = 'o-r'`);
  expect((await sentTo()) - before).toBe(1);
  await asOwner(shop.database.url, `update conversions set created_at = now() where order_id = 'o-r'`);
  expect((await sentTo()) - before).toBe(0);
});
