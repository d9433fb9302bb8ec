import { readFileSync } from 'node:fs';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { conversions } from '../../db/schema/index.ts';
import { signWooCommerce } from '../../integrations/woocommerce/sign.ts';
import { openShop, type Shop } from '../helpers/shop.ts';

let shop: Shop;
let webhook: { url: string; secret: string };
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  const created = await shop.app.inject({
    method: 'POST',
    url: '/api/connections',
    headers: { authorization: `Bearer ${shop.tenant.apiKey}` },
    payload: { integration: 'woocommerce', name: 'A WooCommerce shop' },
  });
  expect(created.statusCode, created.body).toBe(201);
  ({ webhook } = created.json<{ webhook: typeof webhook }>());
});
afterAll(() => shop.close());

/** A fixture as it would come now. */
function body(topic: string, change: Record<string, unknown> = {}): string {
  const fixture: Record<string, unknown> = JSON.parse(readFileSync(new URL(`../fixtures/woocommerce/${topic}.json`, import.meta.url), 'utf8'));
  return JSON.stringify({ ...fixture, ...change });
}

async function deliver(topic: string, payload: string, headers: Record<string, string> = {}) {
  const { statusCode } = await shop.app.inject({
    method: 'POST',
    url: new URL(webhook.url).pathname,
    headers: {
      'content-type': 'application/json',
      'x-wc-webhook-source': 'https://shop.example/',
      'x-wc-webhook-topic': topic,
      'x-wc-webhook-signature': signWooCommerce(webhook.secret, payload),
      ...headers,
    },
    payload,
  });
  return statusCode;
}

const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString().slice(0, 19);

test('a new webhook is announced, a cart starts a sequence, its unpaid order is the same cart, and the payment ends it', async () => {
  const announced = await shop.app.inject({
    method: 'POST',
    url: new URL(webhook.url).pathname,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: 'webhook_id=7',
  });
  expect(announced.statusCode).toBe(200);

  const cart = body('rekindle.cart', { date_created_gmt: secondsAgo(90), date_modified_gmt: secondsAgo(60) });
  expect(await deliver('rekindle.cart', cart, { 'x-wc-webhook-signature': 'A'.repeat(44) })).toBe(401);
  expect(await deliver('rekindle.cart', cart)).toBe(200);
  const started = await shop.enrollmentOf('cart-4711');
  expect(started).toMatchObject({ endedAt: null });

  const made = { date_created_gmt: secondsAgo(40), date_modified_gmt: secondsAgo(30) };
  expect(await deliver('order.created', body('order.created', made))).toBe(200);
  expect(await shop.enrollmentOf('cart-4711')).toMatchObject({ id: started?.id, endedAt: null });

  const paid = body('order.updated', { ...made, date_paid_gmt: secondsAgo(10), date_modified_gmt: secondsAgo(10) });
  expect(await deliver('order.updated', paid)).toBe(200);
  expect(await deliver('order.updated', paid)).toBe(200);
  // Bought before the cart was quiet for an hour.
  expect(await shop.enrollmentOf('cart-4711')).toMatchObject({ id: started?.id, stopReason: 'not_abandoned' });
});

test('an order that the shop cancelled unpaid, and that is paid after all, counts in full', async () => {
  const made = { id: 728, meta_data: [], date_created_gmt: secondsAgo(60), billing: { email: 'bob@example.com' } };
  const told = [
    body('order.created', { ...made, date_modified_gmt: secondsAgo(59) }),
    body('order.created', { ...made, status: 'cancelled', date_modified_gmt: secondsAgo(50) }),
    body('order.created', { ...made, status: 'processing', date_paid_gmt: secondsAgo(40), date_modified_gmt: secondsAgo(40) }),
  ];
  for (const payload of told) expect(await deliver('order.updated', payload)).toBe(200);
  const [order] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(conversions).where(eq(conversions.orderId, '728')));
  expect(order).toMatchObject({ valueMinor: 14_200, currentMinor: 14_200, reversedAt: null });
});
