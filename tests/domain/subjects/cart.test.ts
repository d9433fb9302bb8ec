import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CartDetails } from '../../../domain/subjects/cart/details.ts';
import { type CartReport, fold } from '../../../domain/subjects/cart/fold.ts';
import type { Folded, Subject, SubjectReport } from '../../../domain/subjects/kind.ts';

type Cart = Subject<CartDetails>;

const lamp = {
  title: 'Walnut desk lamp',
  variant: null,
  quantity: 1,
  priceMinor: 100,
  compareAtMinor: null,
  productId: null,
  imageUrl: null,
  productUrl: null,
  stock: null,
};

const updated = (occurredAtMs: number, cart: Partial<CartReport>): SubjectReport<CartReport> => ({
  occurredAtMs,
  report: { createdAtMs: 1_000, currency: 'EUR', totalMinor: 100, items: [lamp], restoreUrl: null, origin: null, completed: false, ...cart },
});
const nowhere = { email: null, phone: null };
const open = (folded: Folded<CartDetails>): Cart => ({ ...folded, state: 'open' });
const foldAll = (events: SubjectReport<CartReport>[]) => events.reduce<Cart | null>((known, event) => open(fold(known, event, nowhere)), null);

test('whatever the order in which a cart’s events arrive, it stands as the provider’s clock says', () => {
  const anEvent = fc.record({
    totalMinor: fc.integer({ min: 1, max: 9 }),
    emptied: fc.boolean(),
    restoreUrl: fc.option(fc.constantFrom('https://shop.example.com/a', 'https://shop.example.com/b'), { nil: null }),
    createdAtMs: fc.integer({ min: 0, max: 1_000 }),
  });
  fc.assert(
    fc.property(fc.array(anEvent, { minLength: 1, maxLength: 5 }), fc.infiniteStream(fc.nat()), (drawn, numbers) => {
      const events = drawn.map(({ emptied, totalMinor, ...rest }, i) =>
        updated(2_000 + i, emptied ? { ...rest, totalMinor: 0, items: [], currency: 'XXX' } : { ...rest, totalMinor }),
      );
      const shuffled = events.map((event) => ({ event, key: numbers.next().value ?? 0 })).sort((a, b) => a.key - b.key);
      // Of several links any leads to the cart: which one is kept may differ, not whether there is one.
      const comparable = (known: Cart | null) => ({
        ...known,
        details: { ...known?.details, restoreUrl: known?.details.restoreUrl == null },
        currency: null,
      });
      expect(comparable(foldAll(shuffled.map(({ event }) => event)))).toEqual(comparable(foldAll(events)));
    }),
  );
});

test('an order that came before its cart learns from the cart’s older event what was in it', () => {
  const bought = [{ title: 'Walnut desk lamp', productId: null }];
  const converted: Cart = {
    state: 'converted',
    currency: 'USD',
    valueMinor: 0,
    details: { items: [], restoreUrl: null, origin: null, bought },
    email: null,
    emailAt: null,
    phone: null,
    phoneAt: null,
    startedAt: 5_000,
    lastActivityAt: 5_000,
  };
  expect(fold(converted, updated(4_000, {}), nowhere)).toMatchObject({
    currency: 'EUR',
    valueMinor: 100,
    details: { items: [lamp], bought },
    startedAt: 1_000,
    lastActivityAt: 5_000,
  });
});

test('a cart keeps the latest address that its events gave: back to the first is the first again, and an event without one takes none away', () => {
  const at = (occurredAtMs: number, email: string | null) => ({ event: updated(occurredAtMs, {}), address: { email, phone: null } });
  const emailOf = (told: ReturnType<typeof at>[]) =>
    told.reduce<Cart | null>((known, { event, address }) => open(fold(known, event, address)), null)?.email;
  expect(emailOf([at(1, 'home@example.com'), at(2, 'work@example.com'), at(3, 'home@example.com'), at(4, null)])).toBe('home@example.com');
  expect(emailOf([at(1, 'home@example.com'), at(4, null), at(2, 'work@example.com')])).toBe('work@example.com');
  expect(emailOf([at(2, 'work@example.com'), at(1, 'home@example.com')])).toBe('work@example.com');
});

test('of two events of one second the finer time counts, and where there is none the later arrival', () => {
  const second = 1_700_000_037_000;
  const two = updated(second + 800, { totalMinor: 200 });
  const one = (occurredAtMs: number, coarse: boolean) => ({
    ...updated(occurredAtMs, { totalMinor: 100 }),
    ...(coarse ? { toTheSecond: true as const } : {}),
  });
  expect(foldAll([two, one(second + 200, false)])?.valueMinor).toBe(200);
  expect(foldAll([two, one(second, true)])?.valueMinor).toBe(100);
  expect(foldAll([two, one(second - 1_000, true)])?.valueMinor).toBe(200);
});
