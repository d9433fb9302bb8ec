import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inbox, quarantine } from '../../db/schema/index.ts';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore } from './left-carts.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const event = (type = 'cart.updated', data: unknown = aCart('cart-1', 'ada@example.com')) =>
  JSON.stringify({ type, timestamp: new Date().toISOString(), data });

interface Call {
  path?: string;
  payload?: string;
  headers?: Record<string, string>;
  secret?: string;
  id?: string;
  seconds?: number;
}
function deliver({ path, payload = event(), headers, secret, id = randomUUID(), seconds = Math.floor(Date.now() / 1_000) }: Call) {
  const { generic } = shop.tenant.webhooks;
  return shop.app.inject({
    method: 'POST',
    url: path ?? generic.path,
    payload,
    headers: {
      'content-type': 'application/json',
      ...(headers ?? {
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        'webhook-signature': signStandardWebhook(secret ?? generic.secret, id, seconds, payload),
      }),
    },
  });
}
const stored = () => shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(inbox));

describe('is refused with problem details and stored nowhere', () => {
  const refusals: [what: string, call: () => Call, status: number, code: string][] = [
    ['without a signature', () => ({ headers: {} }), 401, 'missing_signature'],
    ['signed with another secret', () => ({ secret: `whsec_${Buffer.alloc(24).toString('base64')}` }), 401, 'bad_signature'],
    ['signed long ago', () => ({ seconds: Math.floor(Date.now() / 1_000) - 3_600 }), 401, 'stale'],
    ['that is not JSON', () => ({ payload: '{"type": ' }), 400, 'not_json'],
    ['for a connection that nobody has', () => ({ path: `/api/webhooks/generic/${randomUUID()}` }), 404, 'unknown_connection'],
    ['for what is no connection', () => ({ path: '/api/webhooks/generic/none' }), 404, 'unknown_connection'],
    ['for an integration that does not exist', () => ({ path: '/api/webhooks/teleport' }), 404, 'unknown_connection'],
    ['of more than 1 MiB', () => ({ payload: JSON.stringify({ filler: 'x'.repeat(1024 * 1024) }) }), 413, 'too_large'],
  ];
  test.each(refusals)('%s', async (_what, call, status, code) => {
    const before = (await stored()).length;
    const response = await deliver(call());
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({
      type: expect.stringContaining(code) as unknown,
      status,
      code,
      detail: expect.stringMatching(/\w+/) as unknown,
    });
    expect(await stored()).toHaveLength(before);
  });
});

test('the body is taken up to the last byte of 1 MiB', async () => {
  const frame = event('cart.updated', { ...aCart('cart-big', 'big@example.com'), filler: '' });
  const payload = frame.replace('"filler":""', `"filler":"${'x'.repeat(1024 * 1024 - Buffer.byteLength(frame))}"`);
  expect(Buffer.byteLength(payload)).toBe(1024 * 1024);
  expect((await deliver({ payload })).statusCode).toBe(200);
});

test('an accepted delivery says what became of it, a repeat that it is one', async () => {
  const id = randomUUID();
  const first = await deliver({ id });
  expect([first.statusCode, first.json()]).toEqual([200, { status: 'applied' }]);
  const again = await deliver({ id });
  expect([again.statusCode, again.json()]).toEqual([200, { status: 'repeated' }]);
});

test('an unknown topic is answered 200 and recorded as ignored', async () => {
  const id = randomUUID();
  const response = await shop.shopify('themes/publish', { id: 1 }, { id });
  expect(response).toEqual({ status: 200, body: { status: 'ignored' } });
  expect((await stored()).find((row) => row.dedupeKey.includes(id))).toMatchObject({ topic: 'themes/publish', state: 'ignored' });
});

test('a verified event of our own format that names nobody and nothing is answered 422 with its fields, and kept', async () => {
  const response = await deliver({ payload: event('cart.updated', { cart: { id: {}, total: 'a lot' } }) });
  expect(response.statusCode).toBe(422);
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect(response.json()).toMatchObject({ status: 422, code: 'unreadable', fields: [{ field: 'data.cart.currency' }, { field: 'data.cart.id' }] });
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(quarantine));
  expect(rows).toHaveLength(1);
  expect(rows[0]?.body).toContain('a lot');
  expect(rows[0]?.reason).not.toBe('');
});

test('the short address works while the installation has one such connection, and no longer', async () => {
  expect((await deliver({ path: '/api/webhooks/generic' })).statusCode).toBe(200);
  await anotherStore(shop, 'second');
  expect((await deliver({ path: '/api/webhooks/generic' })).statusCode).toBe(404);
  expect((await deliver({})).statusCode).toBe(200);
});

test('every answer carries the id of its request', async () => {
  const [one, two] = [await deliver({ headers: {} }), await deliver({ headers: {} })];
  expect(one.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(two.headers['x-request-id']).not.toBe(one.headers['x-request-id']);
});

test('what is not served says so with problem details, and which methods an address takes', async () => {
  const nowhere = await shop.app.inject({ method: 'GET', url: '/nowhere' });
  expect(nowhere.statusCode).toBe(404);
  expect(nowhere.headers['content-type']).toContain('application/problem+json');
  expect(nowhere.json()).toMatchObject({ status: 404, code: 'not_found' });
  for (const [method, url, allowed] of [
    ['GET', '/api/webhooks/generic', 'POST'],
    // No delivery has the id "replay".
    ['GET', '/api/quarantine/replay', 'POST'],
    ['DELETE', '/recovery/sequences', 'GET, HEAD, POST'],
    ['PUT', '/u/token', 'GET, HEAD, POST'],
    ['TRACE', `/api/enrollments/${randomUUID()}?x=1`, 'GET, HEAD'],
  ] as const) {
    const response = await shop.app.inject({ method: method as 'GET', url });
    expect([response.statusCode, response.headers.allow]).toEqual([405, allowed]);
    expect(response.json()).toMatchObject({ status: 405, code: 'method_not_allowed' });
  }
  for (const url of ['/%zz', '/u/%ff']) {
    const response = await shop.app.inject({ url });
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({ code: 'bad_url' });
  }
});
