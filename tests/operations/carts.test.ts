import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conversions, enrollments, subjectKeys } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { stopByHand } from '../../operations/stop-one.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// One cart, one run through its sequence, whatever names it is known by and in whatever order they are heard.

const hourMs = 3_600_000;
let shop: Shop;
let provider: StubProvider;
beforeAll(async () => {
  provider = await startStubProvider(false);
  shop = await openShop({ timeScale: 1, sender: createStubSender(provider.port, { kind: 'none' }) });
});
afterAll(async () => {
  await shop.close();
  await provider.stop();
});

let counter = 0;
/** Everything of one test has a name of its own: the shop is shared. */
function names() {
  counter += 1;
  return { cart: `cart-${counter}`, email: `person-${counter}@example.com`, phone: `+1202555${String(1_000 + counter)}` };
}
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const enrolled = (cartId: string) => until('the enrollment', () => shop.enrollmentOf(cartId));
const enrollmentsOf = (cartId: string) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({ id: enrollments.id, status: enrollments.status, stopReason: enrollments.stopReason, endedAt: enrollments.endedAt })
      .from(enrollments)
      .innerJoin(subjectKeys, eq(subjectKeys.subjectId, enrollments.subjectId))
      .where(eq(subjectKeys.value, cartId)),
  );

