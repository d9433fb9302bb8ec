import { eq, ne } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connections, inbox, quarantine } from '../../db/schema/index.ts';
import type { DomainEvent, PersonDetails } from '../../domain/events.ts';
import { registryOf } from '../../integrations/index.ts';
import { jsonReceiver } from '../../integrations/verified-receiver.ts';
import { acceptDelivery, applyPending } from '../../operations/accept-delivery.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';
import { posted } from '../helpers/a-delivery.ts';

// A signed delivery that can never be applied must neither be answered 5xx for ever nor hold up others.

const nobody = {
  firstName: null,
  lastName: null,
  locale: null,
  timeZone: null,
  country: null,
  region: null,
  lifetimeValueMinor: null,
  consents: [],
};
let counter = 0;
function names() {
  counter += 1;
  return { cart: `cart-${counter}`, email: `person-${counter}@example.com` };
}

describe('a shop says what cannot be', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await openShop({ timeScale: 1 });
  });
  afterAll(() => shop.close());

  test.each([
    ['an order count beyond 2^31', () => ({ contact: { email: names().email, order_count: 3_000_000_000 } })],
    ['a text of the largest size', () => ({ contact: { email: names().email, first_name: '\u{1F6D2}'.repeat(50) } })],
  ])('%s is applied or kept in the quarantine, never answered 5xx for ever', async (_what, data) => {
    expect((await shop.post('contact.updated', data())).status).toBe(200);
  });

  test('a cart from the year 0 is applied or kept in the quarantine, never answered 5xx for ever', async () => {
    const { cart, email } = names();
    expect((await shop.post('cart.updated', aCart(cart, email, { created_at: '0000-01-01T00:00:00Z' }))).status).toBe(200);
  });

  test('what only Postgres refuses is kept in the quarantine with the reason, and its repeat is as unreadable', async () => {
    const connectionId = shop.tenant.webhooks.generic.path.split('/').at(-1) ?? '';
    // As an adapter that does not know the database's limits would pass it on.
    const lenient = jsonReceiver({
      topics: ['contact.updated'],
      readsHeaders: [],
      topicHeader: null,
      answersUnreadable: 'accept',
      verify: () => null,
      dedupeKey: () => 'lenient-1',
      normalise: () => ({
        kind: 'events',
        topic: 'contact.updated',
        events: [{ type: 'contact.updated', occurredAtMs: Date.now(), person }],
        notes: [],
      }),
    });
    const person: PersonDetails = { ...nobody, email: names().email, phone: null, externalId: null, orderCount: 3_000_000_000 };
    const deps = { ...shop.deps, integrations: registryOf([{ name: 'generic', receiver: lenient }]) };
    const deliver = () =>
      acceptDelivery(deps, 'generic', connectionId, posted({ headers: {}, raw: Buffer.from('{"as":"received"}'), receivedAtMs: Date.now() }));
    expect(await deliver()).toEqual({ kind: 'accepted', result: 'quarantined' });
    expect(await deliver()).toEqual({ kind: 'accepted', result: 'quarantined' });
    const kept = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.select().from(quarantine).where(eq(quarantine.body, '{"as":"received"}')),
    );
    expect(kept).toMatchObject([{ topic: 'contact.updated', reason: 'a value cannot be stored (Postgres 22003)' }]);
  });
});

test.each([
  ['says a number that cannot be stored', 'quarantined', { orderCount: 3_000_000_000 }],
  ['breaks the code', 'pending', { consents: null }],
])('a hundred stored events of which each %s (%s) do not keep the next one from being applied', async (_what, state, broken) => {
  const shop = await openShop({ timeScale: 1 });
  const { tenantId } = shop.tenant;
  await shop.deps.db.withTenant(tenantId, async (tx) => {
    const [connection] = await tx.select().from(connections).where(eq(connections.integration, 'generic'));
    const store = (key: string, event: DomainEvent, receivedAt: number) =>
      tx.insert(inbox).values({
        tenantId,
        id: uuidv7(),
        connectionId: connection?.id ?? '',
        dedupeKey: key,
        topic: event.type,
        state: 'pending',
        events: [event],
        receivedAt,
      });
    for (let i = 0; i < 100; i++) {
      const person = { ...nobody, email: `poison-${i}@example.com`, phone: null, externalId: null, orderCount: null, ...broken } as PersonDetails;
      await store(`poison-${i}`, { type: 'contact.updated', occurredAtMs: Date.now(), person }, Date.now() - 60_000);
    }
    const person = { email: 'ada@example.com', phone: null, externalId: null };
    await store(
      'good',
      { type: 'contact.opted_out', occurredAtMs: Date.now(), person, channel: null, final: false, source: 'test', basis: 'person' },
      Date.now(),
    );
  });
  for (let pass = 0; pass < 3; pass++) await applyPending(shop.deps);
  const [good] = await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(inbox).where(eq(inbox.dedupeKey, 'good')));
  expect(good?.state).toBe('applied');
  const poison = await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(inbox).where(ne(inbox.dedupeKey, 'good')));
  expect(new Set(poison.map((row) => row.state))).toEqual(new Set([state]));
  const kept = await shop.deps.db.withTenant(tenantId, (tx) => tx.select().from(quarantine));
  expect(kept).toHaveLength(state === 'quarantined' ? 100 : 0);
  await shop.close();
});
