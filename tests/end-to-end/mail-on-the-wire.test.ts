import PostalMime from 'postal-mime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

let shop: Shop;
let raw: string;
let enrollmentId: string;
beforeAll(async () => {
  shop = await openShop({
    timeScale: 1,
    settings: { storeName: 'Linden & Co', senderName: 'Linden & Co', senderAddress: 'hello@linden.example.com' },
  });
  await shop.deliver('cart.updated', {
    ...aCart('cart-1', null, { items: [{ title: 'Kanne „Blau“ {{ 7 | times: 7 }} <b>', quantity: 2, price: '64.95' }] }),
    contact: { email: 'ada@example.com', first_name: 'Ada\u00e9', locale: 'de-AT' },
  });
  enrollmentId = (await shop.enrollmentOf('cart-1'))?.id ?? '';
  await letTimePass(shop, 2 * 3_600_000 + 1_000);
  for (const stepId of ['popup_1h', 'email_2h']) await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
  raw = (await shop.smtp.waitForMail()).raw.toString('utf8');
});
afterAll(() => shop.close());

test('the headers are those of a good sender: one-click unsubscribe unfolded, an id from the send key, a date', async () => {
  const lines = raw.split('\r\n');
  const header = lines.find((l) => l.toLowerCase().startsWith('list-unsubscribe:')) ?? '';
  expect(header).toMatch(/^List-Unsubscribe: <http:\/\/rekindle\.example\.com\/u\/[\w-]+>$/);
  expect(lines).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
  const mail = await PostalMime.parse(raw);
  expect(mail.messageId).toBe(`<${enrollmentId}.email_2h@linden.example.com>`);
  expect(mail.from).toEqual({ name: 'Linden & Co', address: 'hello@linden.example.com' });
  expect(mail.to?.[0]).toMatchObject({ address: 'ada@example.com', name: 'Adaé' });
  expect(Math.abs(Date.parse(mail.date ?? '') - Date.now())).toBeLessThan(60_000);
});

test('text and HTML say the same things: what lies in the cart, in the shopper’s way of writing money, and how to get back', async () => {
  const mail = await PostalMime.parse(raw);
  for (const part of [mail.text ?? '', mail.html ?? '']) {
    expect(part).toContain('Kanne „Blau“ {{ 7 | times: 7 }}');
    expect(part).toMatch(/129,90/);
    expect(part).toContain('http://rekindle.example.com/c/');
    expect(part).toContain('http://rekindle.example.com/u/');
    expect(part).toContain('Example Street');
  }
  expect(mail.html).not.toContain('<b>"');
  expect(mail.html).toContain('&lt;b&gt;');
});

test('the link in the email leads back to the cart, and its unsubscribe works without cookie or login', async () => {
  const path = (kind: string) => new RegExp(`http://rekindle\\.example\\.com(/${kind}/[\\w-]+)`).exec(raw.replaceAll('=\r\n', ''))?.[1] ?? '';
  const click = await shop.app.inject({ method: 'GET', url: path('c'), headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' } });
  expect(click.statusCode).toBe(302);
  expect(click.headers.location).toBe('https://shop.example.com/restore/cart-1');
  expect((await shop.app.inject({ method: 'GET', url: path('u') })).statusCode).toBe(200);
  expect((await shop.enrollmentOf('cart-1'))?.endedAt).toBeNull();
  const left = await shop.app.inject({
    method: 'POST',
    url: path('u'),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: 'List-Unsubscribe=One-Click',
  });
  expect(left.statusCode).toBe(200);
  expect(await shop.enrollmentOf('cart-1')).toMatchObject({ status: 'EXITED', stopReason: 'opted_out' });
});
