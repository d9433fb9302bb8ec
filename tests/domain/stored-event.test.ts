import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/events.ts';
import { fromStored } from '../../domain/stored-event.ts';

/** As the first build stored them. */
const person = {
  ...{ email: 'ada@example.com', phone: null, externalId: null, firstName: null, lastName: null, locale: null, timeZone: null },
  ...{ country: null, region: null, orderCount: null, lifetimeValueMinor: null, consents: [{ channel: 'email', state: 'granted' }] },
};
const stored = (event: object) => fromStored({ occurredAtMs: 1, keys: [], person, ...event } as unknown as DomainEvent);

test('an order of the first build names no products and is revenue', () => {
  expect(stored({ type: 'order.placed', order: { externalId: 'o-1', currency: 'EUR', totalMinor: 12_990 } })).toMatchObject({
    order: { externalId: 'o-1', totalMinor: 12_990, products: [], noRevenue: null },
    person: { consents: [{ channel: 'email', state: 'granted', basis: 'box', atMs: null }] },
  });
});

test('a cart of the first build is one that nobody bought, of an unknown origin', () => {
  const item = { title: 'Lamp', variant: null, quantity: 1, priceMinor: 12_990, imageUrl: null, productUrl: null, stock: null };
  const cart = { createdAtMs: 1, currency: 'EUR', totalMinor: 12_990, items: [item], restoreUrl: null };
  expect(stored({ type: 'cart.updated', cart })).toMatchObject({
    cart: { ...cart, origin: null, completed: false, items: [{ ...item, compareAtMinor: null, productId: null }] },
  });
});

test('an opt-out and an opt-in of the first build were the person’s own', () => {
  expect(stored({ type: 'contact.opted_out', channel: 'email', final: false, source: 'webhook' })).toMatchObject({ basis: 'person' });
  expect(stored({ type: 'contact.opted_in', channel: 'email', source: 'webhook', wording: null })).toMatchObject({
    basis: 'person',
    confirmed: false,
  });
});

test('what this build stores comes back as it was', () => {
  const events = [
    {
      type: 'order.placed',
      order: { externalId: null, currency: null, totalMinor: null, products: [{ title: 'Lamp', productId: 'p' }], noRevenue: 'test' },
    },
    { type: 'contact.opted_in', channel: 'email', source: 'x', wording: null, basis: 'record', confirmed: true },
    { type: 'message.received', channel: null, text: null },
  ];
  for (const event of events) {
    const whole = { ...event, occurredAtMs: 1, keys: [], person: { ...person, consents: [] } };
    expect(fromStored(whole as unknown as DomainEvent)).toEqual(whole);
  }
});

test('what no build can have written comes back as it is: it keeps nothing that is read with it from being applied', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('cart.updated', 'order.placed', 'contact.updated', 'lead.created', 'contact.opted_out', 'contact.opted_in', 'unheard.of'),
      fc.dictionary(fc.constantFrom('person', 'cart', 'order', 'items', 'consents'), fc.jsonValue()),
      (type, fields) => {
        const event = { ...fields, type } as unknown as DomainEvent;
        expect(fromStored(event)).toMatchObject({ type });
      },
    ),
  );
});
