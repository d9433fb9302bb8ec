import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/events.ts';
import { wooCommerceReceiver } from '../../integrations/woocommerce/receive.ts';
import { signWooCommerce } from '../../integrations/woocommerce/sign.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';

const secret = 'woo_an-invented-secret';
const nowMs = Date.UTC(2026, 10, 24, 12);

const fixture = (topic: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../fixtures/woocommerce/${topic}.json`, import.meta.url), 'utf8'));

function receive(topic: string, body: Record<string, unknown>) {
  const raw = Buffer.from(JSON.stringify(body));
  const headers = { 'x-wc-webhook-topic': topic, 'x-wc-webhook-signature': signWooCommerce(secret, raw) };
  return wooCommerceReceiver.receive(posted({ raw, headers, receivedAtMs: nowMs }), [secret], aStore);
}

function eventsOf(topic: string, change: Record<string, unknown> = {}, name = topic): DomainEvent[] {
  const received = receive(topic, { ...fixture(name), ...change });
  if (received.kind !== 'events') throw new Error(`no events: ${JSON.stringify(received)}`);
  return received.events;
}

const typesOf = (events: DomainEvent[]) => events.map(({ type }) => type);

/** Status, `order.updated` of the paid fixture as if nobody had paid yet. */
const notPaid = { date_paid: null, date_paid_gmt: null, refunds: [] };
const withoutPlugin = { meta_data: [] };

describe('an order', () => {
  test.each(['processing', 'completed', 'on-hold', 'refunded', 'wc-processing', 'a-status-of-a-plugin'])('that is %s was placed', (status) => {
    for (const paid of [{}, notPaid]) expect(typesOf(eventsOf('order.updated', { ...paid, status }))).toEqual(['order.placed', 'order.updated']);
  });

  test.each(['pending', 'failed', 'checkout-draft'])('that is %s and unpaid is a cart whose link leads to the payment', (status) => {
    const [event, ...others] = eventsOf('order.created', { ...withoutPlugin, status });
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      type: 'cart.updated',
      keys: [{ kind: 'order', value: '727' }],
      occurredAtMs: Date.UTC(2026, 10, 20, 9),
      person: { email: 'ada@example.com', phone: '+436641234567', firstName: 'Ada', country: 'AT', externalId: null },
      cart: {
        totalMinor: 14_200,
        restoreUrl: 'https://shop.example/checkout/order-pay/727/?pay_for_order=true&key=wc_order_invented',
        origin: 'web',
        items: [
          { title: 'Assam & honey – 250 g', quantity: 2, priceMinor: 4_950, compareAtMinor: 5_500, productId: '94' },
          { title: 'Tin, brushed steel', quantity: 1, priceMinor: 3_300, compareAtMinor: null, productId: '70' },
        ],
      },
    });
  });

  test('that needs no payment was placed, whatever its status', () => {
    expect(typesOf(eventsOf('order.created', { needs_payment: false }))).toEqual(['order.placed', 'order.updated']);
  });

  test('that was paid and failed or was cancelled later stays a purchase, worth nothing until it holds again', () => {
    for (const status of ['failed', 'cancelled']) {
      const events = eventsOf('order.updated', { status });
      expect(typesOf(events)).toEqual(['order.placed', 'order.updated', 'order.cancelled']);
      expect(events[1]).not.toHaveProperty('order.holds');
    }
    expect(eventsOf('order.updated')[1]).toHaveProperty('order.holds', true);
  });

  test('that is pending was placed where the gateway has taken the payment, and where the buyer pays later', () => {
    for (const change of [{ transaction_id: 'ch_invented' }, { payment_method: 'bacs' }, { payment_method: 'cheque' }, { payment_method: 'cod' }])
      expect(typesOf(eventsOf('order.created', change))).toEqual(['order.placed', 'order.updated']);
    // The checkout names a way to pay before the buyer has chosen one.
    expect(typesOf(eventsOf('order.created', { status: 'checkout-draft', payment_method: 'bacs' }))).toEqual(['cart.updated']);
  });

  test('was bought when it was paid, or when it was made where it is paid later', () => {
    expect(eventsOf('order.updated')[0]).toMatchObject({ occurredAtMs: Date.UTC(2026, 10, 20, 9, 5) });
    expect(eventsOf('order.updated', { payment_method: 'bacs' })[0]).toMatchObject({ occurredAtMs: Date.UTC(2026, 10, 20, 9) });
  });

  test('of the plugin carries the cart that it was made from, and that cart keeps its own link', () => {
    const keys = [
      { kind: 'external', value: 'cart-4711' },
      { kind: 'order', value: '727' },
    ];
    expect(eventsOf('order.created')[0]).toMatchObject({ keys, cart: { restoreUrl: 'https://shop.example/cart/?rekindle_cart=cart-4711' } });
    expect(eventsOf('order.updated')[0]).toMatchObject({ type: 'order.placed', keys });
  });

  test('that was cancelled unpaid leaves no link to pay by; a cart with a link of its own goes on', () => {
    const cancelled = { ...notPaid, status: 'cancelled' };
    expect(typesOf(eventsOf('order.updated', cancelled))).toEqual(['order.cancelled']);
    expect(typesOf(eventsOf('order.updated', { ...cancelled, ...withoutPlugin }))).toEqual(['cart.deleted', 'order.cancelled']);
    expect(typesOf(eventsOf('order.updated', { status: 'cancelled' }))).toEqual(['order.placed', 'order.updated', 'order.cancelled']);
  });

  test('is worth less by its refunds, which WooCommerce does not take off the total', () => {
    expect(eventsOf('order.updated')[1]).toMatchObject({
      occurredAtMs: Date.UTC(2026, 10, 21, 7),
      order: { externalId: '727', currency: 'EUR', currentTotalMinor: 10_900, refunds: [{ id: '801', amountMinor: 3_300 }] },
    });
  });

  test('has the decimal point as its only separator, also where the currency has no decimals', () => {
    const totalOf = (currency: string, total: string) => eventsOf('order.updated', { currency, total, refunds: [] })[0];
    expect(totalOf('JPY', '100.000')).toMatchObject({ order: { totalMinor: 100 } });
    expect(totalOf('EUR', '1234.567')).toMatchObject({ order: { totalMinor: 123_457 } });
    expect(totalOf('KWD', '1.234')).toMatchObject({ order: { totalMinor: 1_234 } });
    expect(totalOf('EUR', '')).toMatchObject({ order: { totalMinor: null } });
  });

  test('that was never placed is ignored', () => {
    for (const status of ['auto-draft', 'draft', 'trash'])
      expect(receive('order.updated', { ...fixture('order.created'), status }).kind).toBe('ignored');
  });

  test('without a name of anybody or of itself is kept for somebody to look at', () => {
    const received = receive('order.updated', { ...fixture('order.updated'), id: 0, customer_id: 0, billing: {}, meta_data: [] });
    expect(received).toMatchObject({ kind: 'unreadable', mayBeStop: true });
  });
});

test('a cart of the plugin is read from the Store API: minor units, HTML in names, variations', () => {
  expect(eventsOf('rekindle.cart')).toMatchObject([
    {
      type: 'cart.updated',
      keys: [{ kind: 'external', value: 'cart-4711' }],
      occurredAtMs: Date.UTC(2026, 10, 20, 8, 58),
      person: { email: 'ada@example.com', locale: 'de-AT', externalId: null, region: '9' },
      cart: {
        createdAtMs: Date.UTC(2026, 10, 20, 8, 50),
        currency: 'EUR',
        totalMinor: 14_200,
        items: [
          {
            title: 'Assam & honey',
            variant: '250 g',
            quantity: 2,
            priceMinor: 4_950,
            compareAtMinor: 6_000,
            productId: '94',
            imageUrl: 'https://shop.example/assam-450.jpg',
            productUrl: 'https://shop.example/product/assam/',
            stock: 3,
          },
          { title: 'Tin, brushed steel', priceMinor: 3_300, compareAtMinor: null, stock: null },
        ],
      },
    },
  ]);
});

test('a cart that was emptied has nothing in it; one without a list is not known', () => {
  const { cart } = fixture('rekindle.cart') as { cart: Record<string, unknown> };
  const totals = { ...(cart['totals'] as object), total_price: '0' };
  expect(eventsOf('rekindle.cart', { cart: { ...cart, items: [], totals } })[0]).toMatchObject({ cart: { items: [], totalMinor: 0 } });
  expect(eventsOf('rekindle.cart', { cart: { ...cart, items: null, totals } })[0]).toMatchObject({ cart: { items: [], totalMinor: null } });
});

test('amounts of a shop without decimals are whole, and those without a number of decimals are left out', () => {
  const { cart } = fixture('rekindle.cart') as { cart: Record<string, unknown> };
  const totalOf = (unit: unknown) =>
    eventsOf('rekindle.cart', { cart: { ...cart, totals: { total_price: '142', currency_code: 'EUR', currency_minor_unit: unit } } })[0];
  expect(totalOf(0)).toMatchObject({ cart: { totalMinor: 14_200 } });
  expect(totalOf(undefined)).toMatchObject({ cart: { totalMinor: null } });
});

describe('the announcement of a webhook', () => {
  const ping = (body: string, headers = {}) =>
    wooCommerceReceiver.receive(posted({ raw: Buffer.from(body), headers, receivedAtMs: nowMs }), [secret], aStore);

  test('is answered, though it is not signed', () => {
    expect(ping('webhook_id=7')).toEqual({ kind: 'answer', status: 200 });
  });

  test.each(['webhook_id=', 'webhook_id=7&id=1', '{"webhook_id":7}', ''])('is nothing else: %j', (body) => {
    expect(ping(body)).toEqual({ kind: 'refused', reason: 'missing_signature' });
  });
});

test('the signature is that of the published vectors', () => {
  const body = '{"id":727,"status":"pending","total":"29.35","currency":"USD"}';
  expect(signWooCommerce('woo-test-secret', body)).toBe('t9fYxja9nwbvyA9uuw+pleOQchM7xj688q77zuWU0ro=');
  expect(signWooCommerce('woo-secret&"quoted"', body)).toBe('iNzD2l1zIVWRZgo3ExA70qRNozKxjoGvmdDDmn4rPF8=');
});

test('two deliveries of one second have the same delivery id, and each its own key', () => {
  const keyOf = (body: Record<string, unknown>) => {
    const received = receive('order.updated', body);
    return 'dedupeKey' in received ? received.dedupeKey : null;
  };
  const order = fixture('order.updated');
  expect(keyOf(order)).toBe(keyOf(order));
  expect(keyOf({ ...order, status: 'completed' })).not.toBe(keyOf(order));
});

describe('the box of the checkout', () => {
  const consents = (marketing: unknown) => {
    const [event] = eventsOf('rekindle.cart', { marketing });
    return event?.type === 'cart.updated' ? event.person.consents : null;
  };
  test.each([
    [{ email: true, wording: 'Yes, write to me.' }, [{ channel: 'email', state: 'granted', basis: 'box', atMs: null, wording: 'Yes, write to me.' }]],
    [{ email: true, sms: true }, ['email', 'sms'].map((channel) => ({ channel, state: 'granted', basis: 'box', atMs: null }))],
    // Left as it was, it is no denial.
    [{ email: false, wording: 'Yes, write to me.' }, []],
    [{}, []],
    [null, []],
    [undefined, []],
    ['yes', []],
  ])('%j says %j', (marketing, expected) => expect(consents(marketing)).toEqual(expected));

  test('of a cart that names nobody is nobody’s', () => {
    const [event] = eventsOf('rekindle.cart', { customer_id: 0, customer: null, cart: {}, marketing: { email: true } });
    expect(event).toMatchObject({ person: { consents: [] } });
  });
});

describe('an error of the shop’s own API instead of what changed', () => {
  const error = { code: 'woocommerce_rest_cannot_view', message: 'Sorry, you cannot view this resource.', data: { status: 401 } };
  test.each([
    ['order.created', true],
    ['order.updated', true],
    ['order.deleted', false],
    ['customer.updated', false],
  ])('on %s is set aside with what to do, and may have been a stop: %s', (topic, mayBeStop) => {
    const received = receive(topic, error);
    expect(received).toMatchObject({
      kind: 'unreadable',
      topic,
      mayBeStop,
      reason: expect.stringContaining('woocommerce_rest_cannot_view') as unknown,
    });
    expect(JSON.stringify(received)).not.toContain('Sorry');
  });

  test('is told from an order that has a code of a plugin’s', () => {
    expect(typesOf(eventsOf('order.updated', { code: 'spring', message: 'Thank you', data: { status: 'x' } }))).toEqual([
      'order.placed',
      'order.updated',
    ]);
  });
});
