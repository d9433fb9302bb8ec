import { gzipSync } from 'node:zlib';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyPending } from '../../operations/accept-delivery.ts';
import { dispatch } from '../api/left-carts.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';
import { deliver, everythingStored, genericEvent, listen, type Provider, requestHead, talk } from './hostile-shop.ts';

const mebibyte = 1024 * 1024;
let shop: Shop;
let port: number;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  port = await listen(shop);
});
afterAll(() => shop.close());

let count = 0;
const newCart = (more: Record<string, unknown> = {}) => aCart(`cart-${++count}`, `person-${count}@example.com`, more);
const checkout = (more: Record<string, unknown> = {}) => ({
  token: `checkout-${++count}`,
  email: `person-${count}@example.com`,
  currency: 'EUR',
  total_price: '10.00',
  line_items: [{ title: 'Lamp', quantity: 1, price: '10.00' }],
  updated_at: new Date().toISOString(),
  ...more,
});

/** Accepted, quarantined, or refused as the sender's mistake: never a 5xx, which the sender would repeat for ever. */
function expectSettled(answer: Awaited<ReturnType<typeof deliver>>, what?: string): void {
  expect(answer.status, what).toBeLessThan(500);
  if (answer.status === 200) expect(['applied', 'quarantined', 'ignored'], what).toContain(answer.body['status']);
  else expect(answer.type, what).toContain('application/problem+json');
}

describe('ten megabytes', () => {
  const piece = Buffer.alloc(64 * 1024, 'x');
  function* tenMegabytes(head: string, chunked: boolean): Iterable<string | Buffer> {
    yield head;
    for (let n = 0; n < 160; n++) yield chunked ? Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]) : piece;
  }
  const places: [what: string, path: () => string][] = [
    ['a webhook', () => shop.tenant.webhooks.generic.path],
    ['an unsubscribe link', () => `/u/${'a'.repeat(64)}`],
    ['a route that takes no body', () => `/recovery/sequences/${randomUUID()}/stop?reason=x`],
    ['nothing that there is', () => '/nowhere'],
  ];

  test.each(places)('for %s are refused at once, and the connection ends', async (_what, path) => {
    const before = await everythingStored(shop);
    for (const chunked of [false, true]) {
      const length: Record<string, string> = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(10 * mebibyte) };
      const head = requestHead(path(), { 'content-type': 'application/json', authorization: `Bearer ${shop.tenant.apiKey}`, ...length });
      const { answer, ms } = await talk(port, tenMegabytes(head, chunked), 'half-close');
      // Where the body is not read, the connection may be gone before the answer was.
      if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(ms).toBeLessThan(30_000);
    }
    expect(await everythingStored(shop)).toEqual(before);
  });

  test('cost no memory, also forty at a time', async () => {
    const head = requestHead(shop.tenant.webhooks.generic.path, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
    const held = () => process.memoryUsage().arrayBuffers;
    const before = held();
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, held() - before)), 5);
    const answers = await Promise.all(Array.from({ length: 40 }, () => talk(port, tenMegabytes(head, true), 'half-close')));
    clearInterval(watch);
    // 400 MB came; a request may be held up to its limit, and this test's own pieces are counted too.
    expect(most / mebibyte).toBeLessThan(160);
    for (const { answer } of answers) if (answer !== '') expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect((await deliver(shop, 'generic', { body: genericEvent('cart.updated', newCart()) })).status).toBe(200);
  });
});

