import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DomainEvent } from '../../domain/events.ts';
import type { Delivery, Normalised } from '../../integrations/port.ts';
import { receivers } from '../../integrations/registry.ts';
import { shopifyReceiver } from '../../integrations/shopify/receive.ts';
import { signShopify } from '../../integrations/shopify/sign.ts';
import { describeReceiverConformance } from './receiver-conformance.ts';

const fixtures = new URL('../fixtures/shopify/', import.meta.url);
const examples = readdirSync(fixtures).map((file) => ({
  topic: file.replace('-', '/').replace('.json', ''),
  raw: readFileSync(new URL(file, fixtures)),
}));
const secret = 'shpss_an-invented-secret';
const receivedAtMs = Date.UTC(2026, 10, 24, 12);

function deliver(topic: string, raw: string | Buffer, headers: Record<string, string> = {}): Delivery {
  const body = Buffer.from(raw);
  return {
    raw: body,
    headers: {
      'x-shopify-topic': topic,
      'x-shopify-hmac-sha256': signShopify(secret, body),
      'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
      ...headers,
    },
    receivedAtMs,
  };
}

function normalise(topic: string, body: unknown, headers: Record<string, string> = {}): Normalised {
  const raw = typeof body === 'string' ? body : JSON.stringify(body);
  return shopifyReceiver.normalise(deliver(topic, raw, headers), JSON.parse(raw));
}

function eventOf<T extends DomainEvent['type']>(type: T, normalised: Normalised): Extract<DomainEvent, { type: T }> {
  expect(normalised).toMatchObject({ kind: 'events', events: [{ type }] });
  const [event] = normalised.kind === 'events' ? normalised.events : [];
  if (event?.type !== type) throw new Error(`expected ${type}`);
  return event as Extract<DomainEvent, { type: T }>;
}

function fixture(topic: string): string {
  return readFileSync(new URL(`${topic.replace('/', '-')}.json`, fixtures), 'utf8');
}

function changed(topic: string, changes: Record<string, unknown>): unknown {
  return { ...JSON.parse(fixture(topic)), ...changes };
}

describeReceiverConformance({
  name: 'shopify',
  receiver: shopifyReceiver,
  secrets: [secret, 'shpss_the-next-invented-secret'],
  wrongSecret: 'shpss_a-stranger',
  signatureHeaders: ['x-shopify-hmac-sha256'],
  sign: (key, raw, { id, topic, atMs }) => ({
    raw,
    headers: { 'x-shopify-topic': topic, 'x-shopify-webhook-id': id, 'x-shopify-hmac-sha256': signShopify(key, raw) },
    receivedAtMs: atMs,
  }),
  examples,
});

test('a connection without a secret lets in nobody, not even who signs with none', () => {
  const raw = Buffer.from('{}');
  expect(shopifyReceiver.verify(deliver('carts/update', raw, { 'x-shopify-hmac-sha256': signShopify('', raw) }), [''])).toBe('bad_signature');
});

