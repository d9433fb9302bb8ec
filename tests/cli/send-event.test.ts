import { expect, test } from 'vitest';
import { type OpenCart, prepareEvent, type SendableEvent, type SendOptions, sendableEvents } from '../../cli/send-event.ts';
import { genericReceiver } from '../../integrations/generic/receive.ts';
import { generic } from '../../integrations/generic/index.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';

const nowMs = Date.parse('2026-11-21T10:00:00Z');
const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
const context = (openCart: OpenCart | null = null) => ({ openCart, newId: () => 'a1b2', shopUrl: 'http://localhost:3030' });

const asked = (event: SendableEvent, more: Partial<SendOptions> = {}): SendOptions => ({
  event,
  products: [],
  final: false,
  email: 'you@example.com',
  ...more,
});
/** What the receiver makes of it, signed as the API signs it. */
function received(options: SendOptions, openCart: OpenCart | null = null) {
  const { type, data } = prepareEvent(options, context(openCart));
  const body = JSON.stringify({ type, timestamp: new Date(nowMs).toISOString(), data });
  const headers = generic.signEvent?.(secret, { id: 'test_1', body, nowMs }) ?? {};
  const read = genericReceiver.receive(posted({ raw: Buffer.from(body), headers, receivedAtMs: nowMs }), [secret], aStore);
  if (read.kind !== 'events') throw new Error(JSON.stringify(read));
  expect(read.notes).toEqual([]);
  return read.events;
}

test.each(sendableEvents)('%s is written so that the receiver takes it whole', (event) => {
  const [read, ...others] = received(asked(event, { order: '1001', lead: 'l-1' }));
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
  expect(received(options)).toMatchObject([
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

test('a currency has its own decimals', () => {
  expect(received(asked('cart.updated', { value: '12900', currency: 'JPY' }))).toMatchObject([{ cart: { totalMinor: 12_900 } }]);
  expect(received(asked('cart.updated', { value: '12.345', currency: 'KWD' }))).toMatchObject([{ cart: { totalMinor: 12_345 } }]);
  expect(() => received(asked('cart.updated', { value: '129.90', currency: 'JPY' }))).toThrow('--value 129.90 is no amount of JPY. Use e.g. 12900.');
});

test('an order buys the open cart of its person, for what it is worth; a cart goes on with it', () => {
  const openCart = { id: 'theirs', value: '80.00', currency: 'GBP' };
  expect(prepareEvent(asked('order.placed'), context(openCart)).data).toMatchObject({
    cart_id: 'theirs',
    order: { total: '80.00', currency: 'GBP' },
  });
  expect(prepareEvent(asked('cart.updated'), context(openCart)).data).toMatchObject({ cart: { id: 'theirs', total: '80.00' } });
  expect(prepareEvent(asked('cart.updated', { currency: 'EUR' }), context(openCart)).data).toMatchObject({
    cart: { total: '129.90', currency: 'EUR' },
  });
});

test('what is missing is said with an example that works', () => {
  expect(() => received(asked('message.received', { email: undefined }))).toThrow(
    'For whom? rekindle send message.received --email you@example.com --text "Is it in stock?"',
  );
  expect(() => received(asked('order.cancelled'))).toThrow('Which order? rekindle send order.cancelled --order 1001');
  expect(() => received(asked('cart.updated', { currency: 'EURO' }))).toThrow('--currency EURO is no currency');
});