describe('JSON a hundred thousand levels deep', () => {
  const depth = 100_000;
  const arrays = '['.repeat(depth) + ']'.repeat(depth);
  const objects = '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
  test.each([
    ['as the body', (deep: string) => deep],
    ['as the data', (deep: string) => genericEvent('cart.updated', deep)],
    ['in a field that nobody knows', (deep: string) => JSON.stringify({ ...newCart(), deep: 0 }).replace('"deep":0', `"deep":${deep}`)],
    ['in a field that is read', (deep: string) => JSON.stringify(newCart({ items: 0 })).replace('"items":0', `"items":${deep}`)],
  ])('%s is no more than another body', async (_where, frame) => {
    for (const deep of [arrays, objects, '['.repeat(depth)]) {
      const body = frame(deep);
      const generic = body.startsWith('{"cart"') ? genericEvent('cart.updated', body) : body;
      expectSettled(await deliver(shop, 'generic', { body: generic }));
      expectSettled(await deliver(shop, 'shopify', { body: body.startsWith('{"cart"') ? body.replace('{"cart":{', '{"token":"deep",') : body }));
    }
  });
});

describe('another encoding', () => {
  const json = () => genericEvent('cart.updated', newCart());
  test.each<[string, () => Buffer, number]>([
    ['UTF-16 with its mark', () => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(json(), 'utf16le')]), 400],
    ['UTF-16 without', () => Buffer.from(json(), 'utf16le'), 400],
    ['UTF-8 with a mark', () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(json())]), 200],
    ['gzip', () => gzipSync(json()), 400],
    ['a gzip of a gigabyte’s worth', () => gzipSync(Buffer.alloc(32 * mebibyte)), 400],
    ['bytes that are no UTF-8', () => Buffer.from(json().replace('Ada', 'Ad\u00ff'), 'latin1'), 200],
    ['a byte of zero between the values', () => Buffer.from(json().replace('":{', '":\0{')), 400],
    ['nothing', () => Buffer.alloc(0), 400],
    ['null', () => Buffer.from('null'), 422],
    ['a number', () => Buffer.from('1e400'), 422],
  ])('%s is answered %i', async (_what, body, status) => {
    const headers = { 'content-encoding': 'gzip' };
    const answer = await deliver(shop, 'generic', { body: body(), ...(_what.includes('gzip') ? { headers } : {}) });
    expectSettled(answer);
    expect(answer.status).toBe(status);
    expectSettled(await deliver(shop, 'shopify', { body: body() }));
  });

  test.each(['text/plain', 'application/xml', 'multipart/form-data', 'application/json; charset=utf-16', 'x', ';;;', 'a/b; c="'])(
    'the content type %j is nobody’s business: the bytes are signed',
    async (type) => {
      expectSettled(await deliver(shop, 'generic', { body: json(), headers: { 'content-type': type } }));
    },
  );

  test.each(['\\u0000', '\\ud800', '\\udfff', '\\ud800x', '\\u0007', '\\u2028', '\\ufffe'])(
    '%s in a name, a title and an id is settled',
    async (text) => {
      for (const field of ['"Ada"', '"Walnut desk lamp"', `"cart-${count + 1}"`])
        expectSettled(
          await deliver(shop, 'generic', { body: genericEvent('cart.updated', JSON.stringify(newCart()).replace(field, `"a${text}b"`)) }),
        );
      for (const field of ['"Lamp"', `"checkout-${count + 1}"`])
        expectSettled(await deliver(shop, 'shopify', { body: JSON.stringify(checkout()).replace(field, `"a${text}b"`) }));
    },
  );
});