describe('a checkout', () => {
  test('whose shopper is not known yet is a cart of nobody, with both of its tokens', () => {
    const event = eventOf('cart.updated', normalise('checkouts/create', fixture('checkouts/create')));
    expect(event).toMatchObject({
      occurredAtMs: Date.UTC(2026, 10, 20, 9, 0, 2),
      keys: [
        { kind: 'checkout_token', value: 'b1946ac92492d2347c6235b4d2611184' },
        { kind: 'cart_token', value: 'eeafa272cebfd4b22385bc4b645e762c' },
        { kind: 'checkout_id', value: '981820079255243537' },
      ],
      person: { email: null, phone: null, externalId: null, locale: 'de-AT', consents: [] },
      cart: { createdAtMs: Date.UTC(2026, 10, 20, 9), currency: 'EUR', totalMinor: 12_990 },
    });
    expect(event.cart.restoreUrl).toContain('https://tea.example.com/');
    expect(event.cart.items).toEqual([
      { title: 'Assam, second flush', variant: '250 g', quantity: 2, priceMinor: 4_995, imageUrl: null, productUrl: null, stock: null },
      { title: 'Tin, brushed steel', variant: null, quantity: 1, priceMinor: 3_000, imageUrl: null, productUrl: null, stock: null },
    ]);
  });

  test('names its shopper once the form is filled in', () => {
    const event = eventOf('cart.updated', normalise('checkouts/update', fixture('checkouts/update')));
    expect(event.person).toEqual({
      email: 'ada@example.com',
      phone: '+436641234567',
      externalId: '7206512345678901234',
      firstName: 'Ada',
      lastName: 'Example',
      locale: 'de-AT',
      timeZone: null,
      country: 'AT',
      region: '9',
      orderCount: 3,
      lifetimeValueMinor: 41_250,
      consents: [
        { channel: 'email', state: 'granted' },
        { channel: 'sms', state: 'granted' },
      ],
    });
    expect(event.cart.items[0]?.imageUrl).toBe('https://cdn.example.com/assam.jpg');
  });

  test('with an unticked box denies, but only beside the address that the box is about', () => {
    const denied = eventOf(
      'cart.updated',
      normalise('checkouts/update', changed('checkouts/update', { buyer_accepts_marketing: false, buyer_accepts_sms_marketing: false })),
    );
    expect(denied.person.consents).toEqual([
      { channel: 'email', state: 'denied' },
      { channel: 'sms', state: 'denied' },
    ]);
    expect(eventOf('cart.updated', normalise('checkouts/create', fixture('checkouts/create'))).person.consents).toEqual([]);
  });

  test('that was completed is activity, not an order', () => {
    expect(normalise('checkouts/update', changed('checkouts/update', { completed_at: '2026-11-20T10:19:58+01:00' }))).toMatchObject({
      events: [{ type: 'cart.updated' }],
    });
  });

  test('is in the currency that the shopper saw', () => {
    const body = changed('checkouts/update', { currency: 'EUR', presentment_currency: 'JPY', total_price: '21000' });
    expect(eventOf('cart.updated', normalise('checkouts/update', body)).cart).toMatchObject({ currency: 'JPY', totalMinor: 21_000 });
  });

  test.each([
    ['129.90', 'EUR', 12_990],
    ['129.9', 'EUR', 12_990],
    [129.9, 'EUR', 12_990],
    ['15000', 'JPY', 15_000],
    ['15000.00', 'JPY', 15_000],
    ['1.500', 'KWD', 1_500],
    ['0.295', 'EUR', 30],
  ])('of %s %s is worth %i minor units', (total_price, presentment_currency, totalMinor) => {
    const body = changed('checkouts/create', { total_price, presentment_currency, line_items: [] });
    expect(eventOf('cart.updated', normalise('checkouts/create', body)).cart.totalMinor).toBe(totalMinor);
  });

  test.each([
    ['a total that is no amount', { total_price: '12,90' }, 'total_price'],
    ['a negative total', { total_price: '-1.00' }, 'total_price'],
    ['no total', { total_price: null }, 'total_price'],
    ['no currency', { currency: null, presentment_currency: null }, 'currency'],
    ['no token', { token: null }, 'token'],
    ['an endless token', { token: 'x'.repeat(256) }, 'token'],
    ['a line without a price', { line_items: [{ title: 'Tea', quantity: 1 }] }, 'line_items.0.price'],
    ['a line without a quantity', { line_items: [{ title: 'Tea', price: '1.00' }] }, 'line_items.0.quantity'],
  ])('with %s is unreadable, and the reason names the field', (_what, changes, path) => {
    const normalised = normalise('checkouts/update', changed('checkouts/update', changes));
    expect(normalised).toMatchObject({ kind: 'unreadable', topic: 'checkouts/update' });
    expect(normalised.kind === 'unreadable' && normalised.reason).toContain(`${path}:`);
  });

  test('keeps nothing that cannot be stored or shown', () => {
    const body = changed('checkouts/update', {
      abandoned_checkout_url: 'javascript:alert(1)',
      line_items: [{ title: `T\u0000ea\ud800${'!'.repeat(600)}`, quantity: 1, price: '1.00', image_url: 'data:image/png;base64,xx' }],
    });
    const { cart } = eventOf('cart.updated', normalise('checkouts/update', body));
    expect(cart.restoreUrl).toBeNull();
    expect(cart.items[0]).toMatchObject({ imageUrl: null });
    expect(cart.items[0]?.title).toMatch(/^T ea !{495}$/);
  });

  test('forgets counts and times that no database holds and no shop means', () => {
    const body = changed('checkouts/update', { created_at: '0000-01-01T00:00:00Z', customer: { id: 1, orders_count: 2_147_483_648 } });
    const event = eventOf('cart.updated', normalise('checkouts/update', body));
    expect(event.cart.createdAtMs).toBe(event.occurredAtMs);
    expect(event.person).toMatchObject({ externalId: '1', orderCount: null });
  });

  test('that is deleted is found by its number alone, to the last digit', () => {
    expect(eventOf('cart.deleted', normalise('checkouts/delete', fixture('checkouts/delete'))).keys).toEqual([
      { kind: 'checkout_id', value: '981820079255243537' },
    ]);
    expect(normalise('checkouts/delete', {})).toMatchObject({ kind: 'unreadable' });
  });
});

describe('a cart', () => {
  test('has no person, and its currency only in its lines', () => {
    const event = eventOf('cart.updated', normalise('carts/update', fixture('carts/update')));
    expect(event).toMatchObject({
      occurredAtMs: Date.UTC(2026, 10, 20, 8, 58, 11, 4),
      keys: [{ kind: 'cart_token', value: 'eeafa272cebfd4b22385bc4b645e762c' }],
      person: { email: null, phone: null, externalId: null, consents: [] },
      cart: { currency: 'EUR', totalMinor: 9_990, restoreUrl: null },
    });
  });

  test('that was emptied is worth nothing in no currency', () => {
    const { cart } = eventOf('cart.updated', normalise('carts/update', changed('carts/update', { line_items: [] })));
    expect(cart).toMatchObject({ currency: 'XXX', totalMinor: 0, items: [] });
  });

  test('is named by its token without the key that storefronts append', () => {
    const body = changed('carts/update', { token: 'hWN2abc?key=4f9c', id: 'hWN2abc?key=4f9c' });
    expect(eventOf('cart.updated', normalise('carts/update', body)).keys).toEqual([{ kind: 'cart_token', value: 'hWN2abc' }]);
  });

  test('whose lines name no currency is unreadable', () => {
    expect(normalise('carts/update', changed('carts/update', { line_items: [{ title: 'Tea', quantity: 1, price: '1.00' }] }))).toMatchObject({
      kind: 'unreadable',
      reason: 'line_items.0.price_set: names no currency',
    });
  });
});

