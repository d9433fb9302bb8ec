import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withOwnOrders } from '../../../domain/people/purchases.ts';
import { baseSegment } from '../../../domain/people/segments.ts';

// What a customer has bought: docs/rules.md#rule-40

const nothing = { orderCount: null, lifetimeValueMinor: null };
const eur = (orders: number, netMinor: number) => ({ currency: 'EUR', orders, netMinor });

test.each([
  ['orders alone tell a returning customer', nothing, [eur(1, 4_000)], { orderCount: 1, lifetimeValueMinor: 4_000 }, 'RETURNING'],
  ['and one of high value', nothing, [eur(3, 50_001)], { orderCount: 3, lifetimeValueMinor: 50_001 }, 'HIGH_VALUE'],
  [
    'the shop knows of more',
    { orderCount: 9, lifetimeValueMinor: 90_000 },
    [eur(1, 4_000)],
    { orderCount: 9, lifetimeValueMinor: 90_000 },
    'HIGH_VALUE',
  ],
  ['its figure is old', { orderCount: 0, lifetimeValueMinor: 0 }, [eur(1, 60_000)], { orderCount: 1, lifetimeValueMinor: 60_000 }, 'HIGH_VALUE'],
  ['a cancelled order counts for nothing', nothing, [eur(0, 0)], { orderCount: 0, lifetimeValueMinor: 0 }, 'FIRST_TIME'],
  [
    'an order of unknown value is an order',
    nothing,
    [{ currency: '', orders: 1, netMinor: 0 }],
    { orderCount: 1, lifetimeValueMinor: null },
    'RETURNING',
  ],
  [
    'other currencies are not added up',
    nothing,
    [eur(1, 4_000), { currency: 'USD', orders: 1, netMinor: 99_000 }],
    { orderCount: 2, lifetimeValueMinor: 4_000 },
    'RETURNING',
  ],
  ['without an order nothing changes', nothing, [], nothing, 'FIRST_TIME'],
] as const)('%s', (_, said, own, known, segment) => {
  const purchases = withOwnOrders(said, own, 'EUR');
  expect(purchases).toEqual(known);
  expect(baseSegment(purchases, { highValueMinor: 50_000 })).toBe(segment);
});

test('a store without a currency of its own adds up what is in one', () => {
  expect(withOwnOrders(nothing, [eur(2, 7_000)], null).lifetimeValueMinor).toBe(7_000);
  expect(withOwnOrders(nothing, [eur(2, 7_000), { currency: 'USD', orders: 1, netMinor: 1 }], null)).toEqual({
    orderCount: 3,
    lifetimeValueMinor: null,
  });
});

test('whatever is on record, nobody is known for less than their shop says', () => {
  const figure = fc.option(fc.integer({ min: 0, max: 200_000 }), { nil: null });
  const own = fc.array(fc.record({ currency: fc.constantFrom('EUR', 'USD', ''), orders: fc.nat(5), netMinor: fc.nat(100_000) }), { maxLength: 3 });
  fc.assert(
    fc.property(figure, figure, own, fc.constantFrom('EUR', null), (orderCount, lifetimeValueMinor, orders, currency) => {
      const known = withOwnOrders({ orderCount, lifetimeValueMinor }, orders, currency);
      expect(known.orderCount ?? 0).toBeGreaterThanOrEqual(orderCount ?? 0);
      expect(known.lifetimeValueMinor ?? 0).toBeGreaterThanOrEqual(lifetimeValueMinor ?? 0);
      expect(known.orderCount ?? 0).toBeGreaterThanOrEqual(orders.reduce((sum, each) => sum + each.orders, 0));
    }),
  );
});
