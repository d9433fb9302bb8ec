import { and, eq, inArray, isNull } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connections, contactIdentities, enrollments, subjectKeys, subjects, tenants } from '../../db/schema/index.ts';
import { tenantSettings } from '../../domain/tenant-settings.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';

// The same cart again (docs/rules.md#rule-16), and one conversation at a time (docs/rules.md#rule-17).

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

let counter = 0;
function names() {
  counter += 1;
  return { cart: `cart-${counter}`, email: `person-${counter}@example.com` };
}
const lines = (...titles: string[]) => ({ items: titles.map((title) => ({ title, quantity: 1, price: '10.00' })), total: `${titles.length}0.00` });
const enrolled = (cart: string) => until('the enrollment', () => shop.enrollmentOf(cart));

/** What runs for a person now, by the titles in the carts. */
async function runningFor(email: string): Promise<string[][]> {
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({ items: subjects.items })
      .from(enrollments)
      .innerJoin(subjects, eq(subjects.id, enrollments.subjectId))
      .innerJoin(contactIdentities, eq(contactIdentities.contactId, enrollments.contactId))
      .where(and(isNull(enrollments.endedAt), eq(contactIdentities.value, email))),
  );
  return rows.map(({ items }) => items.map((i) => i.title).sort());
}

describe('a cart whose key comes again after its order', () => {
  test('with other contents is recovered anew; a late echo of the bought one, and a repeat of its order, change nothing', async () => {
    const { cart, email } = names();
    const at = Date.now() - 60_000;
    const order = { order: { id: `o-${cart}`, currency: 'EUR', total: '10.00' }, cart_id: cart, contact: { email } };
    await shop.post('cart.updated', aCart(cart, email, lines('Linen runner')), { at });
    await shop.post('order.placed', order, { at: at + 5_100 });
    await shop.post('cart.updated', aCart(cart, email, lines('Linen runner')), { at: at + 7_000 });
    expect(await runningFor(email)).toEqual([]);
    await shop.post('cart.updated', aCart(cart, email, lines('Oak stool')), { at: at + 9_000 });
    expect(await runningFor(email)).toEqual([['Oak stool']]);
    await shop.post('cart.updated', aCart(cart, email, lines('Linen runner', 'Wool rug')), { at: at + 4_000 });
    await shop.post('order.placed', order, { at: at + 5_100 });
    expect(await runningFor(email)).toEqual([['Oak stool']]);
    await shop.post('order.placed', { ...order, order: { ...order.order, id: `o2-${cart}` } }, { at: at + 11_000 });
    expect(await runningFor(email)).toEqual([]);
  });

  test('in the same second as its order, or emptied by it, is an echo', async () => {
    const { cart, email } = names();
    const second = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;
    await shop.post('cart.updated', aCart(cart, email, lines('Linen runner')), { at: second - 5_000 });
    await shop.post('order.placed', { order: { id: `o-${cart}`, currency: 'EUR', total: '10.00' }, cart_id: cart }, { at: second });
    await shop.post('cart.updated', aCart(cart, email, lines('Oak stool')), { at: second + 400 });
    await shop.post('cart.updated', aCart(cart, email, { items: [], total: '0.00' }), { at: second + 2_000 });
    expect(await runningFor(email)).toEqual([]);
  });

  test('by somebody else belongs to them, and the bought one stays whose it was', async () => {
    const [first, second] = [names(), names()];
    const at = Date.now() - 60_000;
    await shop.post('cart.updated', aCart(first.cart, first.email, lines('Linen runner')), { at });
    await shop.post('order.placed', { order: { id: `o-${first.cart}`, currency: 'EUR', total: '10.00' }, cart_id: first.cart }, { at: at + 5_000 });
    await shop.post('cart.updated', aCart(first.cart, second.email, lines('Oak stool')), { at: at + 9_000 });
    expect(await runningFor(second.email)).toEqual([['Oak stool']]);
    expect(await runningFor(first.email)).toEqual([]);
  });
});

