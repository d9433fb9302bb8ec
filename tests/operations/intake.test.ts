import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contactIdentities, contacts, conversions, enrollments, inbox, outbox, quarantine, subjects } from '../../db/schema/index.ts';
import { applyPending } from '../../operations/accept-delivery.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const rows = <T>(query: (tx: Parameters<Parameters<Shop['deps']['db']['withTenant']>[1]>[0]) => Promise<T>) =>
  shop.deps.db.withTenant(shop.tenant.tenantId, query);
const order = (id: string, more: Record<string, unknown>) => ({ order: { id, currency: 'EUR', total: '129.90' }, ...more });
const nameIt = () => `c-${randomUUID().slice(0, 8)}`;

describe('deliveries', () => {
  test('the same webhook fifty times at once takes effect once and is answered 200 fifty times', async () => {
    const cart = nameIt();
    const id = randomUUID();
    const answers = await Promise.all(Array.from({ length: 50 }, () => shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { id })));
    expect(answers.every((a) => a.status === 200)).toBe(true);
    expect(answers.filter((a) => (a.body as { status: string }).status === 'applied')).toHaveLength(1);
    const found = await rows((tx) => tx.select().from(inbox).where(eq(inbox.dedupeKey, id)));
    expect(found).toHaveLength(1);
    const enrollment = await shop.enrollmentOf(cart);
    const queued = await rows((tx) =>
      tx
        .select()
        .from(outbox)
        .where(eq(outbox.enrollmentId, enrollment?.id ?? '')),
    );
    expect(queued.map((o) => o.kind)).toEqual(['start']);
  });

  test('fifty different updates of one new cart at once make one subject, one person, one enrollment', async () => {
    const cart = nameIt();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        shop.post('cart.updated', aCart(cart, `${cart}@example.com`, { total: `${100 + i}.00` }), { at: Date.now() - i * 1_000 }),
      ),
    );
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([200]));
    while ((await applyPending(shop.deps)) > 0);
    const people = await rows((tx) =>
      tx
        .select()
        .from(contactIdentities)
        .where(eq(contactIdentities.value, `${cart}@example.com`)),
    );
    expect(people).toHaveLength(1);
    const all = await rows((tx) =>
      tx
        .select({ s: subjects, e: enrollments })
        .from(subjects)
        .leftJoin(enrollments, eq(enrollments.subjectId, subjects.id))
        .where(eq(subjects.contactId, people[0]?.contactId ?? '')),
    );
    expect(all).toHaveLength(1);
    // Folded by the provider's clock: the newest total stays, whichever came last.
    expect(all[0]?.s.totalMinor).toBe(10_000);
  });

  test('an unknown topic is recorded as ignored, an unreadable event is kept with its reason', async () => {
    expect(await shop.shopify('themes/publish', { id: 1 })).toEqual({ status: 200, body: { status: 'ignored' } });
    const id = randomUUID();
    expect((await shop.post('cart.updated', { cart: { total: '1.00' } }, { id })).status).toBe(422);
    const kept = await rows((tx) => tx.select().from(quarantine));
    expect(kept.at(-1)?.reason).toMatch(/currency/);
    expect(JSON.parse(kept.at(-1)?.body ?? '')).toMatchObject({ type: 'cart.updated' });
    expect((await shop.post('cart.updated', { cart: { total: '1.00' } }, { id })).status).toBe(422);
    expect(await rows((tx) => tx.select().from(quarantine))).toHaveLength(kept.length);
  });

  test('an event whose person is locked is stored, answered when it is no stop, and applied later', async () => {
    const cart = nameIt();
    await shop.post('cart.updated', aCart(cart, `${cart}@example.com`));
    const locker = new pg.Client({ connectionString: shop.database.url });
    await locker.connect();
    await locker.query('begin');
    await locker.query('select * from contacts for no key update');
    expect(await shop.post('cart.updated', aCart(cart, `${cart}@example.com`, { total: '50.00' }), { at: Date.now() + 1_000 })).toEqual({
      status: 200,
      body: { status: 'pending' },
    });
    // A purchase must not be answered before it is written.
    const id = randomUUID();
    const bought = await shop.post('order.placed', order(nameIt(), { cart_id: cart }), { id });
    expect(bought.status).toBe(503);
    expect((await shop.enrollmentOf(cart))?.endedAt).toBeNull();
    await locker.query('rollback');
    await locker.end();
    // The attempt that was answered 503 may apply one of the two itself, once the lock is free.
    await until('both are applied', async () => {
      await applyPending(shop.deps);
      return (await shop.enrollmentOf(cart))?.endedAt != null;
    });
    // The shop repeats what was answered 503, and now it is a repeat.
    expect(await shop.post('order.placed', order(nameIt(), { cart_id: cart }), { id })).toEqual({ status: 200, body: { status: 'repeated' } });
  });
});

