import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { eq } from 'drizzle-orm';
import { pino } from 'pino';
import { buildApp } from '../../api/app.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { auditLog, inbox, quarantine } from '../../db/schema/index.ts';
import { openShop, type Shop, temporalClientOf } from '../helpers/shop.ts';
import { anotherStore, ask, askAll, leaveCart } from './left-carts.ts';

// Deliveries that could not be read, seen and read again. They are stored here as a receiver of an earlier build would have: what it could not
// read, the present one can.

let shop: Shop;
let other: { tenantId: string; apiKey: string };
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  other = await anotherStore(shop, 'other-store');
});
afterAll(() => shop.close());

const get = (url: string) => ask(shop, shop.tenant.apiKey, url);
const post = (url: string, key = shop.tenant.apiKey) => ask(shop, key, url, 'POST');
const connectionId = () => shop.tenant.webhooks.generic.path.split('/').at(-1) ?? '';

/** Put a delivery into the quarantine. @returns its id there */
function setAside(event: { type: string; data: unknown }, mayBeStop: boolean): Promise<string> {
  const { tenantId } = shop.tenant;
  const [inboxId, id] = [uuidv7(), uuidv7()];
  const body = JSON.stringify({ type: event.type, timestamp: new Date().toISOString(), data: event.data });
  return shop.deps.db.withTenant(tenantId, async (tx) => {
    const common = { tenantId, connectionId: connectionId(), topic: event.type };
    const notes = [{ field: 'data.order.total', reason: 'is no amount' }];
    await tx.insert(inbox).values({ ...common, id: inboxId, dedupeKey: `msg_${inboxId}`, state: 'quarantined', notes });
    await tx.insert(quarantine).values({ ...common, id, inboxId, body, reason: 'data.order.total: is no amount', mayBeStop });
    return id;
  });
}
const purchaseOf = (cart: string) => ({
  type: 'order.placed',
  data: { order: { id: `order-${cart}`, currency: 'EUR', total: '9.00' }, cart_id: cart },
});
const unreadable = { type: 'order.placed', data: null };

beforeEach(async () => {
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.update(quarantine).set({ releasedAt: Date.now() }).where(eq(quarantine.tenantId, shop.tenant.tenantId)),
  );
});

