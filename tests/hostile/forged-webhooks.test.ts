import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connections } from '../../db/schema/index.ts';
import { anotherStore } from '../api/left-carts.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { deliver, everythingStored, genericEvent, listen, type Provider, requestHead, signed, talk } from './hostile-shop.ts';

let shop: Shop;
let port: number;
const others = { generic: '', shopify: '' };
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  const { tenantId } = await anotherStore(shop, 'another-store');
  for (const provider of ['generic', 'shopify'] as const) {
    const [connection] = await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(connections).where(eq(connections.integration, provider)));
    others[provider] = shop.deps.sealing.open(connection?.secrets[0] ?? '');
  }
  port = await listen(shop);
});
afterAll(() => shop.close());

const checkout = (token: string, email: string) =>
  JSON.stringify({ token, email, currency: 'EUR', total_price: '10.00', line_items: [], updated_at: new Date().toISOString() });
const bodies: Record<Provider, (name: string) => string> = {
  generic: (name) => genericEvent('cart.updated', aCart(name, `${name}@example.com`)),
  shopify: (name) => checkout(name, `${name}@example.com`),
};

describe.each(['generic', 'shopify'] as const)('a webhook of %s', (provider) => {
  const body = bodies[provider];

  async function expectRefused(code: string, webhook: Parameters<typeof deliver>[2]): Promise<void> {
    const before = await everythingStored(shop);
    expect(await deliver(shop, provider, webhook)).toMatchObject({ status: 401, body: { code } });
    expect(await everythingStored(shop)).toEqual(before);
  }

  test('is not taken with the secret of another store of this installation', async () => {
    await expectRefused('bad_signature', { body: body('forged-1'), secret: others[provider] });
  });

  test('is not taken when one byte differs from what was signed', async () => {
    const honest = body('forged-2');
    const headers = signed(shop, provider, { body: honest });
    for (const changed of [honest.replace('forged-2', 'forged-3'), `${honest} `, ` ${honest}`, honest.slice(0, -1), '', honest.replace('{', '{\n')])
      await expectRefused('bad_signature', { body: changed, headers });
  });

  test('is not taken with the signature of another delivery, in another spelling, or repeated in the header', async () => {
    const name = provider === 'generic' ? 'webhook-signature' : 'x-shopify-hmac-sha256';
    const mine = body('forged-4');
    const { [name]: ofAnother = '' } = signed(shop, provider, { body: body('forged-5') }) as Record<string, string>;
    const { [name]: right = '' } = signed(shop, provider, { body: mine }) as Record<string, string>;
    for (const signature of [ofAnother, right.toLowerCase(), `${right}=`, right.replace(/=+$/, ''), right.replace('v1,', 'v1a,').slice(0, 30)])
      await expectRefused('bad_signature', { body: mine, headers: { [name]: signature } });
  });

  test('takes effect once, however often it is replayed, and also when its cart is long bought', async () => {
    const [id, cart] = [randomUUID(), `replayed-${provider}`];
    const first = body(cart);
    expect((await deliver(shop, provider, { body: first, id })).body).toEqual({ status: 'applied' });
    const order = { order: { id: `order-${cart}`, currency: 'EUR', total: '10.00' }, contact: { email: `${cart}@example.com` } };
    expect((await shop.post('order.placed', order)).body).toEqual({ status: 'applied' });
    const after = await everythingStored(shop);
    for (let n = 0; n < 5; n++)
      expect(await deliver(shop, provider, { body: first, id })).toMatchObject({ status: 200, body: { status: 'repeated' } });
    expect(await everythingStored(shop)).toEqual(after);
    expect(await shop.enrollmentOf(cart)).toMatchObject({ stopReason: expect.any(String) as unknown });
  });

  test('with the id of an earlier one changes nothing, whatever it says', async () => {
    const id = randomUUID();
    await deliver(shop, provider, { body: body(`first-${provider}`), id });
    const after = await everythingStored(shop);
    expect((await deliver(shop, provider, { body: body(`second-${provider}`), id })).body).toEqual({ status: 'repeated' });
    expect(await everythingStored(shop)).toEqual(after);
  });

  test.each(['half-close', 'reset'] as const)('that breaks off in the middle (%s) leaves nothing behind, and the next one is taken', async (end) => {
    const before = await everythingStored(shop);
    const whole = body(`cut-${provider}`);
    const headers = signed(shop, provider, { body: whole });
    const { path } = shop.tenant.webhooks[provider];
    const half = whole.slice(0, whole.length / 2);
    for (const pieces of [
      [requestHead(path, { ...headers, 'content-length': String(whole.length) }), half],
      [requestHead(path, { ...headers, 'transfer-encoding': 'chunked' }), `${half.length.toString(16)}\r\n${half}\r\n`],
      // Whole, and still not what was announced.
      [requestHead(path, { ...headers, 'content-length': String(whole.length + 10) }), whole],
    ])
      expect((await talk(port, pieces, end)).answer).not.toMatch(/^HTTP\/1\.1 [25]/);
    expect(await everythingStored(shop)).toEqual(before);
    expect((await deliver(shop, provider, { body: body(`after-cut-${provider}-${end}`) })).status).toBe(200);
  });

  test('that is said to be shorter than it is is judged by what was announced', async () => {
    const before = await everythingStored(shop);
    const whole = body(`short-${provider}`);
    const head = requestHead(shop.tenant.webhooks[provider].path, {
      ...signed(shop, provider, { body: whole }),
      'content-length': '20',
      connection: 'close',
    });
    // 400 where the rest came soon enough to be seen: it is no request.
    expect((await talk(port, [head, whole], 'half-close')).answer).toMatch(/^HTTP\/1\.1 40[01] /);
    expect(await everythingStored(shop)).toEqual(before);
  });
});

test.each([
  ['an hour old', -3_600],
  ['just too old', -302],
  ['just too new', 310],
  ['of next year', 365 * 86_400],
])('a signed time that is %s is stale', async (_what, byS) => {
  const before = await everythingStored(shop);
  const seconds = Math.floor(Date.now() / 1_000) + byS;
  expect(await deliver(shop, 'generic', { body: bodies.generic('stale'), seconds })).toMatchObject({ status: 401, body: { code: 'stale' } });
  expect(await everythingStored(shop)).toEqual(before);
});

test.each(['-1', '1e9', '99999999999999', 'NaN', '0x6', '１７', ''])('a signed time that reads %j is no time', async (time) => {
  const body = bodies.generic('no-time');
  const headers = { 'webhook-timestamp': encodeURIComponent(time) };
  expect(await deliver(shop, 'generic', { body, headers })).toMatchObject({ status: 401 });
});

test('two lengths, or a length and chunks, are refused: two readers of them would see two requests', async () => {
  const before = await everythingStored(shop);
  const body = bodies.generic('smuggled');
  const headers = signed(shop, 'generic', { body });
  const { path } = shop.tenant.webhooks.generic;
  const withTwo = requestHead(path, { ...headers, 'content-length': String(body.length) }).replace('\r\n\r\n', '\r\ncontent-length: 0\r\n\r\n');
  const withBoth = requestHead(path, { ...headers, 'content-length': String(body.length), 'transfer-encoding': 'chunked' });
  for (const head of [withTwo, withBoth]) expect((await talk(port, [head, body], 'half-close')).answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(await everythingStored(shop)).toEqual(before);
});
