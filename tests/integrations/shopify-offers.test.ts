import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { shopifyOffersConfig } from '../../integrations/shopify-offers/config.ts';
import { shopifyOffers } from '../../integrations/shopify-offers/index.ts';
import type { MintedCode, Minter } from '../../integrations/port.ts';
import { createQuery, discountOf, findQuery } from '../../integrations/shopify-offers/codes.ts';
import { faultsOfRequest, readSchema } from '../helpers/graphql-schema.ts';
import { providerSpecText } from '../helpers/provider-spec.ts';
import { startShopifyShop, type ShopFault, type ShopifyShop } from '../helpers/shopify-shop.ts';

// Codes of offers at a shop that speaks the Admin API. Its requests are held against Shopify's published schema, where that is there.

const published = 'shopify/admin-2026-10.excerpt.graphql';
let shop: ShopifyShop;
let counter = 0;
beforeAll(async () => {
  shop = await startShopifyShop();
});
beforeEach(() => {
  shop.calls.length = 0;
  shop.faults.length = 0;
  shop.always(null);
});
afterAll(() => shop.stop());

const minter = (config: Record<string, unknown> = { accessToken: 'shpat_test' }): Minter => {
  const made = shopifyOffers.minter?.({ shop: 'tea.myshopify.com', baseUrl: shop.url, ...config });
  if (made === undefined) throw new Error('it makes no codes');
  return made;
};
const aCode = (code = `RK-TEST-${++counter}`): MintedCode => ({
  code,
  percentOff: 15,
  grantedAt: Date.UTC(2026, 10, 1, 10),
  endsAt: Date.UTC(2026, 10, 3, 10),
});

test('a code is made for one use by one buyer, with the end that the message states', async () => {
  const code = aCode();
  expect(await minter().mint(code)).toEqual({ kind: 'minted' });
  expect(shop.discounts.get(code.code)).toMatchObject({
    ...{ title: `Rekindle ${code.code}`, usageLimit: 1, appliesOncePerCustomer: true, endsAt: '2026-11-03T10:00:00.000Z' },
    customerGets: { value: { percentage: 0.15 }, items: { all: true } },
  });
  expect(Date.parse(shop.discounts.get(code.code)?.startsAt ?? '')).toBeLessThan(code.grantedAt);
  expect(shop.faults).toEqual([]);
});

test('an app of the Dev Dashboard exchanges its id and secret for a token', async () => {
  const code = aCode();
  expect(await minter({ clientId: 'id', clientSecret: 'secret' }).mint(code)).toEqual({ kind: 'minted' });
  expect(await minter({ clientId: 'id', clientSecret: 'wrong' }).mint(aCode())).toEqual({ kind: 'refused', response: 'HTTP 400' });
});

describe('a call whose outcome is unknown', () => {
  test.each<[string, ShopFault]>([
    ['the line broke after the code was made', { act: 'reset', done: true }],
    ['the line broke before', { act: 'reset' }],
    ['a proxy answered in its place', { act: 'status', status: 502, done: true }],
    ['an answer that says nothing', { act: 'nonsense' }],
    ['an error without a meaning', { act: 'errors', code: 'INTERNAL_SERVER_ERROR' }],
  ])('%s: the repeat finds the code or makes it, and there is one', async (_, fault) => {
    const code = aCode();
    const before = shop.discounts.size;
    shop.next(fault);
    await expect(minter().mint(code)).rejects.toThrow();
    expect(await minter().mint(code)).toEqual({ kind: 'minted' });
    expect(shop.discounts.size).toBe(before + 1);
    expect(shop.faults).toEqual([]);
  });

  test('a code that is another discount’s is refused, and left as it is', async () => {
    const code = aCode();
    await minter().mint(code);
    const other = shop.discounts.get(code.code);
    if (other !== undefined) other.title = 'Summer sale';
    expect(await minter().mint(code)).toEqual({ kind: 'refused', response: 'the shop has another discount with this code' });
    await minter().revoke(code.code);
    expect(other?.closed).toBe(false);
  });
});