describe('order of events', () => {
  test('an order that arrives before its cart absorbs it: nothing begins', async () => {
    const cart = nameIt();
    await shop.post('order.placed', order(nameIt(), { cart_id: cart }), { at: Date.now() });
    await shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() - 60_000 });
    expect(await shop.enrollmentOf(cart)).toBeNull();
    // Also when the cart's event is newer by the shop's clock: converted absorbs.
    await shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() + 60_000 });
    expect(await shop.enrollmentOf(cart)).toBeNull();
  });

  test('an order without a cart, known by address only, stops what is older and not what is newer', async () => {
    const [old, fresh] = [nameIt(), nameIt()];
    const email = `${old}@example.com`;
    const hour = 3_600_000;
    await shop.post('cart.updated', aCart(old, email, { created_at: new Date(Date.now() - 3 * hour).toISOString() }), { at: Date.now() - 3 * hour });
    await shop.post('cart.updated', aCart(fresh, email, { created_at: new Date(Date.now() - hour).toISOString() }), { at: Date.now() - hour });
    await shop.post('order.placed', order(nameIt(), { contact: { email } }), { at: Date.now() - 2 * hour });
    expect((await shop.enrollmentOf(old))?.endedAt).not.toBeNull();
    expect((await shop.enrollmentOf(fresh))?.endedAt).toBeNull();
  });

  test('an older cart event after an order by the same person begins nothing', async () => {
    const cart = nameIt();
    const email = `${cart}@example.com`;
    await shop.post('order.placed', order(nameIt(), { contact: { email } }), { at: Date.now() });
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 60_000 });
    expect(await shop.enrollmentOf(cart)).toBeNull();
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() + 1_000 });
    expect(await shop.enrollmentOf(cart)).not.toBeNull();
  });

  test('an order counts once, however many events speak of it, and a cancelled one does not restart the sequence', async () => {
    const [cart, orderId] = [nameIt(), nameIt()];
    await shop.post('cart.updated', aCart(cart, `${cart}@example.com`));
    await shop.post('order.placed', order(orderId, { cart_id: cart }));
    await shop.post('order.placed', order(orderId, { cart_id: cart }));
    await shop.post('order.cancelled', { order: { id: orderId } });
    const found = await rows((tx) => tx.select().from(conversions).where(eq(conversions.orderId, orderId)));
    expect(found).toHaveLength(1);
    expect(found[0]?.reversedAt).not.toBeNull();
    await shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() + 5_000 });
    const all = await rows((tx) =>
      tx
        .select()
        .from(enrollments)
        .where(eq(enrollments.subjectId, found[0]?.subjectId ?? '')),
    );
    expect(all).toMatchObject([{ status: 'EXITED', stopReason: 'not_abandoned' }]);
  });
});

describe('who it is', () => {
  test('a cart without address starts nothing until one arrives; then cart and sequence are theirs', async () => {
    const cart = nameIt();
    await shop.post('cart.updated', aCart(cart, null));
    expect(await shop.enrollmentOf(cart)).toBeNull();
    await shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() + 1_000 });
    const enrollment = await shop.enrollmentOf(cart);
    const [identity] = await rows((tx) =>
      tx
        .select()
        .from(contactIdentities)
        .where(eq(contactIdentities.value, `${cart}@example.com`)),
    );
    expect(enrollment?.contactId).toBe(identity?.contactId);
  });

  test('when the address of a cart changes, its running sequence moves', async () => {
    const cart = nameIt();
    await shop.post('cart.updated', aCart(cart, `typo-${cart}@example.com`));
    await shop.post('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() + 1_000 });
    const [identity] = await rows((tx) =>
      tx
        .select()
        .from(contactIdentities)
        .where(eq(contactIdentities.value, `${cart}@example.com`)),
    );
    expect((await shop.enrollmentOf(cart))?.contactId).toBe(identity?.contactId);
  });

  test('two people become one when an event names an address and a number of each, and a stop of one reaches both', async () => {
    const [a, b] = [nameIt(), nameIt()];
    const phone = `+1202555${String(Math.floor(1_000 + Math.random() * 8_999))}`;
    await shop.post('cart.updated', aCart(a, `${a}@example.com`));
    await shop.post('cart.updated', { ...aCart(b, null), contact: { phone } });
    await shop.post('contact.updated', { contact: { email: `${a}@example.com`, phone } });
    await shop.post('message.received', { contact: { phone }, channel: 'sms', text: 'I will come by tomorrow' });
    expect(await shop.enrollmentOf(a)).toMatchObject({ status: 'EXITED', stopReason: 'replied' });
  });

  test('people with different verified ids are never merged, but a stop reaches everybody who shares the address', async () => {
    const [a, b] = [nameIt(), nameIt()];
    const email = `${a}@example.com`;
    await shop.post('cart.updated', { ...aCart(a, null), contact: { id: `id-${a}`, email } });
    await shop.post('cart.updated', { ...aCart(b, null), contact: { id: `id-${b}`, email } });
    const found = await rows((tx) =>
      tx
        .select({ personId: contacts.personId })
        .from(contactIdentities)
        .innerJoin(contacts, eq(contacts.id, contactIdentities.contactId))
        .where(eq(contactIdentities.value, email)),
    );
    expect(new Set(found.map((f) => f.personId)).size).toBe(2);
    await shop.post('contact.opted_out', { contact: { email } });
    expect((await shop.enrollmentOf(a))?.stopReason).toBe('opted_out');
    expect((await shop.enrollmentOf(b))?.stopReason).toBe('opted_out');
  });

  test('STOP in a text is an opt-out; START lifts it again, but not a complaint', async () => {
    const cart = nameIt();
    const phone = `+1202556${String(Math.floor(1_000 + Math.random() * 8_999))}`;
    const contact = { email: `${cart}@example.com`, phone };
    await shop.post('cart.updated', { ...aCart(cart, null), contact });
    await shop.post('message.received', { contact: { phone }, channel: 'sms', text: ' Stop. ' });
    expect((await shop.enrollmentOf(cart))?.stopReason).toBe('opted_out');
    const second = nameIt();
    await shop.post('cart.updated', { ...aCart(second, null), contact });
    expect(await shop.enrollmentOf(second)).toBeNull();
    await shop.post('contact.opted_in', { contact, channel: 'email' }, { at: Date.now() + 1_000 });
    await shop.post('cart.updated', { ...aCart(second, null), contact }, { at: Date.now() + 2_000 });
    expect(await shop.enrollmentOf(second)).not.toBeNull();
    await shop.post('contact.opted_out', { contact, final: true });
    await shop.post('contact.opted_in', { contact, channel: 'email' }, { at: Date.now() + 3_000 });
    const third = nameIt();
    await shop.post('cart.updated', { ...aCart(third, null), contact }, { at: Date.now() + 4_000 });
    expect(await shop.enrollmentOf(third)).toBeNull();
  });
});

