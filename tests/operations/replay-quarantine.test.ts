import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inbox, quarantine } from '../../db/schema/index.ts';
import { integrations } from '../../integrations/index.ts';
import { shopifyReceiver as shopify } from '../../integrations/shopify/receive.ts';
import { jsonReceiver } from '../../integrations/verified-receiver.ts';
import type { Deps } from '../../operations/deps.ts';
import { replayQuarantined } from '../../operations/replay-quarantine.ts';
import { asOwner } from '../helpers/database.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

let shop: Shop;
/** A receiver that cannot read the orders of one customer, until it is corrected. */
let broken: Deps;
let corrected = false;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  const clumsy = jsonReceiver({
    ...shopify,
    normalise: (delivery, body, store) =>
      corrected || !delivery.raw.includes('clumsy')
        ? shopify.normalise(delivery, body, store)
        : {
            kind: 'unreadable',
            topic: 'orders/create',
            reason: 'tags: a fault of ours',
            fields: [{ field: 'tags', reason: 'a fault of ours' }],
            mayBeStop: true,
          },
  });
  Object.assign(shop.deps, { integrations: { ...integrations, shopify: { name: 'shopify', receiver: clumsy } } });
  broken = shop.deps;
});
afterAll(() => shop.close());

const rows = <T>(query: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, query);
const keptOf = (dedupeKey: string) =>
  rows(async (tx) => {
    const [kept] = await tx
      .select({ quarantine, inbox })
      .from(quarantine)
      .innerJoin(inbox, eq(inbox.id, quarantine.inboxId))
      .where(eq(inbox.dedupeKey, dedupeKey));
    if (kept === undefined) throw new Error('nothing was kept');
    return kept;
  });

/** A cart whose order could not be read. */
async function leaveAndBuy() {
  corrected = false;
  const name = `c-${randomUUID().slice(0, 8)}`;
  const email = `${name}@example.com`;
  expect((await shop.post('cart.updated', aCart(name, email))).status).toBe(200);
  const id = randomUUID();
  const order = {
    id: 1_000_000 + Math.floor(Math.random() * 1e9),
    email,
    tags: 'clumsy',
    currency: 'EUR',
    total_price: '12.00',
    created_at: new Date().toISOString(),
  };
  expect(await shop.shopify('orders/create', order, { id })).toEqual({ status: 200, body: { status: 'quarantined' } });
  expect((await shop.enrollmentOf(name))?.endedAt).toBeNull();
  return { name, id, order, kept: await keptOf(id) };
}

test('an order that could not be read is kept with what a replay needs, and stops once it is read', async () => {
  const { name, id, kept } = await leaveAndBuy();
  expect(kept.quarantine).toMatchObject({
    topic: 'orders/create',
    mayBeStop: true,
    releasedAt: null,
    headers: { 'x-shopify-topic': 'orders/create' },
  });
  expect(Object.keys(kept.quarantine.headers).join()).not.toMatch(/hmac|signature/i);
  expect(kept.inbox).toMatchObject({ state: 'quarantined', notes: [{ field: 'tags', reason: 'a fault of ours' }] });
  const replay = () => replayQuarantined(broken, shop.tenant.tenantId, kept.quarantine.id);
  expect(await replay()).toMatchObject({ kind: 'still_unreadable', fields: [{ field: 'tags' }] });
  corrected = true;
  expect(await replay()).toMatchObject({ kind: 'applied', topic: 'orders/create', events: ['order.placed'] });
  expect((await shop.enrollmentOf(name))?.endedAt).not.toBeNull();
  const after = await keptOf(id);
  expect(after.quarantine.releasedAt).not.toBeNull();
  expect(after.inbox).toMatchObject({ state: 'applied', notes: [] });
  expect(after.inbox.events).toMatchObject([{ type: 'order.placed' }]);
  expect(after.inbox.coveredContactIds).not.toEqual([]);
  expect(await replay()).toEqual({ kind: 'already_released' });
});