test('a busy shop says when it can be asked again', async () => {
  shop.next({ act: 'errors', code: 'THROTTLED' });
  await expect(minter().mint(aCode())).rejects.toMatchObject({ name: 'ShopAwayError', retryAfterMs: 100 });
  shop.next({ act: 'status', status: 429, retryAfter: 2 });
  await expect(minter().mint(aCode())).rejects.toMatchObject({ retryAfterMs: 2_000 });
});

test.each<[string, ShopFault, RegExp]>([
  ['a token without the scope', { act: 'errors', code: 'ACCESS_DENIED' }, /write_discounts/],
  ['a closed shop', { act: 'status', status: 402 }, /HTTP 402/],
  ['what the shop does not allow', { act: 'userErrors', code: 'MAX_APP_DISCOUNTS' }, /MAX_APP_DISCOUNTS/],
])('%s refuses the code', async (_, fault, response) => {
  shop.next(fault);
  expect(await minter().mint(aCode())).toEqual({ kind: 'refused', response: expect.stringMatching(response) });
});

test('a check says whether the shop lets us in, and makes nothing', async () => {
  const before = shop.discounts.size;
  expect(await minter().check()).toBe('tea.myshopify.com');
  await expect(minter({ accessToken: 'shpat_other' }).check()).rejects.toThrow('HTTP 401');
  expect(shop.discounts.size).toBe(before);
});

test('a wrong token refuses', async () => {
  expect(await minter({ accessToken: 'shpat_other' }).mint(aCode())).toEqual({ kind: 'refused', response: 'HTTP 401' });
});

test('a code that is taken back is closed, once; one that does not exist is taken back already', async () => {
  const code = aCode();
  await minter().mint(code);
  await minter().revoke(code.code);
  expect(shop.discounts.get(code.code)?.closed).toBe(true);
  await minter().revoke(code.code);
  await minter().revoke('RK-NEVER-MADE');
  expect(shop.calls.filter((call) => call === 'discountCodeDeactivate')).toHaveLength(1);
  expect(await minter().mint(code)).toMatchObject({ kind: 'refused' });
  shop.next({ act: 'status', status: 503 });
  await expect(minter().revoke(code.code)).rejects.toThrow('HTTP 503');
  expect(shop.faults).toEqual([]);
});

test.skipIf(providerSpecText(published) === null)('the published schema tells a wrong request from a right one', () => {
  const schema = readSchema(providerSpecText(published) ?? '');
  const discount = discountOf(aCode());
  expect(faultsOfRequest(schema, createQuery, { discount })).toEqual([]);
  expect(faultsOfRequest(schema, createQuery, { discount: { ...discount, usageLimit: 'one', perPerson: true, endsAt: '3 November' } })).toEqual([
    '$discount.perPerson does not exist',
    '$discount.endsAt is no DateTime',
    '$discount.usageLimit is no Int',
  ]);
  expect(faultsOfRequest(schema, createQuery.replace('userErrors', 'errors'), { discount })).toContain(
    'DiscountCodeBasicCreatePayload has no field errors',
  );
  expect(faultsOfRequest(schema, findQuery.replace('(code: $code)', '(name: $code)'), { code: 'X' })).toEqual([
    'Query.codeDiscountNodeByCode(name) takes no such argument',
  ]);
});

test.each([
  [{ shop: 'https://tea.example.com', accessToken: 'x' }],
  [{ shop: 'tea.myshopify.com' }],
  [{ shop: 'tea.myshopify.com', clientId: 'x' }],
  [{ shop: 'tea.myshopify.com', accessToken: 'x', clientId: 'x', clientSecret: 'x' }],
])('a configuration that cannot work is refused: %j', (config) => {
  expect(shopifyOffersConfig.safeParse(config).success).toBe(false);
});
