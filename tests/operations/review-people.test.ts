import { eq } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conversions, enrollments, subjectKeys } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';
import { createStubSender, startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';

// Consent, addresses and carts in unkind orders.

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
  return { cart: `cart-${counter}`, email: `person-${counter}@example.com`, phone: `+1202555${String(1_000 + counter)}`, id: `customer-${counter}` };
}
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const enrolled = (cartId: string) => until('the enrollment', () => shop.enrollmentOf(cartId));
const rowOf = async (enrollmentId: string, stepId: string) => (await shop.ledgerOf(enrollmentId)).find((m) => m.stepId === stepId);
const enrollmentsOf = (cartId: string) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({ id: enrollments.id, status: enrollments.status, endedAt: enrollments.endedAt })
      .from(enrollments)
      .innerJoin(subjectKeys, eq(subjectKeys.subjectId, enrollments.subjectId))
      .where(eq(subjectKeys.value, cartId)),
  );

describe('opting out and in', () => {
  test('an opt-out by the shop’s own id holds for the addresses that become known later', async () => {
    const { cart, email, id } = names();
    await shop.post('contact.opted_out', { contact: { id } });
    await shop.post('cart.updated', { ...aCart(cart, null), contact: { id, email, marketing: { email: true } } }, { at: Date.now() + 1_000 });
    expect(await shop.enrollmentOf(cart)).toBeNull();
  });

  test('an opt-in from before the opt-out lifts nothing, also when the person has been merged since', async () => {
    const [older, younger] = [names(), names()];
    await shop.post('contact.updated', { contact: { phone: older.phone } });
    await shop.post('contact.opted_out', { contact: { email: younger.email } }, { at: Date.now() });
    await shop.post('contact.updated', { contact: { phone: older.phone, email: younger.email } });
    await shop.post('contact.opted_in', { contact: { email: younger.email }, channel: 'email' }, { at: Date.now() - hourMs });
    await shop.post('cart.updated', aCart(younger.cart, younger.email), { at: Date.now() + 1_000 });
    expect(await shop.enrollmentOf(younger.cart)).toBeNull();
  });

  test('an opt-in lifts an older opt-out, whatever the person said about another channel since', async () => {
    const { cart, email, phone } = names();
    const contact = { email, phone };
    await shop.post('contact.opted_out', { contact }, { at: Date.now() - 2 * hourMs });
    await shop.post('contact.updated', { contact: { ...contact, marketing: { sms: false } } }, { at: Date.now() });
    await shop.post('contact.opted_in', { contact, channel: 'email' }, { at: Date.now() - hourMs });
    await shop.post('cart.updated', { ...aCart(cart, null), contact }, { at: Date.now() + 1_000 });
    expect(await shop.enrollmentOf(cart)).not.toBeNull();
  });

  test('a complaint after an ordinary opt-out is final for the address, also for another customer who has it', async () => {
    const { cart, email, id } = names();
    await shop.post('contact.opted_out', { contact: { id, email } });
    await shop.post('contact.opted_out', { contact: { id, email }, final: true });
    const other = { id: `${id}-other`, email };
    await shop.post('contact.opted_in', { contact: other, channel: 'email' }, { at: Date.now() + 1_000 });
    await shop.post('cart.updated', { ...aCart(cart, null), contact: other }, { at: Date.now() + 2_000 });
    expect(await shop.enrollmentOf(cart)).toBeNull();
  });

  test('of three statements that arrive out of order the latest counts, also when it repeats the first', async () => {
    const { cart, email } = names();
    const at = Date.now() - 10_000;
    await shop.post('contact.updated', { contact: { email, marketing: { email: false } } }, { at });
    await shop.post('contact.updated', { contact: { email, marketing: { email: false } } }, { at: at + 4_000 });
    await shop.post('contact.updated', { contact: { email, marketing: { email: true } } }, { at: at + 2_000 });
    await shop.post('cart.updated', aCart(cart, email));
    const { id } = await enrolled(cart);
    await letTimePass(shop, 2 * hourMs + 1_000);
    await dispatch(id, 'popup_1h');
    await dispatch(id, 'email_2h');
    expect(await rowOf(id, 'email_2h')).toMatchObject({ state: 'skipped', skipReason: 'no_consent' });
  });

  test('an opt-out of an address that nobody has yet keeps its first cart from starting', async () => {
    const { cart, email } = names();
    await shop.post('contact.opted_out', { contact: { email } });
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() + 1_000 });
    expect(await shop.enrollmentOf(cart)).toBeNull();
  });
});

