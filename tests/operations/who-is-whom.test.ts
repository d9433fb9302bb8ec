import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contacts, inbox } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// Persons and the numbers that they share (docs/rules.md#rule-10).

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
function names() {
  counter += 1;
  return { cart: `cart-${counter}`, email: `person-${counter}@example.com`, phone: `+1202555${String(1_000 + counter)}`, id: `customer-${counter}` };
}
const cartOf = (cart: string, contact: Record<string, unknown>, title = 'Walnut desk lamp') => ({
  ...aCart(cart, null, { items: [{ title, quantity: 1, price: '129.90' }] }),
  contact,
});
const enrolled = (cart: string) => until('the enrollment', () => shop.enrollmentOf(cart));
const personsOf = async (carts: string[]) => {
  const ids = await Promise.all(carts.map(async (cart) => (await enrolled(cart)).contactId));
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(contacts));
  return ids.map((id) => rows.find((r) => r.id === id)?.personId);
};
/** The address that the first email of a cart goes to. */
async function addressOfEmail(cart: string): Promise<string | undefined> {
  const { id } = await enrolled(cart);
  await letTimePass(shop, 2 * hourMs + 1_000);
  for (const stepId of ['popup_1h', 'email_2h']) await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId });
  const payload = (await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h')?.payload;
  return payload?.channel === 'email' ? payload.to.address : undefined;
}
const notesOf = async (topic: string) => {
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(inbox).where(eq(inbox.topic, topic)).orderBy(inbox.id));
  return rows.at(-1)?.notes;
};

describe('a shared number merges nobody', () => {
  test('each of two guests gets the emails about their own cart', async () => {
    const [petra, jonas] = [names(), names()];
    await shop.post('cart.updated', cartOf(petra.cart, { email: petra.email, phone: petra.phone }), { at: Date.now() - 2_000 });
    await shop.post('cart.updated', cartOf(jonas.cart, { email: jonas.email, phone: petra.phone }), { at: Date.now() - 1_000 });
    const [one, other] = await personsOf([petra.cart, jonas.cart]);
    expect(one).not.toBe(other);
    expect(await addressOfEmail(petra.cart)).toBe(petra.email);
    expect(await addressOfEmail(jonas.cart)).toBe(jonas.email);
  });

  test('an opt-out by text closes the number, and nobody’s emails; of its only holder it closes everything', async () => {
    const [petra, jonas, solo] = [names(), names(), names()];
    for (const { cart, email } of [petra, jonas]) await shop.post('cart.updated', cartOf(cart, { email, phone: petra.phone }));
    await shop.post('cart.updated', cartOf(solo.cart, { email: solo.email, phone: solo.phone }));
    for (const { phone } of [petra, solo])
      expect((await shop.post('message.received', { contact: { phone }, channel: 'sms', text: 'STOP' })).status).toBe(200);
    expect(await addressOfEmail(petra.cart)).toBe(petra.email);
    expect(await addressOfEmail(jonas.cart)).toBe(jonas.email);
    expect(await enrolled(solo.cart)).toMatchObject({ status: 'EXITED', stopReason: 'opted_out' });
    // Whoever takes the number over later has not opted out.
    const heir = names();
    await shop.post('cart.updated', cartOf(heir.cart, { email: heir.email, phone: solo.phone }));
    expect(await enrolled(heir.cart)).toMatchObject({ status: 'ACTIVE' });
  });

  test('what somebody known by the number alone has refused holds for the address that they name later', async () => {
    const { cart, email, phone } = names();
    await shop.post('contact.opted_out', { contact: { phone } });
    await shop.post('cart.updated', cartOf(cart, { email, phone }), { at: Date.now() + 1_000 });
    expect(await shop.enrollmentOf(cart)).toBeNull();
  });

  test('a reply by the number alone reaches each of the few who have it', async () => {
    const [petra, jonas] = [names(), names()];
    for (const { cart, email } of [petra, jonas]) await shop.post('cart.updated', cartOf(cart, { email, phone: petra.phone }));
    await shop.post('message.received', { contact: { phone: petra.phone }, channel: 'sms', text: 'Is it still there?' });
    for (const { cart } of [petra, jonas]) expect(await enrolled(cart)).toMatchObject({ stopReason: 'replied' });
  });

  test('a number that more than five people have reaches nobody, and the delivery says why', async () => {
    const everybody = Array.from({ length: 7 }, names);
    const phone = everybody[0]?.phone;
    for (const { cart, email } of everybody) await shop.post('cart.updated', cartOf(cart, { email, phone }));
    expect((await shop.post('message.received', { contact: { phone }, channel: 'sms', text: 'Who is this?' })).status).toBe(200);
    for (const { cart } of everybody) expect(await enrolled(cart)).toMatchObject({ status: 'ACTIVE' });
    expect(await notesOf('message.received')).toMatchObject([{ field: 'phone', reason: expect.stringMatching(/names nobody/) }]);
  });

  test('a purchase under another address stops the cart with the same product of a person who shares the number, and no other', async () => {
    const [buyer, same, other] = [names(), names(), names()];
    await shop.post('cart.updated', cartOf(buyer.cart, { email: buyer.email, phone: buyer.phone }), { at: Date.now() - 3_000 });
    await shop.post('cart.updated', cartOf(same.cart, { email: same.email, phone: buyer.phone }), { at: Date.now() - 3_000 });
    await shop.post('cart.updated', cartOf(other.cart, { email: other.email, phone: buyer.phone }, 'Linen runner'), { at: Date.now() - 3_000 });
    const order = { id: `o-${buyer.cart}`, currency: 'EUR', total: '129.90' };
    await shop.post('order.placed', { order, cart_id: buyer.cart, contact: { email: buyer.email, phone: buyer.phone } });
    expect((await enrolled(buyer.cart)).endedAt).not.toBeNull();
    expect((await enrolled(same.cart)).endedAt).not.toBeNull();
    expect(await enrolled(other.cart)).toMatchObject({ status: 'ACTIVE' });
  });
});