describe('an order', () => {
  test('names its cart by every key and its buyer', () => {
    const event = eventOf('order.placed', normalise('orders/create', fixture('orders/create')));
    expect(event).toMatchObject({
      occurredAtMs: Date.UTC(2026, 10, 20, 9, 20),
      keys: [
        { kind: 'checkout_token', value: 'b1946ac92492d2347c6235b4d2611184' },
        { kind: 'cart_token', value: 'eeafa272cebfd4b22385bc4b645e762c' },
        { kind: 'checkout_id', value: '981820079255243537' },
      ],
      person: { email: 'ada@example.com', externalId: '7206512345678901234' },
      order: { externalId: '820982911946154508', currency: 'EUR', totalMinor: 13_580 },
    });
  });

  test('that is paid days later is the same order at the same time', () => {
    const created = eventOf('order.placed', normalise('orders/create', fixture('orders/create')));
    const paid = eventOf('order.placed', normalise('orders/paid', fixture('orders/paid')));
    expect(paid).toEqual(created);
  });

  test('without a checkout, as a till writes it, still names its buyer', () => {
    const body = changed('orders/create', {
      checkout_token: null,
      checkout_id: null,
      cart_token: null,
      email: '',
      contact_email: 'ada@example.com',
      customer: null,
    });
    expect(eventOf('order.placed', normalise('orders/create', body))).toMatchObject({ keys: [], person: { email: 'ada@example.com' } });
  });

  test('that is cancelled says when', () => {
    expect(eventOf('order.cancelled', normalise('orders/cancelled', fixture('orders/cancelled')))).toEqual({
      type: 'order.cancelled',
      occurredAtMs: Date.UTC(2026, 10, 21, 7),
      order: { externalId: '820982911946154508' },
    });
  });
});

describe('the rest', () => {
  test('privacy requests are recorded with the person they are about', () => {
    expect(eventOf('privacy.requested', normalise('customers/data_request', fixture('customers/data_request')))).toMatchObject({
      topic: 'data_request',
      person: { email: 'ada@example.com', phone: '+436641234567', externalId: '191167' },
    });
    expect(eventOf('privacy.requested', normalise('customers/redact', fixture('customers/redact')))).toMatchObject({
      topic: 'redact',
      person: { email: 'ada@example.com', phone: null, externalId: null },
    });
    expect(eventOf('privacy.requested', normalise('shop/redact', fixture('shop/redact')))).toMatchObject({ topic: 'shop_redact', person: null });
  });

  test('an uninstallation happened when it was triggered, not when the shop last changed', () => {
    const headers = { 'x-shopify-triggered-at': '2026-11-24T11:59:58.123456789Z' };
    expect(eventOf('app.uninstalled', normalise('app/uninstalled', fixture('app/uninstalled'), headers)).occurredAtMs).toBe(
      Date.UTC(2026, 10, 24, 11, 59, 58, 123),
    );
    expect(eventOf('app.uninstalled', normalise('app/uninstalled', fixture('app/uninstalled'))).occurredAtMs).toBe(receivedAtMs);
  });

  test('a clock that runs ahead cannot outlast what follows', () => {
    const event = eventOf('cart.updated', normalise('checkouts/update', changed('checkouts/update', { updated_at: '2099-01-01T00:00:00Z' })));
    expect(event.occurredAtMs).toBe(receivedAtMs);
  });

  test('a delivery without a topic is unreadable', () => {
    expect(shopifyReceiver.normalise({ raw: Buffer.from('{}'), headers: {}, receivedAtMs }, {})).toMatchObject({
      kind: 'unreadable',
      topic: 'unknown',
    });
  });

  test('without a webhook id the event id and topic together recognise a repeat', () => {
    const keyOf = (headers: Record<string, string>) => shopifyReceiver.dedupeKey({ raw: Buffer.alloc(0), headers, receivedAtMs });
    expect(keyOf({ 'x-shopify-webhook-id': 'w', 'x-shopify-event-id': 'e' })).toBe('w');
    expect(keyOf({ 'x-shopify-event-id': 'e', 'x-shopify-topic': 'carts/update' })).toBe('e:carts/update');
    expect(keyOf({ 'x-shopify-topic': 'carts/update' })).toBeNull();
  });

  test('the registry knows its receivers and nothing of the prototype', () => {
    expect(Object.keys(receivers)).toEqual(['shopify', 'generic']);
    expect(receivers['constructor']).toBeUndefined();
    expect(receivers['__proto__']).toBeUndefined();
  });
});
