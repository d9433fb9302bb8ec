import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firstKey, issueKey } from '../../operations/api-keys.ts';
import { asOwner } from '../helpers/database.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { anotherStore, ask, leaveCart } from './left-carts.ts';

let shop: Shop;
let other: { tenantId: string; apiKey: string };
let enrollmentId: string;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  other = await anotherStore(shop, 'another-store');
  enrollmentId = await leaveCart(shop, 'cart-1', 'ada@example.com');
});
afterAll(() => shop.close());

const unknownId = '018f0000-0000-7000-8000-000000000000';
/** Every guarded route, for one enrollment. */
const guarded = (id: string): [method: 'GET' | 'POST', url: string][] => [
  ['GET', '/recovery/sequences'],
  ['POST', `/recovery/sequences/${id}/stop?reason=test`],
  ['GET', '/recovery/analytics'],
  ['GET', `/api/enrollments/${id}`],
  ['GET', `/api/enrollments/${id}/explain`],
];
const aboutOne = (id: string) => guarded(id).filter(([, url]) => url.includes(id));

describe('without a valid key', () => {
  test.each(guarded(unknownId))('%s %s answers 401 with problem details', async (method, url) => {
    const response = await shop.app.inject({ method, url });
    expect(response.statusCode).toBe(401);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.headers['www-authenticate']).toContain('Bearer');
    expect(response.json()).toMatchObject({ status: 401, code: 'missing_api_key' });
  });

  test('a wrong, a malformed and a revoked key are all refused', async () => {
    const revoked = (await issueKey(shop.deps, shop.tenant.tenantId, { ...firstKey, name: 'revoked' }, 'test')).apiKey;
    await asOwner(shop.database.url, `update api_keys set revoked_at = now() where name = 'revoked'`);
    for (const key of [revoked, `rk_${'x'.repeat(43)}`, 'rk_', "rk_' or 1=1 --", shop.tenant.apiKey.slice(0, -1)]) {
      expect(await ask(shop, key, '/recovery/sequences'), key).toMatchObject({ status: 401, body: { code: 'invalid_api_key' } });
    }
  });

  test('wrong keys are answered 429 after a while, and a valid key from the same address is not held up', async () => {
    const statuses: number[] = [];
    let last = await ask(shop, `rk_${'y'.repeat(43)}`, '/recovery/analytics');
    for (let n = 0; n < 40; n++) statuses.push((last = await ask(shop, `rk_${'y'.repeat(43)}`, '/recovery/analytics')).status);
    expect(statuses.at(-1)).toBe(429);
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(0);
    expect(last.body).toMatchObject({ code: 'too_many_attempts' });
    expect((await ask(shop, shop.tenant.apiKey, '/recovery/analytics')).status).toBe(200);
  });
});

test('the key is taken from either header', async () => {
  const response = await shop.app.inject({ url: '/recovery/sequences', headers: { 'x-api-key': shop.tenant.apiKey } });
  expect(response.statusCode).toBe(200);
  expect(response.json()).toHaveLength(1);
});

describe('another store', () => {
  test('sees nothing of ours', async () => {
    expect((await ask(shop, other.apiKey, '/recovery/sequences')).body).toEqual([]);
    expect((await ask(shop, other.apiKey, '/recovery/analytics')).body).toMatchObject({ total_sequences: 0, recovered_revenue: [] });
  });

  test('gets for our ids exactly what it gets for ids that nobody has, and changes nothing', async () => {
    for (const [index, [method, url]] of aboutOne(enrollmentId).entries()) {
      const ours = await ask(shop, other.apiKey, url, method);
      const nobodys = await ask(shop, other.apiKey, aboutOne(unknownId)[index]?.[1] ?? '', method);
      expect(ours.status, url).toBe(404);
      expect(ours.body).toEqual(nobodys.body);
    }
    expect((await shop.enrollmentOf('cart-1'))?.endedAt).toBeNull();
  });

  test('what is no id at all is unknown too', async () => {
    for (const [method, url] of aboutOne("1' or 1=1")) expect((await ask(shop, other.apiKey, encodeURI(url), method)).status).toBe(404);
  });

  test('the tenant follows from the key, whatever the parameters say', async () => {
    const { body } = await ask(shop, other.apiKey, `/recovery/sequences?tenant=${shop.tenant.tenantId}&tenant_id=${shop.tenant.tenantId}`);
    expect(body).toEqual([]);
  });
});
