import { readdirSync, readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { genericReceiver } from '../../integrations/generic/receive.ts';
import { genericData } from '../../integrations/generic/schema.ts';
import { signStandardWebhook } from '../../integrations/generic/sign.ts';
import type { Delivery, Normalised, Secrets } from '../../integrations/port.ts';
import { describeReceiverConformance } from './receiver-conformance.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const fixtures = new URL('../fixtures/generic/', import.meta.url);
const examples = readdirSync(fixtures).map((file) => ({ topic: file.replace('.json', ''), raw: readFileSync(new URL(file, fixtures)) }));
const receivedAtMs = Date.UTC(2026, 10, 24, 12);

function deliver(raw: string | Buffer, sentAtMs = receivedAtMs, id = 'msg_1'): Delivery {
  const timestampS = Math.floor(sentAtMs / 1_000);
  return {
    raw: Buffer.from(raw),
    headers: { 'webhook-id': id, 'webhook-timestamp': String(timestampS), 'webhook-signature': signStandardWebhook(secret, id, timestampS, raw) },
    receivedAtMs,
  };
}

function normalise(body: unknown): Normalised {
  return genericReceiver.normalise(deliver(JSON.stringify(body)), body);
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

describeReceiverConformance({
  name: 'generic',
  receiver: genericReceiver,
  secrets: [secret, 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
  wrongSecret: 'whsec_c3RyYW5nZXItc3RyYW5nZXItMTIz',
  signatureHeaders: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  sign: (key, raw, { id, atMs }) => {
    const timestampS = Math.floor(atMs / 1_000);
    return {
      raw,
      headers: { 'webhook-id': id, 'webhook-timestamp': String(timestampS), 'webhook-signature': signStandardWebhook(key, id, timestampS, raw) },
      receivedAtMs: atMs,
    };
  },
  examples,
});

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
      expect(genericReceiver.verify({ raw: Buffer.from(body), headers, receivedAtMs: Date.now() }, [secret])).toBeNull();
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

  test('that is both forged and old is forged: the clock tells a stranger nothing', () => {
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
    expect(examples.map(({ topic }) => topic).toSorted()).toEqual(Object.keys(genericData).toSorted());
  });

  test('cart.updated carries the cart and its shopper', () => {
    expect(normalise(JSON.parse(readFileSync(new URL('cart.updated.json', fixtures), 'utf8')))).toEqual({
      kind: 'events',
      topic: 'cart.updated',
      events: [
        {
          type: 'cart.updated',
          occurredAtMs: Date.UTC(2026, 10, 20, 9, 4, 30),
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
            consents: [
              { channel: 'email', state: 'granted' },
              { channel: 'sms', state: 'denied' },
            ],
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
                imageUrl: 'https://cdn.example.com/assam.jpg',
                productUrl: 'https://tea.example.com/assam',
                stock: 3,
              },
              { title: 'Tin, brushed steel', variant: null, quantity: 1, priceMinor: 3_000, imageUrl: null, productUrl: null, stock: null },
            ],
            restoreUrl: 'https://tea.example.com/cart/cart-4711',
          },
        },
      ],
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

  test.each<[string, string, unknown]>([
    ['cart.updated', 'timestamp', '2026-11-20 09:04'],
    ['cart.updated', 'timestamp', 1_763_629_470],
    ['cart.updated', 'timestamp', '2026-11-24T12:05:01Z'],
    ['cart.updated', 'data', null],
    ['cart.updated', 'data.cart', []],
    ['cart.updated', 'data.cart.id', ''],
    ['cart.updated', 'data.cart.id', 'x'.repeat(256)],
    ['cart.updated', 'data.cart.id', 'a\u0000b'],
    ['cart.updated', 'data.cart.id', 4711],
    ['cart.updated', 'data.cart.currency', 'Euro'],
    ['cart.updated', 'data.cart.total', '129,90'],
    ['cart.updated', 'data.cart.total', '129.905'],
    ['cart.updated', 'data.cart.total', -1],
    ['cart.updated', 'data.cart.items', null],
    ['cart.updated', 'data.cart.items.1.title', 'x'.repeat(501)],
    ['cart.updated', 'data.cart.items.0.title', 'Tea\nBcc: eve@example.com'],
    ['cart.updated', 'data.cart.items.0.title', 'Tea \ud800'],
    ['cart.updated', 'data.cart.items.0.quantity', 0],
    ['cart.updated', 'data.cart.items.0.quantity', 1.5],
    ['cart.updated', 'data.cart.items.0.price', null],
    ['cart.updated', 'data.cart.items.0.image_url', 'javascript:alert(1)'],
    ['cart.updated', 'data.cart.items.0.product_url', '/relative'],
    ['cart.updated', 'data.cart.restore_url', 'ftp://tea.example.com'],
    ['cart.updated', 'data.cart.restore_url', `https://tea.example.com/${'x'.repeat(2_000)}`],
    ['cart.updated', 'data.cart.created_at', 'yesterday'],
    ['cart.updated', 'data.cart.created_at', '0000-01-01T00:00:00Z'],
    ['cart.updated', 'data.cart.created_at', '9999-12-31T23:59:59-12:00'],
    ['cart.updated', 'data.contact.email', 'ada'],
    ['cart.updated', 'data.contact.email', 'ada@example.com, eve@example.com'],
    ['cart.updated', 'data.contact.phone', 'call me'],
    ['cart.updated', 'data.contact.locale', 'german_please'],
    ['cart.updated', 'data.contact.time_zone', 'Europe/Atlantis'],
    ['cart.updated', 'data.contact.country', 'Austria'],
    ['cart.updated', 'data.contact.order_count', -1],
    ['cart.updated', 'data.contact.order_count', 2_147_483_648],
    ['cart.updated', 'data.contact.marketing.email', 'yes'],
    ['order.placed', 'data.order.id', null],
    ['order.placed', 'data.order.total', 'free'],
    ['order.cancelled', 'data.order.id', undefined],
    ['contact.updated', 'data.contact.currency', undefined],
    ['message.received', 'data.contact', {}],
    ['message.received', 'data.channel', 'pigeon'],
    ['message.received', 'data.text', 'x'.repeat(10_001)],
    ['contact.opted_out', 'data.contact', { first_name: 'Ada' }],
    ['contact.opted_in', 'data.channel', null],
  ])('%s with a wrong %s is unreadable, and the reason names it', (type, path, value) => {
    const normalised = normalise(changed(type, path, value));
    expect(normalised).toMatchObject({ kind: 'unreadable', topic: type });
    expect(normalised.kind === 'unreadable' && normalised.reason).toContain(`${path}:`);
  });

  test('with more fields than we know is read all the same', () => {
    expect(normalise(changed('cart.updated', 'data.cart.gift_wrap', true))).toMatchObject({ kind: 'events' });
  });

  test.each([null, [], 'text', 7, {}, { type: 7 }, { type: '' }])('%j has no type and is unreadable', (body) => {
    expect(normalise(body)).toMatchObject({ kind: 'unreadable', topic: 'unknown' });
  });
});