describe('ten thousand characters', () => {
  const long = 'x'.repeat(10_000);

  test.each(['generic', 'shopify'] as const)('as the id of a delivery of %s are an id like any other: its repeat is a repeat', async (provider) => {
    const body = provider === 'generic' ? genericEvent('cart.updated', newCart()) : JSON.stringify(checkout());
    expect((await deliver(shop, provider, { body, id: long })).body).toEqual({ status: 'applied' });
    expect((await deliver(shop, provider, { body, id: long })).body).toEqual({ status: 'repeated' });
    expect((await deliver(shop, provider, { body, id: `${long}y` })).body).toEqual({ status: 'applied' });
  });

  test.each<[string, Provider, () => string]>([
    ['cart id', 'generic', () => genericEvent('cart.updated', aCart(long, 'long@example.com'))],
    ['address', 'generic', () => genericEvent('cart.updated', aCart('long-1', `${long}@example.com`))],
    ['domain', 'generic', () => genericEvent('cart.updated', aCart('long-2', `ada@${long}.com`))],
    ['order id', 'generic', () => genericEvent('order.placed', { order: { id: long, currency: 'EUR', total: '1' }, cart_id: 'cart-1' })],
    ['type', 'generic', () => genericEvent(long, {})],
    ['token', 'shopify', () => JSON.stringify(checkout({ token: long }))],
    ['address', 'shopify', () => JSON.stringify(checkout({ email: `${long}@example.com` }))],
    ['domain', 'shopify', () => JSON.stringify(checkout({ email: `ada@${long}.com` }))],
    ['title', 'shopify', () => JSON.stringify(checkout({ line_items: [{ title: long, quantity: 1, price: '1' }] }))],
    ['link', 'shopify', () => JSON.stringify(checkout({ abandoned_checkout_url: `https://shop.example.com/${long}` }))],
  ])('as the %s of %s are settled, and nobody is called by a part of them', async (_what, provider, body) => {
    expectSettled(await deliver(shop, provider, { body: body() }));
    expect(shop.smtp.accepted).toEqual([]);
    const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.execute<{ longest: number }>(`select coalesce(max(length(value)), 0)::int as longest from contact_identities where kind = 'email'`),
    );
    expect(rows[0]?.longest).toBeLessThanOrEqual(254);
  });

  test.each([
    ['a connection', () => `/api/webhooks/generic/${long}`],
    ['an integration', () => `/api/webhooks/${long}`],
    ['an enrollment', () => `/api/enrollments/${long}`],
    ['a token', () => `/u/${long}`],
  ])('as %s in a URL are unknown', async (_what, path) => {
    for (const method of ['GET', 'POST'] as const) {
      const response = await shop.app.inject({ method, url: path(), headers: { authorization: `Bearer ${shop.tenant.apiKey}` } });
      expect([404, 405]).toContain(response.statusCode);
    }
  });

  test('as a key are no key', async () => {
    for (const key of [long, `rk_${long}`]) {
      const response = await shop.app.inject({ url: '/recovery/sequences', headers: { authorization: `Bearer ${key}` } });
      expect([401, 429]).toContain(response.statusCode);
    }
  });

  test('more headers than a request has room for are refused, and the process lives', async () => {
    const { answer } = await talk(port, [requestHead('/nowhere', { 'x-much': 'x'.repeat(100_000) })], 'half-close');
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect((await shop.app.inject('/readyz')).statusCode).toBe(200);
  });
});