describe('Shopify’s real shapes', () => {
  const idOf = (token: string) => Number.parseInt(token.slice(2, 10), 16);
  const checkout = (token: string, cartToken: string, more: Record<string, unknown>) => ({
    id: idOf(token),
    token,
    cart_token: cartToken,
    email: null,
    created_at: new Date().toISOString(),
    updated_at: new Date().toISOString(),
    currency: 'EUR',
    presentment_currency: 'EUR',
    total_price: '59.00',
    line_items: [{ title: 'Oak tray', quantity: 1, price: '59.00', variant_title: 'Large' }],
    shipping_address: [],
    abandoned_checkout_url: `https://shop.example.com/checkouts/${token}/recover`,
    ...more,
  });

  test('a cart known first by its cart token, then by its checkout token, is one cart; its order by either stops it', async () => {
    const [token, cartToken] = [nameIt(), nameIt()];
    await shop.shopify('carts/create', {
      id: cartToken,
      token: cartToken,
      line_items: [],
      updated_at: new Date().toISOString(),
      created_at: new Date().toISOString(),
    });
    await shop.shopify('checkouts/create', checkout(token, cartToken, {}));
    expect(await shop.enrollmentOf(token)).toBeNull();
    await shop.shopify(
      'checkouts/update',
      checkout(token, cartToken, { email: `${token}@example.com`, updated_at: new Date(Date.now() + 1_000).toISOString() }),
    );
    const enrollment = await until('enrollment', () => shop.enrollmentOf(token));
    expect((await shop.enrollmentOf(cartToken))?.id).toBe(enrollment.id);
    await shop.shopify('orders/create', {
      id: 7,
      checkout_token: null,
      cart_token: cartToken,
      email: 'other@example.com',
      currency: 'EUR',
      total_price: '59.00',
      created_at: new Date().toISOString(),
      updated_at: new Date().toISOString(),
      line_items: [],
    });
    expect((await shop.enrollmentOf(token))?.stopReason).toBe('not_abandoned');
  });

  test('two carts that turn out to be one end as one sequence', async () => {
    const [token, cartToken] = [nameIt(), nameIt()];
    const email = `${token}@example.com`;
    await shop.shopify('checkouts/create', checkout(token, '', { cart_token: null, email }));
    await shop.shopify('checkouts/create', checkout(`${token}-2`, cartToken, { email }));
    await shop.shopify('checkouts/update', checkout(token, cartToken, { email, updated_at: new Date(Date.now() + 1_000).toISOString() }));
    const first = await shop.enrollmentOf(token);
    expect(first?.endedAt).toBeNull();
    expect((await shop.enrollmentOf(`${token}-2`))?.id).toBe(first?.id);
  });

  test('a deleted checkout ends its sequence and cannot start one', async () => {
    const token = nameIt();
    await shop.shopify('checkouts/create', checkout(token, nameIt(), { email: `${token}@example.com` }));
    await shop.shopify('checkouts/delete', { id: idOf(token), token });
    expect((await shop.enrollmentOf(token))?.endedAt).not.toBeNull();
    const late = nameIt();
    await shop.shopify('checkouts/delete', { id: idOf(late), token: late });
    await shop.shopify('checkouts/create', checkout(late, nameIt(), { email: `${late}@example.com` }));
    expect(await shop.enrollmentOf(late)).toBeNull();
  });
});
