import { readdirSync, readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { genericReceiver } from '../../integrations/generic/receive.ts';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import type { Delivery, Normalised, Secrets } from '../../integrations/port.ts';
import { aStore } from '../helpers/a-store.ts';
import { posted } from '../helpers/a-delivery.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const fixtures = new URL('../fixtures/generic/', import.meta.url);
const examples = readdirSync(fixtures).map((file) => ({ topic: file.replace('.json', ''), raw: readFileSync(new URL(file, fixtures)) }));
const receivedAtMs = Date.UTC(2026, 10, 24, 12);

function deliver(raw: string | Buffer, sentAtMs = receivedAtMs, id = 'msg_1'): Delivery {
  const timestampS = Math.floor(sentAtMs / 1_000);
  return posted({
    raw: Buffer.from(raw),
    headers: { 'webhook-id': id, 'webhook-timestamp': String(timestampS), 'webhook-signature': signStandardWebhook(secret, id, timestampS, raw) },
    receivedAtMs,
  });
}

function normalise(body: unknown): Normalised {
  return genericReceiver.normalise(deliver(JSON.stringify(body)), body, aStore);
}

/** The example of a type with one part replaced; `path` as the reasons write it, below `data`. */
function changed(type: string, path: string, value: unknown): unknown {
  const body: unknown = JSON.parse(readFileSync(new URL(`${type}.json`, fixtures), 'utf8'));
  let place = body as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  for (const key of keys) place = (place[key] ??= {}) as Record<string, unknown>;
  place[last] = value;
  return body;
}

describe('the signature', () => {
  test('is that of the Standard Webhooks specification', () => {
    expect(signStandardWebhook(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}')).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  test('agrees with the reference library in both directions', () => {
    const library = new Webhook(secret);
    for (const body of ['{}', '{"name":"Zoë 🫖"}', ' {"a" : 1}\n']) {
      const sentAt = new Date(Math.floor(Date.now() / 1_000) * 1_000);
      const theirs = library.sign('msg_1', sentAt, body);
      const timestamp = String(sentAt.getTime() / 1_000);
      const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': timestamp, 'webhook-signature': theirs };
      expect(genericReceiver.verify(posted({ raw: Buffer.from(body), headers, receivedAtMs: Date.now() }), [secret])).toBeNull();
      const ours = signStandardWebhook(secret, 'msg_1', Number(timestamp), body);
      expect(() => library.verify(body, { ...headers, 'webhook-signature': ours })).not.toThrow();
    }
  });

  test('may stand anywhere in a list, beside schemes that we do not know', () => {
    const delivery = deliver('{}');
    const own = String(delivery.headers['webhook-signature']);
    delivery.headers['webhook-signature'] =
      `v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== v1,bm9uZQ== ${own}`;
    expect(genericReceiver.verify(delivery, [secret])).toBeNull();
    delivery.headers['webhook-signature'] = own.replace('v1,', 'v2,');
    expect(genericReceiver.verify(delivery, [secret])).toBe('bad_signature');
  });

  test.each([
    [-5 * 60_000, null],
    [5 * 60_000, null],
    [-5 * 60_000 - 1_000, 'stale'],
    [5 * 60_000 + 1_000, 'stale'],
  ])('%i ms from now is %s', (offsetMs, expected) => {
    expect(genericReceiver.verify(deliver('{}', receivedAtMs + offsetMs), [secret])).toBe(expected);
  });

  test('that is both forged and old is refused as forged: a stranger learns nothing about the clock', () => {
    const delivery = deliver('{}', receivedAtMs - 3_600_000);
    delivery.raw = Buffer.from('{"a":1}');
    expect(genericReceiver.verify(delivery, [secret])).toBe('bad_signature');
  });

  test('a timestamp that is no number is refused, even when it is signed', () => {
    const delivery = deliver('{}');
    delivery.headers['webhook-timestamp'] = '1e9';
    expect(genericReceiver.verify(delivery, [secret])).toBe('bad_signature');
  });

  test.each<[string, Secrets]>([
    ['not base64', ['whsec_no base64!']],
    ['empty behind its prefix', ['whsec_']],
  ])('a secret that is %s lets nothing in and signs nothing', (_what, secrets) => {
    expect(genericReceiver.verify(deliver('{}'), secrets)).toBe('bad_signature');
    expect(() => signStandardWebhook(secrets[0], 'msg_1', 1, '{}')).toThrow('whsec_');
  });
});

describe('an event', () => {
  test('of every documented type has an example', () => {
    expect(examples.map(({ topic }) => topic).toSorted()).toEqual([...genericReceiver.topics].toSorted());
  });

  test('cart.updated carries the cart and its shopper', () => {
    expect(normalise(JSON.parse(readFileSync(new URL('cart.updated.json', fixtures), 'utf8')))).toEqual({
      kind: 'events',
      topic: 'cart.updated',
      events: [
        {
          type: 'cart.updated',
          occurredAtMs: Date.UTC(2026, 10, 20, 9, 4, 30),
          toTheSecond: true,
          keys: [{ kind: 'external', value: 'cart-4711' }],
          person: {
            email: 'ada@example.com',
            phone: '+436641234567',
            externalId: 'customer-17',
            firstName: 'Ada',
            lastName: 'Example',
            locale: 'de-AT',
            timeZone: 'Europe/Vienna',
            country: 'AT',
            region: '9',
            orderCount: 3,
            lifetimeValueMinor: 41_250,
            consents: [{ channel: 'email', state: 'granted', basis: 'box', atMs: null }],
          },
          cart: {
            createdAtMs: Date.UTC(2026, 10, 20, 9),
            currency: 'EUR',
            totalMinor: 12_990,
            items: [
              {
                title: 'Assam, second flush',
                variant: '250 g',
                quantity: 2,
                priceMinor: 4_995,
                compareAtMinor: null,
                productId: null,
                imageUrl: 'https://cdn.example.com/assam.jpg',
                productUrl: 'https://tea.example.com/assam',
                stock: 3,
              },
              {
                title: 'Tin, brushed steel',
                variant: null,
                quantity: 1,
                priceMinor: 3_000,
                compareAtMinor: null,
                productId: null,
                imageUrl: null,
                productUrl: null,
                stock: null,
              },
            ],
            restoreUrl: 'https://tea.example.com/cart/cart-4711',
            origin: null,
            completed: false,
          },
        },
      ],
      notes: [],
    });
  });

  test('of an anonymous cart needs no contact, and null means left out', () => {
    expect(normalise(changed('cart.updated', 'data.contact', null))).toMatchObject({ events: [{ person: { email: null, consents: [] } }] });
    expect(normalise(changed('cart.updated', 'data.contact', { email: null, marketing: null }))).toMatchObject({
      events: [{ person: { email: null } }],
    });
    expect(normalise(changed('cart.updated', 'data.cart.restore_url', null))).toMatchObject({ events: [{ cart: { restoreUrl: null } }] });
  });

  test('order.placed is found by its cart, its buyer or both, but not by nothing', () => {
    expect(normalise(changed('order.placed', 'data.cart_id', null))).toMatchObject({ events: [{ keys: [], person: { externalId: 'customer-17' } }] });
    expect(normalise(changed('order.placed', 'data.contact', null))).toMatchObject({
      events: [{ keys: [{ kind: 'external', value: 'cart-4711' }] }],
    });
    expect(
      normalise({ type: 'order.placed', timestamp: '2026-11-20T09:20:00Z', data: { order: { id: '1', currency: 'EUR', total: 1 } } }),
    ).toMatchObject({
      kind: 'unreadable',
      mayBeStop: true,
      reason: expect.stringContaining('belongs to nobody'),
    });
  });

  test('contact.opted_out without a channel means all of them', () => {
    for (const channel of [undefined, null, 'all']) {
      expect(normalise(changed('contact.opted_out', 'data.channel', channel))).toMatchObject({ events: [{ channel: null, final: false }] });
    }
    expect(normalise(changed('contact.opted_out', 'data.channel', 'sms'))).toMatchObject({ events: [{ channel: 'sms' }] });
    expect(normalise(changed('contact.opted_out', 'data.final', true))).toMatchObject({ events: [{ final: true }] });
  });

  test('message.received keeps the lines of its text', () => {
    expect(normalise(changed('message.received', 'data.text', 'Hi,\n\tis it\r\ngone?'))).toMatchObject({
      events: [{ text: 'Hi,\n\tis it\r\ngone?' }],
    });
  });

  test.each<[type: string, path: string, value: unknown, event: Record<string, unknown>]>([
    ['cart.updated', 'timestamp', '2026-11-20 10:04:30', { occurredAtMs: Date.UTC(2026, 10, 20, 9, 4, 30) }],
    ['cart.updated', 'timestamp', '2026-11-20T09:04:30+0000', { occurredAtMs: Date.UTC(2026, 10, 20, 9, 4, 30) }],
    ['cart.updated', 'timestamp', 1_795_165_470, { occurredAtMs: Date.UTC(2026, 10, 20, 9, 4, 30), toTheSecond: true }],
    ['cart.updated', 'timestamp', 1_795_165_470_123, { occurredAtMs: Date.UTC(2026, 10, 20, 9, 4, 30, 123) }],
    ['cart.updated', 'data.cart.id', 4711, { keys: [{ kind: 'external', value: '4711' }] }],
    ['cart.updated', 'data.cart.id', ' cart\u200b-4711\u00a0', { keys: [{ kind: 'external', value: 'cart-4711' }] }],
    ['cart.updated', 'data.cart.currency', 'eur', { cart: { currency: 'EUR' } }],
    ['cart.updated', 'data.cart.total', '129,90', { cart: { totalMinor: 12_990 } }],
    ['cart.updated', 'data.cart.total', '1.129,90 €', { cart: { totalMinor: 112_990 } }],
    ['cart.updated', 'data.cart.total', '129.90500000', { cart: { totalMinor: 12_991 } }],
    ['cart.updated', 'data.cart.items.0.quantity', 0.5, { cart: { items: [{ quantity: 0.5 }, {}] } }],
    ['cart.updated', 'data.cart.items.0.quantity', '2', { cart: { items: [{ quantity: 2 }, {}] } }],
    ['cart.updated', 'data.cart.items.0.title', 'Tea\nBcc: eve@example.com', { cart: { items: [{ title: 'Tea Bcc: eve@example.com' }, {}] } }],
    ['cart.updated', 'data.cart.items.0.product_url', '/assam', { cart: { items: [{ productUrl: 'https://tea.example.com/assam' }, {}] } }],
    ['cart.updated', 'data.cart.items.0.image_url', '//cdn.example/a.png', { cart: { items: [{ imageUrl: 'https://cdn.example/a.png' }, {}] } }],
    ['cart.updated', 'data.cart.items.0.compare_at_price', '59.90', { cart: { items: [{ compareAtMinor: 5_990 }, {}] } }],
    ['cart.updated', 'data.cart.items.0.product_id', 17, { cart: { items: [{ productId: '17' }, {}] } }],
    ['cart.updated', 'data.cart.origin', 'pos', { cart: { origin: 'point_of_sale' } }],
    ['cart.updated', 'data.cart.completed', 'true', { cart: { completed: true } }],
    ['cart.updated', 'data.contact.email', 'Ada <ADA@example.com>', { person: { email: 'ada@example.com' } }],
    ['cart.updated', 'data.contact.email', 'aki..tani.@docomo.example', { person: { email: 'aki..tani.@docomo.example' } }],
    ['cart.updated', 'data.contact.phone', '0043 (0)664 1234567', { person: { phone: '+436641234567' } }],
    ['cart.updated', 'data.contact.phone', '0664 1234567', { person: { phone: '+436641234567' } }],
    ['cart.updated', 'data.contact.locale', 'de_CH_informal', { person: { locale: 'de-CH' } }],
    ['cart.updated', 'data.contact.country', 'Österreich', { person: { country: 'AT' } }],
    ['cart.updated', 'data.contact.country', 'AUT', { person: { country: 'AT' } }],
    ['cart.updated', 'data.contact.order_count', '3', { person: { orderCount: 3 } }],
    ['cart.updated', 'data.contact.marketing.email', 'subscribed', { person: { consents: [{ channel: 'email', state: 'granted' }] } }],
    ['cart.updated', 'data.contact.marketing.email', false, { person: { consents: [] } }],
    [
      'cart.updated',
      'data.contact.marketing',
      { call: true, whatsapp: 'yes' },
      {
        person: {
          consents: [
            { channel: 'whatsapp', state: 'granted' },
            { channel: 'call', state: 'granted' },
          ],
        },
      },
    ],
    ['order.placed', 'data.order.id', null, { order: { externalId: null } }],
    ['order.placed', 'data.order.id', 1042, { order: { externalId: '1042' } }],
    ['order.placed', 'data.order.test', true, { order: { noRevenue: 'test' } }],
    ['order.placed', 'data.order.status', 'Canceled', { order: { noRevenue: 'cancelled' } }],
    ['order.placed', 'data.order.items', [{ title: 'Assam', product_id: 17 }], { order: { products: [{ title: 'Assam', productId: '17' }] } }],
    ['order.updated', 'data.order', { id: 7, currency: 'EUR', total: '50', refunded: '20' }, { order: { currentTotalMinor: 3_000, refunds: [] } }],
    ['message.received', 'data.channel', 'E-Mail', { channel: 'email' }],
    ['contact.opted_out', 'data.final', 'true', { final: true }],
  ])('%s with %s %j is understood', (type, path, value, event) => {
    expect(normalise(changed(type, path, value))).toMatchObject({ kind: 'events', topic: type, events: [event] });
  });

  test.each<[type: string, path: string, value: unknown, event: Record<string, unknown>]>([
    ['cart.updated', 'timestamp', undefined, { occurredAtMs: receivedAtMs }],
    ['cart.updated', 'timestamp', 'yesterday', { occurredAtMs: receivedAtMs }],
    ['cart.updated', 'timestamp', '1970-01-01T00:00:00Z', { occurredAtMs: receivedAtMs }],
    ['cart.updated', 'timestamp', '2031-01-01T00:00:00Z', { occurredAtMs: receivedAtMs }],
    ['cart.updated', 'data.cart.id', '', { keys: [{ kind: 'cart_of' }] }],
    ['cart.updated', 'data.cart.id', 'undefined', { keys: [{ kind: 'cart_of' }] }],
    ['cart.updated', 'data.cart.currency', 'Euro', { cart: { currency: null, totalMinor: null, items: [{ priceMinor: null }, {}] } }],
    ['cart.updated', 'data.cart.total', 'free', { cart: { totalMinor: 12_990 } }],
    ['cart.updated', 'data.cart.total', -1, { cart: { totalMinor: 12_990 } }],
    ['cart.updated', 'data.cart.items', 'Tea', { cart: { totalMinor: 12_990, items: [] } }],
    ['cart.updated', 'data.cart.items.1.title', 'x'.repeat(501), { cart: { items: [{}, { title: 'x'.repeat(500) }] } }],
    ['cart.updated', 'data.cart.items.0.title', '', { cart: { items: [{ title: '', priceMinor: 4_995 }, {}] } }],
    ['cart.updated', 'data.cart.items.0.quantity', 0, { cart: { totalMinor: 12_990, items: [{ title: 'Tin, brushed steel' }] } }],
    ['cart.updated', 'data.cart.items.0.quantity', 'some', { cart: { items: [{ quantity: 1 }, {}] } }],
    ['cart.updated', 'data.cart.items.0.price', 'free', { cart: { items: [{ priceMinor: null }, {}] } }],
    ['cart.updated', 'data.cart.items.0.price', '-5.00', { cart: { totalMinor: 12_990, items: [{ title: 'Tin, brushed steel' }] } }],
    ['cart.updated', 'data.cart.items.0.image_url', 'javascript:alert(1)', { cart: { items: [{ imageUrl: null }, {}] } }],
    ['cart.updated', 'data.cart.restore_url', 'ftp://tea.example.com', { cart: { restoreUrl: null } }],
    ['cart.updated', 'data.cart.restore_url', `https://tea.example.com/${'x'.repeat(2_000)}`, { cart: { restoreUrl: null } }],
    ['cart.updated', 'data.cart.created_at', '0000-01-01T00:00:00Z', { cart: { createdAtMs: Date.UTC(2026, 10, 20, 9, 4, 30) } }],
    ['cart.updated', 'data.contact.email', 'ada', { person: { email: null, externalId: 'customer-17' } }],
    ['cart.updated', 'data.contact.email', 'ada@example.com, eve@example.com', { person: { email: null } }],
    ['cart.updated', 'data.contact.email', 'noreply@shop.example', { person: { email: null } }],
    ['cart.updated', 'data.contact.email', 'Hello@tea.example.com', { person: { email: null } }],
    ['cart.updated', 'data.contact.id', 0, { person: { externalId: null, email: 'ada@example.com' } }],
    ['cart.updated', 'data.contact.id', 'guest', { person: { externalId: null } }],
    ['cart.updated', 'data.contact.phone', '', { person: { phone: null } }],
    ['cart.updated', 'data.contact.phone', 'call me', { person: { phone: null } }],
    ['cart.updated', 'data.contact.first_name', '  ', { person: { firstName: null } }],
    ['cart.updated', 'data.contact.locale', 'german_please', { person: { locale: null } }],
    ['cart.updated', 'data.contact.time_zone', 'Europe/Atlantis', { person: { timeZone: null } }],
    ['cart.updated', 'data.contact.country', 'Atlantis', { person: { country: null } }],
    ['cart.updated', 'data.contact.order_count', 2_147_483_648, { person: { orderCount: null } }],
    ['cart.updated', 'data.contact.marketing.email', 'perhaps', { person: { consents: [] } }],
    ['order.placed', 'data.order.total', 'free', { order: { totalMinor: null } }],
    ['order.placed', 'data.order.currency', null, { order: { currency: null, totalMinor: null } }],
    ['contact.updated', 'data.contact.lifetime_value', 'much', { person: { lifetimeValueMinor: null } }],
    ['message.received', 'data.channel', 'pigeon', { channel: 'email' }],
    ['message.received', 'data.text', 'x'.repeat(10_001), { text: 'x'.repeat(10_000) }],
    ['contact.opted_out', 'data.channel', 'pigeon', { channel: null }],
    ['contact.opted_out', 'data.final', 'perhaps', { final: false }],
  ])('%s with an odd %s (%j) is read without it, and a note names the field', (type, path, value, event) => {
    const normalised = normalise(changed(type, path, value));
    expect(normalised).toMatchObject({ kind: 'events', topic: type, events: [event] });
    const notes = normalised.kind === 'events' ? normalised.notes : [];
    expect(notes.map((n) => n.field)).toContainEqual(expect.stringContaining(path));
  });

  test('with its currency beside the amount only is read by that', () => {
    const body = changed('cart.updated', 'data.cart.currency', null) as { data: { cart: { total: unknown } } };
    body.data.cart.total = { amount: '129.90', currency_code: 'EUR' };
    expect(normalise(body)).toMatchObject({ events: [{ cart: { currency: 'EUR', totalMinor: 12_990 } }] });
  });

  test('that says "denied" is an opt-out by the person', () => {
    expect(normalise(changed('cart.updated', 'data.contact.marketing.email', 'unsubscribed'))).toMatchObject({
      events: [
        { type: 'contact.opted_out', channel: 'email', final: false, basis: 'person', person: { email: 'ada@example.com' } },
        { type: 'cart.updated' },
      ],
    });
  });

  test('of a cart without cart data still reports the person', () => {
    expect(normalise(changed('cart.updated', 'data.cart', []))).toMatchObject({
      events: [{ type: 'contact.updated', person: { email: 'ada@example.com' } }],
    });
  });

  test.each<[type: string, path: string, value: unknown, mayBeStop: boolean]>([
    ['cart.updated', 'data', null, false],
    ['order.placed', 'data', 'x', true],
    ['order.cancelled', 'data.order.id', undefined, false],
    ['message.received', 'data.contact', {}, true],
    ['message.received', 'data.contact', { email: 'noreply@tea.example.com', id: 'undefined' }, true],
    ['contact.opted_out', 'data.contact', { first_name: 'Ada' }, true],
    ['contact.opted_in', 'data.channel', null, false],
  ])('%s with %s %j names nobody and nothing: it is unreadable', (type, path, value, mayBeStop) => {
    const normalised = normalise(changed(type, path, value));
    expect(normalised).toMatchObject({ kind: 'unreadable', topic: type, mayBeStop });
    expect(normalised.kind === 'unreadable' ? [normalised.reason !== '', normalised.fields.length > 0] : null).toEqual([true, true]);
  });

  test('with more fields than we know is read all the same', () => {
    expect(normalise(changed('cart.updated', 'data.cart.gift_wrap', true))).toMatchObject({ kind: 'events' });
  });

  test.each([null, [], 'text', 7, {}, { type: 7 }, { type: '' }])('%j has no type and is unreadable', (body) => {
    expect(normalise(body)).toMatchObject({ kind: 'unreadable', topic: 'unknown' });
  });
});