describe('numbers and times that cannot be meant', () => {
  const numbers = ['9007199254740993', '1e400', '-1e400', '1e308', '1e-400', '-0', '-129.90', '1e21', '0.1e-30', '123456789012345678901234567890'];
  const texts = ['NaN', 'Infinity', '-Infinity', '1e400', '0x10', '１２', '1_000', '9'.repeat(40), `0.${'9'.repeat(400)}`, ' ', '+1', '--1'];
  const raw = [...numbers, ...texts.map((text) => JSON.stringify(text)), 'true', '[]', '{}'];

  test.each(raw)('%s as an amount, a price, a count and an id', async (value) => {
    for (const field of ['"total":"129.90"', '"price":"129.90"', '"quantity":1', `"id":"cart-${count + 1}"`]) {
      const [name] = field.split(':');
      const body = genericEvent('cart.updated', JSON.stringify(newCart()).replace(field, `${name}:${value}`));
      expectSettled(await deliver(shop, 'generic', { body }), field);
    }
    for (const field of ['"total_price":"10.00"', '"price":"10.00"', '"quantity":1', `"token":"checkout-${count + 1}"`]) {
      const [name] = field.split(':');
      expectSettled(await deliver(shop, 'shopify', { body: JSON.stringify(checkout()).replace(field, `${name}:${value}`) }), field);
    }
  });

  test.each([
    '+275760-09-13T00:00:00Z',
    '-000001-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2026-02-30T00:00:00Z',
    '2026-11-20T25:61:61Z',
    '1763629470',
    '',
  ])('the time %j', async (time) => {
    const body = genericEvent('cart.updated', newCart({ created_at: time }));
    expectSettled(await deliver(shop, 'generic', { body }));
    expectSettled(await deliver(shop, 'generic', { body: body.replace(/"timestamp":"[^"]+"/, `"timestamp":"${time}"`) }));
    expectSettled(await deliver(shop, 'shopify', { body: JSON.stringify(checkout({ created_at: time, updated_at: time })) }));
  });

  test('the largest that are taken still make an email', async () => {
    const data = newCart({
      total: '99999999999.99',
      items: [{ title: 'Palace', quantity: 1_000_000, price: '99999999999.99', stock: 9_007_199_254_740_991 }],
    });
    expect((await shop.post('cart.updated', data)).body).toEqual({ status: 'applied' });
    const enrollment = await shop.enrollmentOf(`cart-${count}`);
    for (const [ms, step] of [
      [3_601_000, 'popup_1h'],
      [3_601_000, 'email_2h'],
    ] as const) {
      await letTimePass(shop, ms);
      await dispatch(shop, enrollment?.id ?? '', step);
    }
    const mail = await shop.smtp.waitForMail((one) => one.envelope.to.includes(`person-${count}@example.com`));
    expect(mail.raw.toString('latin1')).not.toMatch(/NaN|Infinity|undefined/);
    const view = await shop.app.inject({ url: `/api/enrollments/${enrollment?.id}`, headers: { authorization: `Bearer ${shop.tenant.apiKey}` } });
    expect(view.json()).toMatchObject({ cart: { total_price: '99999999999.99' } });
  });
});

test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])('the key %s pollutes nothing', async (key) => {
  const evil = `"${key}":{"polluted":true,"prototype":{"polluted":true},"email":"eve@example.com"}`;
  for (const frame of [`{${evil}}`, genericEvent('cart.updated', `{${evil}}`), genericEvent(key, `{${evil}}`)])
    expectSettled(await deliver(shop, 'generic', { body: frame }));
  for (const place of ['"cart":{', '"contact":{', '"items":[{']) {
    const data = JSON.stringify(newCart()).replace(place, `${place}${evil},`);
    expect((await deliver(shop, 'generic', { body: genericEvent('cart.updated', data) })).body).toEqual({ status: 'applied' });
  }
  expectSettled(await deliver(shop, 'shopify', { body: JSON.stringify(checkout()).replace('{', `{${evil},`) }));
  expectSettled(await deliver(shop, 'shopify', { body: JSON.stringify(checkout()), topic: key }));
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(Object.prototype).not.toHaveProperty('email');
});

test('of a key that is there twice the last counts, everywhere', async () => {
  const data = JSON.stringify(newCart()).replace('"id":', '"id":"twice","id":');
  const notACart = genericEvent('contact.updated', data).replace('{', '{"type":"cart.updated",');
  expect((await deliver(shop, 'generic', { body: notACart })).body).toEqual({ status: 'applied' });
  expect(await shop.enrollmentOf(`cart-${count}`)).toBeNull();
  expect((await deliver(shop, 'generic', { body: genericEvent('cart.updated', data) })).body).toEqual({ status: 'applied' });
  expect(await shop.enrollmentOf(`cart-${count}`)).not.toBeNull();
  expect(await shop.enrollmentOf('twice')).toBeNull();
});

test('nothing of all this waits in the inbox', async () => {
  await applyPending(shop.deps);
  const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.execute(`select topic, last_error from inbox where state = 'pending' or attempts > 0`),
  );
  expect(rows).toEqual([]);
});