test('whatever the order, the delays and the repeats: one conversation, none about what was bought, and one about what was left since', async () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b'),
    kind: fc.constantFrom('cart', 'cart', 'cart', 'order', 'empty'),
    title: fc.constantFrom('Linen runner', 'Oak stool', 'Wool rug'),
    lateBy: fc.integer({ min: 0, max: 3 }),
    twice: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 7 }), async (steps) => {
      const { cart, email } = names();
      const startMs = Date.now() - 200_000;
      const events = steps.map((s, at) => ({ ...s, atMs: startMs + at * 10_000 + 137, id: `${cart}-${at}`, arrives: at + s.lateBy }));
      const arriving = events.flatMap((e) => (e.twice ? [e, { ...e, arrives: e.arrives + 2 }] : [e])).sort((x, y) => x.arrives - y.arrives);
      for (const e of arriving) {
        const key = `${cart}-${e.key}`;
        const answer =
          e.kind === 'order'
            ? await shop.post(
                'order.placed',
                { order: { id: `o-${e.id}`, currency: 'EUR', total: '10.00' }, cart_id: key, contact: { email } },
                { id: e.id, at: e.atMs },
              )
            : await shop.post('cart.updated', aCart(key, email, e.kind === 'empty' ? { items: [], total: '0.00' } : lines(e.title)), {
                id: e.id,
                at: e.atMs,
              });
        expect(answer.status).toBe(200);
        expect((await runningFor(email)).length).toBeLessThanOrEqual(1);
      }
      const last = events.at(-1);
      const running = await runningFor(email);
      // The newest thing that happened was a purchase: nothing may be sent any more.
      if (last?.kind === 'order') expect(running).toEqual([]);
      // A cart that was left after the last order, by time and by arrival, with an item that no order could have bought, is recovered.
      const lastArrived = arriving.at(-1);
      if (last?.kind === 'cart' && lastArrived?.id === last.id) {
        const before = events.slice(0, -1);
        const ofKey = before.filter((e) => e.key === last.key);
        const ordered = before.some((e) => e.kind === 'order');
        const isEcho = ordered && ofKey.some((e) => e.kind === 'cart' && e.title === last.title);
        // What an order bought is not known if no filled cart arrived before it: the first one under its key counts as bought.
        const firstOrder = ofKey.findIndex((e) => e.kind === 'order');
        const knowsWhatWasBought = firstOrder === -1 || ofKey.slice(0, firstOrder).some((e) => e.kind === 'cart');
        if (!isEcho && knowsWhatWasBought && before.every((e) => e.kind === 'empty' || e.lateBy === 0)) expect(running).toEqual([[last.title]]);
      }
    }),
    { numRuns: Number(process.env['RUNS'] ?? 40) },
  );
});

test('keys that a store declares as shared make one subject of the reports of two connections', async () => {
  const ids = await shop.deps.db.withTenant(shop.tenant.tenantId, async (tx) => {
    const rows = await tx
      .select()
      .from(connections)
      .where(inArray(connections.integration, ['shopify', 'generic']));
    const [tenant] = await tx.select().from(tenants);
    const settings = tenantSettings.parse({
      ...tenant?.settings,
      sharedKeys: [{ connections: rows.map((r) => r.id), kinds: ['cart_token', 'external'] }],
    });
    await tx.update(tenants).set({ settings }).where(eq(tenants.id, shop.tenant.tenantId));
    return rows.map((r) => r.id);
  });
  expect(ids).toHaveLength(2);
  const { cart } = names();
  await shop.post('cart.updated', aCart(cart, null, lines('Linen runner')), { at: Date.now() - 5_000 });
  const checkout = {
    token: `checkout-${cart}`,
    cart_token: cart,
    email: 'mira.voss@example.com',
    currency: 'EUR',
    total_price: '10.00',
    line_items: [{ title: 'Linen runner', quantity: 1, price: '10.00' }],
    updated_at: new Date().toISOString(),
  };
  expect((await shop.shopify('checkouts/update', checkout)).status).toBe(200);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({ subject: subjectKeys.subjectId })
      .from(subjectKeys)
      .where(inArray(subjectKeys.value, [cart, `checkout-${cart}`])),
  );
  expect(new Set(rows.map((r) => r.subject)).size).toBe(1);
  expect((await enrolled(cart)).id).toBe((await enrolled(`checkout-${cart}`)).id);
});