describe('addresses', () => {
  test('an address that was refused for good blocks itself, not the corrected one', async () => {
    const { cart, email, id } = names();
    await shop.post('cart.updated', { ...aCart(cart, null), contact: { id, email: `typo-${email}` } });
    const enrollment = await enrolled(cart);
    await letTimePass(shop, 2 * hourMs + 1_000);
    await dispatch(enrollment.id, 'popup_1h');
    provider.next({ act: 'answer', status: 422 });
    await dispatch(enrollment.id, 'email_2h');
    expect(await rowOf(enrollment.id, 'email_2h')).toMatchObject({ skipReason: 'suppressed' });
    await shop.post('cart.updated', { ...aCart(cart, null), contact: { id, email } });
    await letTimePass(shop, 22 * hourMs);
    await dispatch(enrollment.id, 'email_24h');
    expect(await rowOf(enrollment.id, 'email_24h')).toMatchObject({ state: 'sent', payload: { to: { address: email } } });
  });
});

describe('carts', () => {
  test('a cart that was emptied before it counted as abandoned, and filled again, may start its sequence', async () => {
    const { cart, email } = names();
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 3_000 });
    await shop.post('cart.updated', aCart(cart, email, { items: [], total: '0.00' }), { at: Date.now() - 2_000 });
    expect(await shop.enrollmentOf(cart)).toMatchObject({ stopReason: 'not_abandoned', activatedAt: null });
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 1_000 });
    // Re-entry counts only activated enrollments (design, section 4, rule 3).
    expect((await enrollmentsOf(cart)).filter((e) => e.endedAt === null)).toHaveLength(1);
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

  test('a merge that brings an order along ends a sequence that had not been activated as not_abandoned', async () => {
    const { cart, email, phone } = names();
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 60_000 });
    await enrolled(cart);
    await shop.post('order.placed', { order: { id: `o-${cart}`, currency: 'EUR', total: '10.00' }, contact: { phone } }, { at: Date.now() - 30_000 });
    await shop.post('contact.updated', { contact: { email, phone } });
    expect(await shop.enrollmentOf(cart)).toMatchObject({ status: 'EXITED', stopReason: 'not_abandoned' });
  });

  test('one order for two carts of a person: both end, the matched one alone is a recovery', async () => {
    const [one, two] = [names(), names()];
    for (const { cart } of [one, two]) await shop.post('cart.updated', aCart(cart, one.email));
    await letTimePass(shop, hourMs + 1_000);
    for (const { cart } of [one, two]) await dispatch((await enrolled(cart)).id, 'popup_1h');
    await shop.post('order.placed', {
      order: { id: `o-${one.cart}`, currency: 'EUR', total: '259.80' },
      cart_id: two.cart,
      contact: { email: one.email },
    });
    expect(await shop.enrollmentOf(one.cart)).toMatchObject({ status: 'EXITED', stopReason: 'purchased_elsewhere' });
    expect(await shop.enrollmentOf(two.cart)).toMatchObject({ status: 'CONVERTED', stopReason: 'purchased' });
  });
});

describe('values at the edge', () => {
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
});

describe('hot paths', () => {
  /** The plan of a query with sequential scans forbidden: an index that could be used is used. */
  async function planOf(query: string): Promise<string> {
    const owner = new pg.Client({ connectionString: shop.database.url });
    await owner.connect();
    try {
      await owner.query('set enable_seqscan = off');
      const { rows } = await owner.query<{ 'QUERY PLAN': string }>(`explain ${query}`);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    } finally {
      await owner.end();
    }
  }
  const tenant = "tenant_id = '00000000-0000-7000-8000-000000000000'";
  const id = "'00000000-0000-7000-8000-000000000001'";

  test('every stop looks up a contact’s enrollments by an index', async () => {
    expect(await planOf(`select id from enrollments where ${tenant} and contact_id in (${id}) and ended_at is null`)).toMatch(
      /Index Cond:.*contact_id/,
    );
    expect(await planOf(`select id from enrollments where ${tenant} and contact_id in (${id})`)).toMatch(/Index Cond:.*contact_id/);
  });

  test('the reconciler walks open enrollments only', async () => {
    expect(await planOf(`select id from enrollments where ${tenant} and ended_at is null and id > ${id} order by id limit 500`)).toMatch(
      /enrollments_open/,
    );
  });
});