describe('the quarantine', () => {
  test('lists what is open with its fields, and shows bodies one by one', async () => {
    const id = await setAside(purchaseOf('cart-list'), true);
    const { status, body } = await get('/api/quarantine');
    expect(status).toBe(200);
    const shown = {
      id,
      integration: 'generic',
      connection: connectionId(),
      delivery_id: expect.stringMatching(/^msg_/) as unknown,
      topic: 'order.placed',
      reason: 'data.order.total: is no amount',
      fields: [{ field: 'data.order.total', reason: 'is no amount' }],
      may_be_stop: true,
      received_at: expect.stringMatching(/Z$/) as unknown,
      state: 'open',
      dismissed: null,
      released_at: null,
    };
    expect(body).toEqual({ data: [shown], nextCursor: null });
    const { delivery_id: deliveryId } = (body as { data: { delivery_id: string }[] }).data[0] ?? {};
    expect((await get(`/api/quarantine?delivery_id=${deliveryId}`)).body).toMatchObject({ data: [shown] });
    expect((await get('/api/quarantine?delivery_id=other')).body).toMatchObject({ data: [] });
    expect((await get(`/api/quarantine/${id}`)).body).toMatchObject({ ...shown, body: expect.stringContaining('"cart-list"') as unknown });
  });

  test('pages follow each other by cursor; released ones are shown when asked for', async () => {
    const ids = [await setAside(unreadable, true), await setAside(unreadable, true), await setAside(unreadable, false)];
    const listed = await askAll<{ id: string }>(shop, shop.tenant.apiKey, '/api/quarantine?limit=2');
    expect(listed.map((d) => d.id)).toEqual(ids);
    const all = await askAll<{ state: string }>(shop, shop.tenant.apiKey, '/api/quarantine?limit=2&state=all');
    expect(all.map((d) => d.state)).toEqual(['released', ...ids.map(() => 'open')]);
  });

  test('of another store does not exist', async () => {
    const id = await setAside(purchaseOf('cart-foreign'), true);
    expect((await ask(shop, other.apiKey, '/api/quarantine')).body).toEqual({ data: [], nextCursor: null });
    for (const answer of [
      await ask(shop, other.apiKey, `/api/quarantine/${id}`),
      await post(`/api/quarantine/${id}/replay`, other.apiKey),
      await get(`/api/quarantine/${uuidv7()}`),
      await post('/api/quarantine/none/replay'),
    ])
      expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_delivery' } });
    expect((await post('/api/quarantine/replay', other.apiKey)).body).toEqual({ applied: 0, still_unreadable: 0, replays: [] });
    expect((await get(`/api/quarantine/${id}`)).body).toMatchObject({ released_at: null });
  });

  test('a purchase that is read again ends its sequence, once', async () => {
    await leaveCart(shop, 'cart-replay', 'replay@example.com');
    const id = await setAside(purchaseOf('cart-replay'), true);
    expect(await shop.enrollmentOf('cart-replay')).toMatchObject({ endedAt: null });
    expect(await post(`/api/quarantine/${id}/replay`)).toMatchObject({ status: 200, body: { id, result: 'applied' } });
    expect(await shop.enrollmentOf('cart-replay')).toMatchObject({ status: 'CONVERTED', stopReason: 'purchased' });
    expect(await post(`/api/quarantine/${id}/replay`)).toMatchObject({ status: 200, body: { result: 'already_released' } });
    expect((await get('/api/quarantine')).body).toEqual({ data: [], nextCursor: null });
  });

  test('all open ones are read again, the oldest first; what still cannot be read stays', async () => {
    await leaveCart(shop, 'cart-all', 'all@example.com');
    const [bad, good] = [await setAside(unreadable, true), await setAside(purchaseOf('cart-all'), true)];
    const { status, body } = await post('/api/quarantine/replay');
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        applied: 1,
        still_unreadable: 1,
        replays: [
          { id: bad, result: 'still_unreadable' },
          { id: good, result: 'applied' },
        ],
      },
    });
    expect(((await get('/api/quarantine')).body as { data: { id: string }[] }).data.map((d) => d.id)).toEqual([bad]);
    expect(await shop.enrollmentOf('cart-all')).toMatchObject({ stopReason: 'purchased' });
  });
});

describe('a delivery that is dismissed', () => {
  const dismiss = (id: string, reason = 'the shop sent it twice', key = shop.tenant.apiKey) =>
    ask(shop, key, `/api/quarantine/${id}/dismiss`, 'POST', { reason });

  test('takes no effect: neither by a replay nor when its sender repeats it; and stays listed with who, when and why', async () => {
    await leaveCart(shop, 'cart-dismissed', 'dismissed@example.com');
    const id = await setAside(purchaseOf('cart-dismissed'), true);
    const { delivery_id: deliveryId } = (await get(`/api/quarantine/${id}`)).body as { delivery_id: string };
    const dismissed = {
      at: expect.stringMatching(/Z$/) as unknown,
      by: expect.stringMatching(/^api_key:/) as unknown,
      reason: 'the shop sent it twice',
    };
    expect(await dismiss(id)).toMatchObject({ status: 200, body: { id, state: 'dismissed', dismissed, released_at: null } });

    expect(await post(`/api/quarantine/${id}/replay`)).toMatchObject({ status: 409, body: { code: 'dismissed' } });
    expect((await post('/api/quarantine/replay')).body).toMatchObject({ replays: [] });
    await shop.post('order.placed', purchaseOf('cart-dismissed').data, { id: deliveryId });
    expect(await shop.enrollmentOf('cart-dismissed')).toMatchObject({ endedAt: null });

    expect((await get('/api/quarantine')).body).toMatchObject({ data: [] });
    expect((await get('/api/quarantine?state=dismissed')).body).toMatchObject({ data: [{ id, state: 'dismissed', dismissed }] });
    expect((await get('/api/quarantine?state=released&limit=500')).body).not.toMatchObject({
      data: expect.arrayContaining([expect.objectContaining({ id })]) as unknown,
    });
    expect((await get(`/api/deliveries?delivery_id=${deliveryId}`)).body).toMatchObject({ data: [{ state: 'ignored' }] });
    const [entry] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(auditLog).where(eq(auditLog.subject, id)));
    expect(entry).toMatchObject({
      actor: expect.stringMatching(/^api_key:/) as unknown,
      action: 'quarantine.dismiss',
      data: { reason: 'the shop sent it twice' },
    });
  });

  test('keeps its first reason; what was read after all, is of another store, or has no reason is not dismissed', async () => {
    const id = await setAside(unreadable, false);
    await dismiss(id, 'first');
    expect((await dismiss(id, 'second')).body).toMatchObject({ dismissed: { reason: 'first' } });
    await leaveCart(shop, 'cart-read', 'read@example.com');
    const applied = await setAside(purchaseOf('cart-read'), true);
    await post(`/api/quarantine/${applied}/replay`);
    expect(await dismiss(applied)).toMatchObject({ status: 409, body: { code: 'already_released' } });
    const open = await setAside(unreadable, false);
    expect(await dismiss(open, 'not mine', other.apiKey)).toMatchObject({ status: 404, body: { code: 'unknown_delivery' } });
    expect(await dismiss(open, ' ')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect((await get(`/api/quarantine/${open}`)).body).toMatchObject({ state: 'open' });
  });
});