test('ten replays and a repeat at once take effect once', async () => {
  const { name, id, order, kept } = await leaveAndBuy();
  corrected = true;
  const replays = Array.from({ length: 10 }, () => replayQuarantined(broken, shop.tenant.tenantId, kept.quarantine.id));
  const [repeat, ...results] = await Promise.all([shop.shopify('orders/create', order, { id }), ...replays]);
  const applied = results.filter((r) => r.kind === 'applied').length + ((repeat.body as { status: string }).status === 'applied' ? 1 : 0);
  expect(applied).toBe(1);
  expect(new Set(results.map((r) => r.kind))).not.toContain('still_unreadable');
  expect((await shop.enrollmentOf(name))?.endedAt).not.toBeNull();
  const orders = await rows((tx) => tx.execute(`select 1 from conversions where order_id = '${order.id}'`));
  expect(orders.rows).toHaveLength(1);
});

test('a repeat of what could not be read takes effect as soon as it can be', async () => {
  const { name, id, order } = await leaveAndBuy();
  expect(await shop.shopify('orders/create', order, { id })).toEqual({ status: 200, body: { status: 'quarantined' } });
  corrected = true;
  expect(await shop.shopify('orders/create', order, { id })).toEqual({ status: 200, body: { status: 'applied' } });
  expect((await shop.enrollmentOf(name))?.endedAt).not.toBeNull();
  expect((await keptOf(id)).quarantine.releasedAt).not.toBeNull();
  expect(await shop.shopify('orders/create', order, { id })).toEqual({ status: 200, body: { status: 'repeated' } });
});

test('a stop in our own format that names nobody is answered 422 with its fields until it is corrected under the same id', async () => {
  const name = `c-${randomUUID().slice(0, 8)}`;
  await shop.post('cart.updated', aCart(name, `${name}@example.com`));
  const id = randomUUID();
  const nameless = { order: { id: `o-${name}`, currency: 'EUR', total: '10.00' }, contact: { email: 'no reply', phone: '0000' } };
  for (let attempt = 0; attempt < 2; attempt++) {
    const answer = await shop.post('order.placed', nameless, { id });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({
      code: 'unreadable',
      fields: expect.arrayContaining([
        { field: 'data.contact.email', reason: 'is no email address: left out' },
        { field: 'data.contact.phone', reason: 'is no phone number: left out' },
      ]),
    });
    expect(JSON.stringify(answer.body)).not.toMatch(/no reply|0000/);
  }
  const kept = await keptOf(id);
  expect(kept.quarantine).toMatchObject({ topic: 'order.placed', mayBeStop: true, releasedAt: null });
  expect(await rows((tx) => tx.select().from(quarantine).where(eq(quarantine.inboxId, kept.inbox.id)))).toHaveLength(1);
  expect(await shop.post('order.placed', { ...nameless, cart_id: name }, { id })).toEqual({ status: 200, body: { status: 'applied' } });
  expect((await shop.enrollmentOf(name))?.endedAt).not.toBeNull();
  expect((await keptOf(id)).quarantine.releasedAt).not.toBeNull();
});

test('an id that does not exist, or is another tenant’s, is unknown', async () => {
  const { kept } = await leaveAndBuy();
  expect(await replayQuarantined(broken, shop.tenant.tenantId, randomUUID())).toEqual({ kind: 'unknown' });
  expect(await replayQuarantined(broken, shop.tenant.tenantId, "' or 1=1")).toEqual({ kind: 'unknown' });
  expect(await replayQuarantined(broken, randomUUID(), kept.quarantine.id)).toEqual({ kind: 'unknown' });
});

test('a delivery without a topic is kept as unknown and can be read once it is known which it is', async () => {
  const name = `c-${randomUUID().slice(0, 8)}`;
  await shop.post('cart.updated', aCart(name, `${name}@example.com`));
  const id = randomUUID();
  expect(await shop.shopify('', { id: 77, email: `${name}@example.com` }, { id })).toEqual({ status: 200, body: { status: 'quarantined' } });
  const kept = await keptOf(id);
  expect(kept.quarantine).toMatchObject({ topic: 'unknown', mayBeStop: true });
  expect(await replayQuarantined(broken, shop.tenant.tenantId, kept.quarantine.id)).toMatchObject({ kind: 'still_unreadable' });
  const headers = JSON.stringify({ 'x-shopify-topic': 'orders/create' });
  await asOwner(shop.database.url, 'update quarantine set headers = $1 where id = $2', [headers, kept.quarantine.id]);
  expect(await replayQuarantined(broken, shop.tenant.tenantId, kept.quarantine.id)).toMatchObject({ kind: 'applied', topic: 'orders/create' });
  expect((await shop.enrollmentOf(name))?.endedAt).not.toBeNull();
});
