import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLinkTokens } from '../../operations/link-tokens.ts';
import { anotherStore, leaveCart, sendFirstMail } from '../api/left-carts.ts';
import { openShop, type Shop } from '../helpers/shop.ts';
import { everythingStored } from './hostile-shop.ts';

const browser = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36' };
let shop: Shop;
let ada: { messageId: string; open: string; click: string; unsubscribe: string };
let bo: typeof ada;
let otherTenantId: string;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  otherTenantId = (await anotherStore(shop, 'another-store')).tenantId;
  ada = await sendFirstMail(shop, await leaveCart(shop, 'cart-ada', 'ada@example.com'));
  bo = await sendFirstMail(shop, await leaveCart(shop, 'cart-bo', 'bo@example.com'));
});
afterAll(() => shop.close());

// Guessing tokens is limited by address, so each attempt here comes from another one.
let visitor = 0;
async function visit(method: 'GET' | 'POST', url: string) {
  visitor += 1;
  const response = await shop.app.inject({
    method,
    url,
    remoteAddress: `10.${visitor >> 16}.${(visitor >> 8) & 255}.${visitor & 255}`,
    headers: { ...browser, ...(method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}) },
    ...(method === 'POST' ? { payload: 'List-Unsubscribe=One-Click' } : {}),
  });
  // What differs from page to page: its nonce.
  return { status: response.statusCode, location: response.headers.location, page: response.body.replace(/nonce="[^"]+"/g, '') };
}

const bytesOf = (token: string) => Buffer.from(token, 'base64url');
const flipped = (token: string, at: number) => {
  const bytes = bytesOf(token);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString('base64url');
};
/** 16 bytes of store, 16 of message, 16 of signature. */
const spliced = (...parts: [token: string, from: number, to: number][]) =>
  Buffer.concat(parts.map(([token, from, to]) => bytesOf(token).subarray(from, to))).toString('base64url');

const forgeries: [what: string, token: () => string][] = [
  ...Array.from({ length: 48 }, (_none, at): [string, () => string] => [`changed in byte ${at}`, () => flipped(ada.unsubscribe, at)]),
  ['of one shopper with the signature of another', () => spliced([bo.unsubscribe, 0, 32], [ada.unsubscribe, 32, 48])],
  ['with the message of another shopper', () => spliced([ada.unsubscribe, 0, 16], [bo.unsubscribe, 16, 32], [ada.unsubscribe, 32, 48])],
  ['of a click', () => ada.click],
  ['of a picture', () => ada.open],
  [
    'of another installation',
    () => createLinkTokens(randomBytes(32)).sign({ purpose: 'unsubscribe', tenantId: shop.tenant.tenantId, messageId: ada.messageId }),
  ],
  ['of another store for our message', () => shop.deps.links.sign({ purpose: 'unsubscribe', tenantId: otherTenantId, messageId: ada.messageId })],
  [
    'for a message that nobody sent',
    () => shop.deps.links.sign({ purpose: 'unsubscribe', tenantId: shop.tenant.tenantId, messageId: '018f0000-0000-7000-8000-000000000000' }),
  ],
  ['cut by one character', () => ada.unsubscribe.slice(0, -1)],
  ['cut in half', () => ada.unsubscribe.slice(0, 32)],
  ['with one character more', () => `${ada.unsubscribe}A`],
  ['twice', () => ada.unsubscribe + ada.unsubscribe],
  ['in plain base64', () => bytesOf(ada.unsubscribe).toString('base64').replaceAll('/', '%2F').replaceAll('-', '+')],
  ['padded', () => `${ada.unsubscribe}%3D%3D`],
  ['in hexadecimal', () => bytesOf(ada.unsubscribe).toString('hex')],
  ['with a space in front', () => `%20${ada.unsubscribe}`],
  ['of zeros', () => Buffer.alloc(48).toString('base64url')],
];

test('an unsubscribe link that was not signed for that message changes nothing and reveals nothing', async () => {
  const before = await everythingStored(shop);
  for (const method of ['GET', 'POST'] as const) {
    const nonsense = await visit(method, '/u/nonsense');
    expect(nonsense.status).toBe(404);
    for (const [what, token] of forgeries) {
      // Base64url has no other spelling here, and two that are the same are no forgery.
      if (token() === ada.unsubscribe) continue;
      expect(await visit(method, `/u/${token()}`), `${method} ${what}`).toEqual(nonsense);
    }
  }
  expect(await everythingStored(shop)).toEqual(before);
});

test('a click link that is not ours for that message leads nowhere, whatever is added', async () => {
  const before = await everythingStored(shop);
  const nonsense = await visit('GET', '/c/nonsense');
  const forged = [
    flipped(ada.click, 3),
    flipped(ada.click, 40),
    ada.unsubscribe,
    ada.open,
    ada.click.slice(0, -2),
    spliced([bo.click, 0, 32], [ada.click, 32, 48]),
  ];
  for (const token of forged)
    for (const more of ['', '?url=https://evil.example.com', '?to=//evil.example.com', '/https://evil.example.com', '#https://evil.example.com']) {
      const answer = await visit('GET', `/c/${token}${more}`);
      expect([404, 405]).toContain(answer.status);
      expect(answer.location).toBeUndefined();
      if (!more.startsWith('/')) expect(answer).toEqual(nonsense);
    }
  expect(await everythingStored(shop)).toEqual(before);
});

test('a picture’s link that is not ours shows the picture and reports nothing', async () => {
  const before = await everythingStored(shop);
  for (const token of [
    flipped(ada.open, 5),
    ada.click,
    ada.unsubscribe,
    shop.deps.links.sign({ purpose: 'open', tenantId: otherTenantId, messageId: ada.messageId }),
  ])
    expect((await visit('GET', `/o/${token}`)).status).toBe(200);
  expect(await everythingStored(shop)).toEqual(before);
});

test('the right ones still work afterwards, each for its own shopper', async () => {
  expect((await visit('GET', `/c/${ada.click}`)).status).toBe(302);
  expect((await visit('POST', `/u/${ada.unsubscribe}`)).status).toBe(200);
  expect((await shop.enrollmentOf('cart-ada'))?.stopReason).toBe('opted_out');
  expect((await shop.enrollmentOf('cart-bo'))?.endedAt).toBeNull();
});
