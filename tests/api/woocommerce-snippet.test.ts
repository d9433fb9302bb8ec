import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
    payload: { integration: 'woocommerce', name: 'A shop with the snippet' },
  });
  ({ webhook } = created.json<{ webhook: typeof webhook }>());
});
afterAll(() => shop.close());

type Body = Record<string, unknown>;
const read = (file: string): unknown => JSON.parse(readFileSync(new URL(`../fixtures/${file}`, import.meta.url), 'utf8'));
const recorded = read('woocommerce-snippet/recorded.json') as {
  steps: Record<string, { body: string }[]>;
  orders: Record<string, string>[];
  key: string;
};
const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString().slice(0, 19);

async function deliver(topic: string, body: Body) {
  const payload = JSON.stringify(body);
  const headers = {
    'content-type': 'application/json',
    'x-wc-webhook-topic': topic,
    'x-wc-webhook-signature': signWooCommerce(webhook.secret, payload),
  };
  const { statusCode } = await shop.app.inject({ method: 'POST', url: new URL(webhook.url).pathname, headers, payload });
  return statusCode;
}

test('an order stops the cart that the snippet reported, found by the mark that the snippet put on the order', async () => {
  const reported = (step: string, times: Body) => ({ ...(JSON.parse(recorded.steps[step]?.[0]?.body ?? '{}') as Body), ...times });
  const createdAt = { date_created_gmt: secondsAgo(120) };
  expect(await deliver('rekindle.cart', reported('something is added', { ...createdAt, date_modified_gmt: secondsAgo(90) }))).toBe(200);
  expect(await shop.enrollmentOf(recorded.key)).toBeNull();
  expect(await deliver('rekindle.cart', reported('the checkout is filled in', { ...createdAt, date_modified_gmt: secondsAgo(60) }))).toBe(200);
  expect(await shop.enrollmentOf(recorded.key)).toMatchObject({ endedAt: null });

  const [marks = {}] = recorded.orders;
  const order = {
    ...(read('woocommerce/order.created.json') as Body),
    status: 'processing',
    // Somebody else pays: only the mark says whose cart it was.
    billing: { email: 'somebody-else@example.com', phone: '' },
    customer_id: 0,
    meta_data: Object.entries(marks).map(([key, value], id) => ({ id, key, value })),
    date_created_gmt: secondsAgo(30),
    date_modified_gmt: secondsAgo(20),
    date_paid_gmt: secondsAgo(20),
  };
  expect(await deliver('order.created', order)).toBe(200);
  expect((await shop.enrollmentOf(recorded.key))?.endedAt).not.toBeNull();
});
