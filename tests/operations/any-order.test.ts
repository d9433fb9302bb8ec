import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conversions } from '../../db/schema/index.ts';
import { ask } from '../api/left-carts.ts';
import { aCart, openShop, type Shop } from '../helpers/shop.ts';

// What ends a sequence may arrive before the subject that it is about: both orders lead to the same.

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const minute = 60_000;
let count = 0;
function aPerson() {
  count += 1;
  return { id: `any-${count}`, email: `any-${count}@example.com`, phone: `+1202555${4_000 + count}` };
}
type Person = ReturnType<typeof aPerson>;

const applied = async (answer: Promise<{ status: number; body: unknown }>) =>
  expect(await answer).toMatchObject({ status: 200, body: { status: 'applied' } });
const leadAt = (agoMs: number, { id, email, phone }: Person) =>
  applied(shop.post('lead.created', { lead: { id, source: 'website', interest: 'a flat' }, contact: { email, phone } }, { at: Date.now() - agoMs }));
const callAt = (agoMs: number, data: Record<string, unknown>) => applied(shop.post('lead.contacted', data, { at: Date.now() - agoMs }));
const cartAt = (agoMs: number, { id, email }: Person) => applied(shop.post('cart.updated', aCart(id, email), { at: Date.now() - agoMs }));
const running = async (id: string) => {
  const enrollment = await shop.enrollmentOf(id);
  return enrollment !== null && enrollment !== undefined && enrollment.endedAt === null;
};
const whyOf = async (email: string) => {
  const { body } = await ask(shop, shop.tenant.apiKey, `/api/explain?email=${encodeURIComponent(email)}`);
  return (body as { subjects_without_sequence: { sentence: string }[] }).subjects_without_sequence.map((s) => s.sentence);
};

const checkout = ({ id, email }: Person) => ({
  ...{ id, token: id, email, currency: 'EUR', total_price: '59.00' },
  ...{ created_at: new Date(Date.now() - minute).toISOString(), updated_at: new Date(Date.now() - minute).toISOString() },
  line_items: [{ title: 'Oak tray', quantity: 1, price: '59.00' }],
  abandoned_checkout_url: `https://shop.example.com/checkouts/${id}/recover`,
});

describe.each([
  ['the lead’s id', ({ id }: Person) => ({ lead_id: id })],
  ['the person', ({ email }: Person) => ({ contact: { email } })],
  ['the number', ({ phone }: Person) => ({ contact: { phone } })],
  ['id and person', ({ id, email }: Person) => ({ lead_id: id, contact: { email } })],
])('a colleague’s call, known by %s', (_what, named) => {
  test('keeps a lead from before it from being written to, in both orders', async () => {
    const [late, early] = [aPerson(), aPerson()];
    await callAt(10 * minute, named(late));
    await leadAt(20 * minute, late);
    expect(await shop.enrollmentOf(late.id)).toBeNull();
    expect(await whyOf(late.email)).toEqual([expect.stringContaining('somebody has spoken with them already')]);
    // Reported again, it still does not begin.
    await leadAt(19 * minute, late);
    expect(await shop.enrollmentOf(late.id)).toBeNull();

    await leadAt(20 * minute, early);
    expect(await running(early.id)).toBe(true);
    await callAt(10 * minute, named(early));
    expect(await shop.enrollmentOf(early.id)).toMatchObject({ stopReason: 'contacted' });
  });
});

test.each([
  ['the person', ({ email }: Person) => ({ contact: { email } })],
  ['the number', ({ phone }: Person) => ({ contact: { phone } })],
])('a lead from after the call begins, known by %s, in both orders', async (_what, named) => {
  const [late, early] = [aPerson(), aPerson()];
  await callAt(20 * minute, named(late));
  await leadAt(10 * minute, late);
  expect(await running(late.id)).toBe(true);
  await leadAt(10 * minute, early);
  await callAt(20 * minute, named(early));
  expect(await running(early.id)).toBe(true);
});

