import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/events.ts';
import { genericReceiver } from '../../integrations/generic/receive.ts';
import { shopifyReceiver } from '../../integrations/shopify/receive.ts';
import { aStore } from '../helpers/a-store.ts';
import { shopCase, shopCaseNames } from '../helpers/shop-cases.ts';
import { posted } from '../helpers/a-delivery.ts';

const nowMs = Date.UTC(2026, 11, 1, 12, 0, 0, 500);

/** The events of a case as its receiver understands them, one list for each delivery. */
function eventsOf(name: string): DomainEvent[][] {
  return shopCase(name, nowMs).events.map(({ integration, topic, headers, body }) => {
    const receiver = integration === 'shopify' ? shopifyReceiver : genericReceiver;
    const raw = Buffer.from(JSON.stringify(body));
    const delivery = posted({ raw, headers: { 'x-shopify-topic': topic, ...headers }, receivedAtMs: nowMs });
    const read = receiver.normalise(delivery, body, aStore);
    if (read.kind !== 'events') throw new Error(`${name}: ${read.kind}`);
    return read.events;
  });
}

const cart = (more: Record<string, unknown>) => expect.objectContaining({ type: 'cart.updated', ...more });
const order = (more: Record<string, unknown>) => expect.objectContaining({ type: 'order.placed', ...more });
const someone = (more: Record<string, unknown>) => expect.objectContaining(more);

const expected: Record<string, unknown[]> = {
  '01-unticked-box': [[cart({ person: someone({ email: 'tessa.frey@shopper.example', consents: [] }) })]],
  '02-subscriber-unticked-later': [
    [cart({ person: someone({ consents: expect.arrayContaining([expect.objectContaining({ state: 'granted', basis: 'record' })]) }) })],
    [order({ person: someone({ consents: expect.not.arrayContaining([expect.objectContaining({ state: 'denied' })]) }) })],
    [cart({ person: someone({ consents: [expect.objectContaining({ channel: 'email', state: 'granted', basis: 'record' })] }) })],
  ],
  '04-address-of-this-checkout': [
    [cart({ person: someone({ email: 'r.marten@office.example' }) })],
    [order({ person: someone({ email: 'r.marten@office.example' }) })],
    [cart({ person: someone({ email: 'ruth.marten@home.example' }) })],
    [order({ person: someone({ email: 'ruth.marten@home.example' }) })],
    [cart({ person: someone({ email: 'r.marten@office.example' }) })],
  ],
  '05-guests-share-a-number': [
    [cart({ person: someone({ email: 'petra.alt@family.example', phone: '+4915123456789' }) })],
    [cart({ person: someone({ email: 'jonas.alt@family.example', phone: '+4915123456789' }) })],
  ],
  '06-guest-id-zero': [
    [cart({ person: someone({ email: 'guest.one@visitor.example', externalId: null }) })],
    [cart({ person: someone({ email: 'guest.two@visitor.example', externalId: null }) })],
    [order({ keys: [], person: someone({ email: 'guest.three@visitor.example', externalId: null }) })],
  ],
  '08-cart-id-used-again': [
    [cart({ keys: [{ kind: 'external', value: 'woo-0c5edbbda10bd67a' }], cart: someone({ totalMinor: 4_990 }) })],
    [order({ keys: [{ kind: 'external', value: 'woo-0c5edbbda10bd67a' }] })],
    [cart({ keys: [{ kind: 'external', value: 'woo-0c5edbbda10bd67a' }], cart: someone({ totalMinor: 8_900 }) })],
  ],
  '09-two-devices': [
    [cart({ person: someone({ email: 'mira.voss@shopper.example' }) })],
    [cart({ person: someone({ email: 'mira.voss@shopper.example' }) })],
  ],
  '10-order-with-empty-number': [
    [cart({})],
    [order({ person: someone({ email: 'karl.brandt@shopper.example', phone: null, lastName: null }), order: someone({ totalMinor: 4_990 }) })],
  ],
  '10c-opt-out-with-empty-number': [
    [cart({})],
    [
      expect.objectContaining({
        type: 'contact.opted_out',
        channel: 'email',
        final: true,
        person: someone({ email: 'schluss.jetzt@shopper.example' }),
      }),
    ],
  ],
  '12-eight-decimals': [
    [cart({ cart: someone({ totalMinor: 476_612, items: [someone({ priceMinor: 476_612 })] }) })],
    [cart({ cart: someone({ totalMinor: 476_612 }) })],
    [order({ order: someone({ totalMinor: 476_612 }) })],
  ],
  '14-half-a-metre': [[cart({ cart: someone({ totalMinor: 1_185, items: [someone({ quantity: 0.5, priceMinor: 2_370 })] }) })]],
  '18-docomo-address': [
    [cart({ person: someone({ email: 'aki..tani.@docomo.example' }) })],
    [cart({ person: someone({ email: 'aki..tani.@docomo.example' }) })],
  ],
  '20-test-order': [[cart({})], [order({ order: someone({ noRevenue: 'test' }) })]],
  '22-order-born-cancelled': [[cart({})], [order({ order: someone({ noRevenue: 'declined' }) })]],
  '24-point-of-sale': [[cart({ cart: someone({ origin: 'point_of_sale' }) })]],
  '30-same-second': [
    [cart({ cart: someone({ totalMinor: 12_800, items: [expect.anything(), expect.anything()] }) })],
    [cart({ cart: someone({ totalMinor: 6_400, items: [expect.anything()] }) })],
  ],
  '33-order-with-few-fields': [[cart({})], [order({ order: someone({ currency: null, totalMinor: null, noRevenue: null }) })]],
};

test('every case has its right value', () => {
  expect(Object.keys(expected).toSorted()).toEqual(shopCaseNames.toSorted());
});

test.each(shopCaseNames)('%s', (name) => {
  expect(eventsOf(name)).toEqual(expected[name]);
});

test('two events of one second keep the order in which they were triggered', () => {
  const [[later], [earlier]] = eventsOf('30-same-second') as [DomainEvent[], DomainEvent[]];
  expect((later?.occurredAtMs ?? 0) - (earlier?.occurredAtMs ?? 0)).toBe(600);
});

const published = new URL('../fixtures/shopify-published/', import.meta.url);
test.each(readdirSync(published))('the published payload %s is understood', (file) => {
  const raw = readFileSync(new URL(file, published));
  const topic = file.split('.')[0]?.replace('-', '/') ?? '';
  const read = shopifyReceiver.reread(posted({ raw, headers: { 'x-shopify-topic': topic }, receivedAtMs: nowMs }), aStore);
  expect(read).toMatchObject({ kind: 'events', topic });
  expect(read).toMatchSnapshot();
});
