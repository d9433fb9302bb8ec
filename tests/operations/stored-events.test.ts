import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connections, enrollments, inbox } from '../../db/schema/index.ts';
import { applyPending } from '../../operations/accept-delivery.ts';
import { asOwner } from '../helpers/database.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';
import { ask } from '../api/left-carts.ts';

// Deliveries that an earlier build stored, in the shape that events had then: docs/migrations.md#what-was-stored-before

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

test('an order that an earlier build stored and did not apply ends its cart, and a backtest reads it', async () => {
  const { tenantId } = shop.tenant;
  await shop.post('cart.updated', aCart('early', 'ada@example.com'), { at: Date.now() - 7_200_000 });
  const enrollment = await shop.enrollmentOf('early');
  const [connection] = await shop.deps.db.withTenant(tenantId, (tx) =>
    tx
      .select()
      .from(connections)
      .where(and(eq(connections.tenantId, tenantId), eq(connections.integration, 'generic'))),
  );
  const person = {
    ...{ email: 'ada@example.com', phone: null, locale: null, region: null, country: null, consents: [{ channel: 'email', state: 'granted' }] },
    ...{ lastName: null, timeZone: null, firstName: null, externalId: null, orderCount: null, lifetimeValueMinor: null },
  };
  const order = { currency: 'EUR', externalId: 'o-early', totalMinor: 12_990 };
  const event = { type: 'order.placed', keys: [{ kind: 'external', value: 'early' }], order, person, occurredAtMs: Date.now() };
  const insert = `insert into inbox (tenant_id, id, connection_id, dedupe_key, topic, state, events)
    values ($1, gen_random_uuid(), $2, 'early', 'order.placed', 'pending', $3)`;
  await asOwner(shop.database.url, insert, [tenantId, connection?.id, JSON.stringify([event])]);
  expect(await applyPending(shop.deps)).toBe(1);
  const [ended] = await shop.deps.db.withTenant(tenantId, (tx) =>
    tx
      .select()
      .from(enrollments)
      .where(eq(enrollments.id, enrollment?.id ?? '')),
  );
  expect(ended?.endedAt).not.toBeNull();
  const [stored] = await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(inbox).where(eq(inbox.dedupeKey, 'early')));
  expect(stored).toMatchObject({ state: 'applied', events: [{ order: { products: [], noRevenue: null } }] });

  const { body } = await ask(shop, shop.tenant.apiKey, '/api/backtests', 'POST', { sequence: 'cart', days: 30 });
  const { id } = body as { id: string };
  const report = await until('the backtest', async () => {
    const { state, ...rest } = (await ask(shop, shop.tenant.apiKey, `/api/backtests/${id}`)).body as { state: string };
    return state === 'running' ? null : { state, ...rest };
  });
  expect(report).toMatchObject({ state: 'done' });
});