describe('carts', () => {
  test('a cart that was emptied before it counted as abandoned, and filled again, may start its sequence', async () => {
    const { cart, email } = names();
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 3_000 });
    await shop.post('cart.updated', aCart(cart, email, { items: [], total: '0.00' }), { at: Date.now() - 2_000 });
    expect(await shop.enrollmentOf(cart)).toMatchObject({ stopReason: 'emptied', activatedAt: null });
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 1_000 });
    // Re-entry counts only activated enrollments (docs/rules.md#rule-3).
    expect((await enrollmentsOf(cart)).filter((e) => e.endedAt === null)).toHaveLength(1);
  });

  test('a cart with a total of zero is not recovered; one of unknown value is', async () => {
    const [free, unknown] = [names(), names()];
    const sample = [{ title: 'Free sample', quantity: 1, price: '0.00' }];
    await shop.post('cart.updated', aCart(free.cart, free.email, { items: sample, total: '0.00' }));
    expect(await shop.enrollmentOf(free.cart)).toBeNull();
    await shop.post('cart.updated', aCart(unknown.cart, unknown.email, { items: [{ title: 'Tea', quantity: 1 }], total: 'on request' }));
    expect(await enrolled(unknown.cart)).toMatchObject({ cartValueMinor: null });
  });

  test('an older event that arrives late does not fill a cart that was emptied', async () => {
    const { cart, email } = names();
    await shop.post('cart.updated', aCart(cart, email, { items: [], total: '0.00' }), { at: Date.now() - 1_000 });
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 2_000 });
    expect(await shop.enrollmentOf(cart)).toBeNull();
  });

  const checkout = (token: string, cartToken: string | null, email: string) => ({
    id: Number.parseInt(token.replace(/\D/g, ''), 10),
    token,
    cart_token: cartToken,
    email,
    created_at: new Date().toISOString(),
    updated_at: new Date().toISOString(),
    currency: 'EUR',
    total_price: '59.00',
    line_items: [{ title: 'Oak tray', quantity: 1, price: '59.00' }],
    abandoned_checkout_url: `https://shop.example.com/checkouts/${token}/recover`,
  });

  test('a cart that ran through its sequence does not start again when its other name becomes known', async () => {
    const { cart, email } = names();
    const cartToken = `${cart}-token`;
    await shop.shopify('carts/create', {
      id: cartToken,
      token: cartToken,
      line_items: [],
      created_at: new Date().toISOString(),
      updated_at: new Date().toISOString(),
    });
    await shop.shopify('checkouts/create', checkout(cart, null, email));
    const first = await enrolled(cart);
    await letTimePass(shop, hourMs + 1_000);
    await dispatch(first.id, 'popup_1h');
    await shop.post('message.received', { contact: { email }, channel: 'email', text: 'No, thank you' });
    expect(await shop.enrollmentOf(cart)).toMatchObject({ status: 'EXITED', stopReason: 'replied' });
    await shop.shopify('checkouts/update', checkout(cart, cartToken, email));
    expect(await enrollmentsOf(cart)).toMatchObject([{ id: first.id }]);
    // The purchase of the cart still finds what was done about it.
    await shop.shopify('orders/create', {
      id: 900 + counter,
      checkout_token: cart,
      cart_token: null,
      email,
      currency: 'EUR',
      total_price: '59.00',
      line_items: [],
    });
    expect(await shop.enrollmentOf(cart)).toMatchObject({ id: first.id });
  });

  test('a completed cart is credited when it is bought, also when its other name has become known', async () => {
    const { cart, email } = names();
    const cartToken = `${cart}-token`;
    await shop.shopify('carts/create', {
      id: cartToken,
      token: cartToken,
      line_items: [],
      created_at: new Date().toISOString(),
      updated_at: new Date().toISOString(),
    });
    await shop.shopify('checkouts/create', checkout(cart, null, email));
    const first = await enrolled(cart);
    await letTimePass(shop, hourMs + 1_000);
    for (const [step, hours] of [
      ['popup_1h', 1],
      ['email_2h', 22],
      ['email_24h', 24],
      ['email_48h', 24],
      ['email_72h', 0],
    ] as const) {
      await dispatch(first.id, step);
      await letTimePass(shop, hours * hourMs);
    }
    expect(await shop.enrollmentOf(cart)).toMatchObject({ status: 'COMPLETED' });
    await shop.shopify('checkouts/update', checkout(cart, cartToken, email));
    const orderId = 700 + counter;
    await shop.shopify('orders/create', {
      id: orderId,
      checkout_token: cart,
      cart_token: cartToken,
      email,
      currency: 'EUR',
      total_price: '59.00',
      line_items: [],
    });
    const found = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx
        .select()
        .from(conversions)
        .where(eq(conversions.orderId, String(orderId))),
    );
    expect(found).toMatchObject([{ enrollmentId: first.id }]);
  });

  test('a merge that brings an order along ends a sequence that had not been activated, and does not say that its cart was bought', async () => {
    const { cart, email, phone } = names();
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 60_000 });
    await enrolled(cart);
    await shop.post('order.placed', { order: { id: `o-${cart}`, currency: 'EUR', total: '10.00' }, contact: { phone } }, { at: Date.now() - 30_000 });
    await shop.post('contact.updated', { contact: { email, phone } });
    expect(await shop.enrollmentOf(cart)).toMatchObject({ status: 'EXITED', stopReason: 'purchased_elsewhere' });
  });

  test('an order for the older of two carts of a person: it is a recovery, and the newer conversation ends', async () => {
    const [two, one] = [names(), names()];
    await shop.post('cart.updated', aCart(two.cart, one.email), { at: Date.now() - 3_000 });
    await letTimePass(shop, hourMs + 1_000);
    await dispatch((await enrolled(two.cart)).id, 'popup_1h');
    await shop.post('cart.updated', aCart(one.cart, one.email), { at: Date.now() - 2_000 });
    expect(await shop.enrollmentOf(two.cart)).toMatchObject({ status: 'EXITED', stopReason: 'superseded' });
    await letTimePass(shop, hourMs + 1_000);
    await dispatch((await enrolled(one.cart)).id, 'popup_1h');
    await shop.post('order.placed', {
      order: { id: `o-${one.cart}`, currency: 'EUR', total: '259.80' },
      cart_id: two.cart,
      contact: { email: one.email },
    });
    expect(await shop.enrollmentOf(one.cart)).toMatchObject({ status: 'EXITED', stopReason: 'purchased_elsewhere' });
    // Its sequence had given way, but its cart was bought: the order is credited to it.
    const { id } = await enrolled(two.cart);
    const credited = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx.select({ order: conversions.orderId }).from(conversions).where(eq(conversions.enrollmentId, id)),
    );
    expect(credited).toEqual([{ order: `o-${one.cart}` }]);
  });

  test('a sequence that was ended by hand before it was activated does not start again for that cart', async () => {
    const { cart, email } = names();
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 3_000 });
    const { id } = await enrolled(cart);
    await stopByHand(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, note: 'a friend of the house', actor: 'test' });
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 1_000 });
    expect(await enrollmentsOf(cart)).toMatchObject([{ id }]);
  });

  test('a cart that was deleted under one of its keys is deleted, also where that turns out later', async () => {
    const { cart, email } = names();
    await shop.shopify('checkouts/create', { ...checkout(cart, null, email), id: null });
    const { id } = await enrolled(cart);
    const deletedId = Number.parseInt(randomUUID().slice(0, 8), 16);
    await shop.shopify('checkouts/delete', { id: deletedId });
    expect(await shop.enrollmentOf(cart)).toMatchObject({ endedAt: null });
    await shop.shopify('checkouts/update', { ...checkout(cart, null, email), id: deletedId });
    expect(await shop.enrollmentOf(cart)).toMatchObject({ id, status: 'EXITED', stopReason: 'cart_deleted' });
    await shop.shopify('checkouts/update', { ...checkout(cart, null, email), id: deletedId });
    expect(await enrollmentsOf(cart)).toMatchObject([{ id }]);
  });

  test('a cart whose other name has just begun a sequence of its own does not run through it twice', async () => {
    const { cart, email } = names();
    const other = `${cart}0`;
    await shop.shopify('checkouts/create', checkout(cart, null, email));
    const first = await enrolled(cart);
    await letTimePass(shop, hourMs + 1_000);
    await dispatch(first.id, 'popup_1h');
    await shop.post('message.received', { contact: { email }, channel: 'email', text: 'No, thank you' }, { at: Date.now() - hourMs });
    await shop.shopify('checkouts/create', checkout(other, `${cart}-token`, email));
    const second = await enrolled(other);
    await shop.shopify('checkouts/update', checkout(cart, `${cart}-token`, email));
    const all = await enrollmentsOf(cart);
    expect(all.find((e) => e.id === second.id)).toMatchObject({ stopReason: 'merged' });
    expect(all.filter((e) => e.endedAt === null)).toEqual([]);
  });
});
