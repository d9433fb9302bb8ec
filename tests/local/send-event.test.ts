import { expect, test } from 'vitest';
import { genericReceiver } from '../../integrations/generic/receive.ts';
import type { Delivery } from '../../integrations/port.ts';
import { shopifyReceiver } from '../../integrations/shopify/receive.ts';
import { nothingRemembered, prepareEvent, type SendableEvent, type SendOptions, sendableEvents } from '../../local/send-event.ts';
import { type SignedDelivery, signAsShopify, signGeneric } from '../../local/webhook.ts';
import { aStore } from '../helpers/a-store.ts';
import { posted } from '../helpers/a-delivery.ts';

const nowMs = Date.parse('2026-11-21T10:00:00Z');
const context = { newId: () => 'a1b2', shopUrl: 'http://localhost:3030' };
const generic = { url: 'http://localhost:3000/g', secret: `whsec_${Buffer.alloc(24, 1).toString('base64')}` };
const shopify = { url: 'http://localhost:3000/s', secret: 'shpss_1' };

const asked = (event: SendableEvent, more: Partial<SendOptions> = {}): SendOptions => ({
  event,
  products: [],
  final: false,
  email: 'you@example.com',
  ...more,
});
const received = (sent: SignedDelivery): Delivery => posted({ raw: Buffer.from(sent.body), headers: sent.headers, receivedAtMs: nowMs });

function eventsOf(receiver: typeof genericReceiver, secret: string, sent: SignedDelivery) {
  const delivery = received(sent);
  expect(receiver.verify(delivery, [secret])).toBeNull();
  const read = receiver.normalise(delivery, JSON.parse(sent.body), aStore);
  if (read.kind !== 'events') throw new Error(`${read.kind}: ${'reason' in read ? read.reason : ''}`);
  return read.events;
}
const overGeneric = (options: SendOptions, before = nothingRemembered) =>
  eventsOf(genericReceiver, generic.secret, signGeneric(generic, prepareEvent(options, before, context, nowMs).generic, nowMs));

test.each(sendableEvents)('%s is signed and written so that the receiver takes it', (event) => {
  const [read, ...others] = overGeneric(asked(event, { order: '1001' }));
  expect(read?.type).toBe(event);
  expect(others).toEqual([]);
});

test('a cart carries what was asked for, its value split over the products to the cent', () => {
  const options = asked('cart.updated', {
    value: '100.00',
    currency: 'eur',
    products: ['Mug', 'Apron', 'Board'],
    name: 'Mara von Sand',
    locale: 'de-AT',
  });
  expect(overGeneric(options)).toMatchObject([
    {
      keys: [{ kind: 'external', value: 'cart_a1b2' }],
      person: { email: 'you@example.com', firstName: 'Mara', lastName: 'von Sand', locale: 'de-AT' },
      cart: {
        currency: 'EUR',
        totalMinor: 10_000,
        items: [
          { title: 'Mug', priceMinor: 3_334, imageUrl: 'http://localhost:3030/pictures/Mug.svg' },
          { title: 'Apron', priceMinor: 3_333 },
          { title: 'Board', priceMinor: 3_333 },
        ],
        restoreUrl: 'http://localhost:3030/cart/cart_a1b2',
      },
    },
  ]);
});

test('a currency without decimals has none', () => {
  expect(overGeneric(asked('cart.updated', { value: '12900', currency: 'JPY' }))).toMatchObject([{ cart: { totalMinor: 12_900 } }]);
  expect(() => overGeneric(asked('cart.updated', { value: '129.90', currency: 'JPY' }))).toThrow(
    '--value 129.90 is no amount of JPY. Use e.g. 12900.',
  );
});

test('an order finds the cart that was sent before, and a cancellation finds the order', () => {
  const cart = prepareEvent(asked('cart.updated', { value: '80.00' }), nothingRemembered, context, nowMs);
  const order = prepareEvent(asked('order.placed'), cart.remember, context, nowMs);
  expect(order.generic.data).toMatchObject({ cart_id: 'cart_a1b2', order: { total: '80.00', currency: 'EUR' } });
  const cancelled = prepareEvent(asked('order.cancelled'), order.remember, context, nowMs);
  expect(cancelled.generic.data).toEqual({ order: { id: order.remember.order } });
});

test('the cart stays the same until it is bought; the next one is another', () => {
  const first = prepareEvent(asked('cart.updated'), nothingRemembered, context, nowMs);
  const other = { ...context, newId: () => 'c3d4' };
  const again = prepareEvent(asked('cart.updated'), first.remember, other, nowMs);
  expect(again.remember.cart).toBe('cart_a1b2');
  const bought = prepareEvent(asked('order.placed'), again.remember, other, nowMs);
  expect(prepareEvent(asked('cart.updated'), bought.remember, other, nowMs).remember.cart).toBe('cart_c3d4');
});

test('the same cart can be sent as Shopify’s webhook', () => {
  const { shopify: event } = prepareEvent(asked('cart.updated', { value: '129.90' }), nothingRemembered, context, nowMs);
  if (event === null) throw new Error('expected a Shopify event');
  expect(eventsOf(shopifyReceiver, shopify.secret, signAsShopify(shopify, event, nowMs))).toMatchObject([
    {
      type: 'cart.updated',
      keys: [{ kind: 'checkout_token', value: 'cart_a1b2' }, {}],
      person: { email: 'you@example.com' },
      cart: { totalMinor: 12_990 },
    },
  ]);
});

test('what is missing is said with an example that works', () => {
  expect(() => overGeneric(asked('message.received', { email: undefined }))).toThrow(
    'For whom? npm run send -- message.received --email you@example.com --text "Is it in stock?"',
  );
  expect(() => overGeneric(asked('order.cancelled'))).toThrow('Which order?');
  expect(() => overGeneric(asked('cart.updated', { currency: 'EURO' }))).toThrow('--currency EURO is no currency');
});