test('a call that names a lead by its id concerns no other lead of the person', async () => {
  const person = aPerson();
  await callAt(10 * minute, { lead_id: `${person.id}-other` });
  await leadAt(20 * minute, person);
  expect(await running(person.id)).toBe(true);
});

test('a call about a lead that had no address yet keeps it from beginning when the address is there', async () => {
  const { id, email } = aPerson();
  await applied(shop.post('lead.created', { lead: { id, interest: 'a flat' } }, { at: Date.now() - 30 * minute }));
  await callAt(20 * minute, { lead_id: id });
  await applied(shop.post('lead.created', { lead: { id }, contact: { email } }, { at: Date.now() - 10 * minute }));
  expect(await shop.enrollmentOf(id)).toBeNull();
});

test('persons who become one: a call with either concerns the leads of both', async () => {
  const [called, other] = [aPerson(), aPerson()];
  await callAt(10 * minute, { contact: { email: called.email } });
  await leadAt(20 * minute, other);
  expect(await running(other.id)).toBe(true);
  // A shop's id that both have makes them one person.
  for (const email of [called.email, other.email]) await applied(shop.post('contact.updated', { contact: { email, id: `shop-${other.id}` } }));
  expect(await shop.enrollmentOf(other.id)).toMatchObject({ stopReason: 'contacted' });
});

describe('carts', () => {
  test('a deletion, in both orders', async () => {
    const [late, early] = [aPerson(), aPerson()];
    const removed = ({ id }: Person) => shop.shopify('checkouts/delete', { id: count, token: id });
    const created = (person: Person) => shop.shopify('checkouts/create', checkout(person));
    expect((await removed(late)).status).toBe(200);
    expect((await created(late)).status).toBe(200);
    expect(await running(late.id)).toBe(false);
    await created(early);
    expect(await running(early.id)).toBe(true);
    await removed(early);
    expect(await shop.enrollmentOf(early.id)).toMatchObject({ stopReason: 'cart_deleted' });
  });

  test('the cancellation of an order, in both orders', async () => {
    const placed = (id: string) =>
      applied(shop.post('order.placed', { order: { id, currency: 'EUR', total: '10.00' }, contact: { email: `${id}@example.com` } }));
    const cancelled = (id: string) => applied(shop.post('order.cancelled', { order: { id } }));
    const [late, early] = [aPerson().id, aPerson().id];
    await cancelled(late);
    await placed(late);
    await placed(early);
    await cancelled(early);
    const orders = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(conversions));
    expect(orders.filter((o) => o.orderId === late || o.orderId === early).map((o) => o.reversedAt)).toEqual([
      expect.any(Number),
      expect.any(Number),
    ]);
  });

  test('an opt-out before anybody is known, in both orders', async () => {
    const [late, early] = [aPerson(), aPerson()];
    const outAt = (agoMs: number, { email }: Person) =>
      applied(shop.post('contact.opted_out', { contact: { email }, channel: 'all' }, { at: Date.now() - agoMs }));
    await outAt(10 * minute, late);
    await cartAt(20 * minute, late);
    expect(await running(late.id)).toBe(false);
    await cartAt(20 * minute, early);
    await outAt(10 * minute, early);
    expect(await running(early.id)).toBe(false);
  });

  test('a reply before anybody is known, in both orders; a cart from after it begins', async () => {
    const [late, early, later] = [aPerson(), aPerson(), aPerson()];
    const replyAt = (agoMs: number, { email }: Person) =>
      applied(shop.post('message.received', { contact: { email }, channel: 'email', text: 'I need help' }, { at: Date.now() - agoMs }));
    await replyAt(10 * minute, late);
    await cartAt(20 * minute, late);
    expect(await running(late.id)).toBe(false);
    await cartAt(20 * minute, early);
    await replyAt(10 * minute, early);
    expect(await shop.enrollmentOf(early.id)).toMatchObject({ stopReason: 'replied' });
    await replyAt(20 * minute, later);
    await cartAt(10 * minute, later);
    expect(await running(later.id)).toBe(true);
  });
});