test('an email about a cart goes to the address that this cart was left with', async () => {
  const { id, email: office } = names();
  const home = names().email;
  const [first, second, third] = [names(), names(), names()];
  const order = (cart: string) =>
    shop.post('order.placed', { order: { id: `o-${cart}`, currency: 'EUR', total: '1.00' }, cart_id: cart, contact: { id } });
  await shop.post('cart.updated', cartOf(first.cart, { id, email: office }), { at: Date.now() - 50_000 });
  await order(first.cart);
  await shop.post('cart.updated', cartOf(second.cart, { id, email: home }), { at: Date.now() + 100 });
  await order(second.cart);
  await shop.post('cart.updated', cartOf(third.cart, { id, email: office }), { at: Date.now() + 500 });
  expect(await addressOfEmail(third.cart)).toBe(office);
});

test('one person with two carts is in one conversation, about the newer one, whichever is heard of first', async () => {
  const [phone, desk] = [names(), names()];
  const cart = (id: string, at: number) => shop.post('cart.updated', cartOf(id, { email: phone.email }), { at });
  await cart(phone.cart, Date.now() - 2_000);
  await cart(desk.cart, Date.now() - 1_000);
  expect(await enrolled(phone.cart)).toMatchObject({ status: 'EXITED', stopReason: 'superseded' });
  expect(await enrolled(desk.cart)).toMatchObject({ status: 'ACTIVE' });
  const late = names();
  await cart(late.cart, Date.now() - 3_000);
  expect(await shop.enrollmentOf(late.cart)).toBeNull();
});

test('persons who become one keep one conversation', async () => {
  const [a, b] = [names(), names()];
  await shop.post('cart.updated', cartOf(a.cart, { email: a.email }), { at: Date.now() - 2_000 });
  await shop.post('cart.updated', cartOf(b.cart, { id: b.id, email: b.email }), { at: Date.now() - 1_000 });
  await shop.post('contact.updated', { contact: { id: b.id, email: a.email } });
  expect(await enrolled(a.cart)).toMatchObject({ stopReason: 'superseded' });
  expect(await enrolled(b.cart)).toMatchObject({ status: 'ACTIVE' });
});

test('messages to one person keep three hours apart, also where they are of different sequences', async () => {
  const side = await openShop({ timeScale: 1, together: 'many', sender: createStubSender(provider.port, { kind: 'none' }) });
  try {
    const { email } = names();
    const carts = [names().cart, names().cart];
    for (const [at, cart] of carts.entries()) await side.post('cart.updated', cartOf(cart, { email }), { at: Date.now() - 2_000 + at });
    await letTimePass(side, 2 * hourMs + 1_000);
    const ids = await Promise.all(carts.map(async (cart) => (await side.enrollmentOf(cart))?.id ?? ''));
    const results = [];
    for (const enrollmentId of ids) {
      for (const stepId of ['popup_1h', 'email_2h'])
        results.push(await dispatchStep(side.deps, { tenantId: side.tenant.tenantId, enrollmentId, stepId }));
    }
    const states = await Promise.all(ids.map(async (id) => (await side.ledgerOf(id)).find((m) => m.stepId === 'email_2h')?.state ?? 'put off'));
    expect(states).toEqual(['sent', 'put off']);
    expect(results.at(-1)).toMatchObject({ kind: 'done', progress: { notBeforeMs: { email_2h: expect.any(Number) } } });
  } finally {
    await side.close();
  }
});