describe('what waits in the quarantine is seen', () => {
  const health = async () => (await shop.app.inject('/healthz')).json<{ problems: string[]; parts: { intake: Record<string, unknown> } }>();
  const gauge = async (mayBeStop: boolean) =>
    Number(new RegExp(`^rekindle_quarantine_open\\{may_be_stop="${mayBeStop}"\\} (\\S+)$`, 'm').exec((await shop.app.inject('/metrics')).body)?.[1]);
  /** /healthz keeps its answer for a second. */
  const freshApp = () =>
    buildApp({
      deps: shop.deps,
      logger: pino({ level: 'silent' }),
      client: temporalClientOf(shop),
      registry: createPrometheus().registry,
      links: { temporalUi: null, mailbox: null },
      livePage: true,
    });

  test('in /healthz, with the remedy, while some of it may be a stop; and in the metrics', async () => {
    await setAside(unreadable, false);
    expect((await health()).parts.intake).toMatchObject({ status: 'ok', quarantined: 1, may_be_stops: 0 });
    await setAside(unreadable, true);
    const app = await freshApp();
    const response = await app.inject('/healthz');
    const report = response.json<{ status: string; problems: string[]; parts: { intake: Record<string, unknown> } }>();
    expect(report.status).toBe('degraded');
    expect(report.parts.intake).toMatchObject({ status: 'unread', quarantined: 2, may_be_stops: 1, oldest_stop_ms: expect.any(Number) as unknown });
    expect(report.problems.find((p) => p.includes('/api/quarantine'))).toMatch(/^1 delivery that may be a purchase, a reply or an opt-out/);
    await app.close();
    expect([await gauge(true), await gauge(false)]).toEqual([1, 1]);
  });

  test('on the live page, with a page that says why and shows no body', async () => {
    await setAside(purchaseOf('cart-private'), true);
    const app = await freshApp();
    const live = await app.inject('/');
    expect(live.body).toMatch(/1 delivery could not be read\.<\/b> It may be a purchase, a reply or an opt-out/);
    expect(live.body).toContain('href="/quarantine"');
    const page = await app.inject('/quarantine');
    expect(page.statusCode).toBe(200);
    expect(page.body).toMatch(/data\.order\.total is no amount/);
    expect(page.body).not.toContain('cart-private');
    await app.close();
    // Where others can reach it, there is no such page.
    expect((await shop.app.inject('/quarantine')).statusCode).toBe(404);
  });
});

test('a delivery is found by the sender’s own id, with what became of it', async () => {
  await shop.post('contact.updated', { contact: { email: 'delivered@example.com' } }, { id: 'msg_own_id' });
  expect((await get('/api/deliveries?delivery_id=msg_own_id')).body).toMatchObject({
    data: [
      {
        integration: 'generic',
        delivery_id: 'msg_own_id',
        topic: 'contact.updated',
        state: 'applied',
        notes: [],
        applied_at: expect.any(String) as unknown,
      },
    ],
  });
  expect((await get('/api/deliveries?delivery_id=msg_nobody')).body).toMatchObject({ data: [] });
  expect((await ask(shop, other.apiKey, '/api/deliveries')).body).toEqual({ data: [], nextCursor: null });
  const page = await get('/api/deliveries?limit=1');
  expect(page.body).toMatchObject({ data: [{}], nextCursor: expect.any(String) as unknown });
});
