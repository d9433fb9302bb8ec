import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { applyPending } from '../../operations/accept-delivery.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { unsubscribe } from '../../operations/stop-one.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// Whom a stop reaches: everybody who shares an identity (docs/rules.md#rule-10), and the person an email was really sent to.

const hourMs = 3_600_000;
let shop: Shop;
let provider: StubProvider;
let holdAt: Checkpoint | null = null;
let reached: () => void = () => undefined;
let held: Promise<void> = Promise.resolve();

async function open(): Promise<void> {
  provider = await startStubProvider(false);
  shop = await openShop({
    timeScale: 1,
    // Carts of one person run side by side, so that a stop has something to reach.
    together: 'many',
    sender: createStubSender(provider.port, { kind: 'none' }),
    checkpoints: async (point) => {
      if (point !== holdAt) return;
      holdAt = null;
      reached();
      await held;
    },
  });
}
afterEach(async () => {
  await shop.close();
  await provider.stop();
});

const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const enrolled = (cartId: string) => until('the enrollment', () => shop.enrollmentOf(cartId));
const rowOf = async (enrollmentId: string, stepId: string) => (await shop.ledgerOf(enrollmentId)).find((m) => m.stepId === stepId);

/** Hold the next dispatch that comes to `point`; answers when it is there. */
function holdNextAt(point: Checkpoint): { there: Promise<void>; release: () => void } {
  let release: () => void = () => undefined;
  held = new Promise((resolve) => (release = resolve));
  const there = new Promise<void>((resolve) => (reached = resolve));
  holdAt = point;
  return { there, release: () => release() };
}

test('an unsubscribe reaches the person the email was sent to, although the cart belongs to another address by now', async () => {
  await open();
  await shop.post('cart.updated', aCart('cart-1', 'first@example.com'), { at: Date.now() - 1_000 });
  await shop.post('cart.updated', aCart('cart-other', 'first@example.com'), { at: Date.now() - 1_000 });
  const enrollment = await enrolled('cart-1');
  await letTimePass(shop, 2 * hourMs + 1_000);
  await dispatch(enrollment.id, 'popup_1h');
  await dispatch(enrollment.id, 'email_2h');
  const mail = await rowOf(enrollment.id, 'email_2h');
  expect(mail).toMatchObject({ state: 'sent', payload: { to: { address: 'first@example.com' } } });

  await shop.post('cart.updated', aCart('cart-1', 'second@example.com'));
  expect(await unsubscribe(shop.deps, { tenantId: shop.tenant.tenantId, messageId: mail?.id ?? '' })).toBe('stopped');

  expect(await shop.enrollmentOf('cart-other')).toMatchObject({ status: 'EXITED', stopReason: 'opted_out' });
  await shop.post('cart.updated', aCart('cart-new', 'first@example.com'));
  expect(await shop.enrollmentOf('cart-new')).toBeNull();
});

test('an unsubscribe reaches everybody who has that address: no call to it is open or begins after the answer', async () => {
  await open();
  const email = 'family@example.com';
  await shop.post('cart.updated', { ...aCart('cart-a', null), contact: { id: 'customer-a', email } }, { at: Date.now() - 1_000 });
  await shop.post('cart.updated', { ...aCart('cart-b', null), contact: { id: 'customer-b', email } }, { at: Date.now() - 1_000 });
  const [a, b] = [await enrolled('cart-a'), await enrolled('cart-b')];
  await letTimePass(shop, 2 * hourMs + 1_000);
  for (const { id } of [a, b]) await dispatch(id, 'popup_1h');
  await dispatch(a.id, 'email_2h');
  const mail = await rowOf(a.id, 'email_2h');

  const gate = holdNextAt('dispatch.claimed');
  const other = dispatch(b.id, 'email_2h');
  await gate.there;
  let acceptedAtAnswer: number | null = null;
  const left = unsubscribe(shop.deps, { tenantId: shop.tenant.tenantId, messageId: mail?.id ?? '' }).then((result) => {
    acceptedAtAnswer = provider.accepted.length;
    return result;
  });
  await until('the stop to be committed', async () => (await shop.enrollmentOf('cart-a'))?.endedAt != null);
  // An answer that does not wait comes now; one that waits comes after the call.
  await until('an answer, or none for a while', () => acceptedAtAnswer !== null, 300).catch(() => undefined);
  gate.release();
  expect(await left).toBe('stopped');
  await other;
  expect(provider.accepted).toHaveLength(acceptedAtAnswer ?? -1);
  expect(await shop.enrollmentOf('cart-b')).toMatchObject({ status: 'EXITED', stopReason: 'opted_out' });
});

test('an opt-out that names the number reaches people who share the address with that person', async () => {
  await open();
  const email = 'family@example.com';
  await shop.post('cart.updated', { ...aCart('cart-a', null), contact: { id: 'customer-a', email } });
  await shop.post('cart.updated', { ...aCart('cart-b', null), contact: { id: 'customer-b', email, phone: '+12025550177' } });
  await enrolled('cart-a');
  await shop.post('contact.opted_out', { contact: { phone: '+12025550177' } });
  expect(await shop.enrollmentOf('cart-b')).toMatchObject({ stopReason: 'opted_out' });
  expect(await shop.enrollmentOf('cart-a')).toMatchObject({ stopReason: 'opted_out' });
});

test('a cart whose address changes to one that has opted out ends as opted_out', async () => {
  await open();
  await shop.post('contact.opted_out', { contact: { email: 'quiet@example.com' } });
  await shop.post('cart.updated', aCart('cart-1', 'typo@example.com'), { at: Date.now() - 1_000 });
  await enrolled('cart-1');
  await shop.post('cart.updated', aCart('cart-1', 'quiet@example.com'));
  expect(await shop.enrollmentOf('cart-1')).toMatchObject({ status: 'EXITED', stopReason: 'opted_out' });
});

test.each(['purchase', 'opt-out'] as const)(
  'the address of a cart changes while a call to the old one is claimed; a %s of the new person waits for it',
  async (kind) => {
    await open();
    await shop.post('cart.updated', aCart('cart-1', 'old@example.com'), { at: Date.now() - 2_000 });
    const enrollment = await enrolled('cart-1');
    await letTimePass(shop, 2 * hourMs + 1_000);
    await dispatch(enrollment.id, 'popup_1h');
    const gate = holdNextAt('dispatch.claimed');
    const sending = dispatch(enrollment.id, 'email_2h');
    await gate.there;
    expect((await shop.post('cart.updated', aCart('cart-1', 'new@example.com'))).status).toBe(200);
    let answeredWith: number | null = null;
    const stop =
      kind === 'purchase'
        ? shop.post('order.placed', { order: { id: 'o-1', currency: 'EUR', total: '129.90' }, contact: { email: 'new@example.com' } })
        : shop.post('contact.opted_out', { contact: { email: 'new@example.com' } });
    const answered = stop.then((answer) => {
      answeredWith = provider.accepted.length;
      return answer;
    });
    await until('the stop to be committed', async () => (await shop.enrollmentOf('cart-1'))?.endedAt != null);
    expect(answeredWith).toBeNull();
    gate.release();
    expect((await answered).status).toBe(200);
    await sending;
    expect(provider.accepted).toHaveLength(answeredWith ?? -1);
    expect(provider.open).toBe(0);
  },
);

test('an order by one person with another person’s cart stops both persons’ carts, the matched one as purchased', async () => {
  await open();
  await shop.post('cart.updated', aCart('cart-owner', 'owner@example.com'), { at: Date.now() - 3_000 });
  await shop.post('cart.updated', aCart('cart-owner-2', 'owner@example.com'), { at: Date.now() - 3_000 });
  await shop.post('cart.updated', aCart('cart-buyer', 'buyer@example.com'), { at: Date.now() - 3_000 });
  for (const cart of ['cart-owner', 'cart-owner-2', 'cart-buyer']) await enrolled(cart);
  await letTimePass(shop, hourMs + 1_000);
  for (const cart of ['cart-owner', 'cart-owner-2', 'cart-buyer']) await dispatch((await enrolled(cart)).id, 'popup_1h');
  const order = { order: { id: 'o-1', currency: 'EUR', total: '129.90' }, cart_id: 'cart-owner', contact: { email: 'buyer@example.com' } };
  expect((await shop.post('order.placed', order)).status).toBe(200);
  expect(await shop.enrollmentOf('cart-owner')).toMatchObject({ status: 'CONVERTED', stopReason: 'purchased' });
  expect(await shop.enrollmentOf('cart-owner-2')).toMatchObject({ status: 'EXITED', stopReason: 'purchased_elsewhere' });
  expect(await shop.enrollmentOf('cart-buyer')).toMatchObject({ status: 'EXITED', stopReason: 'purchased_elsewhere' });
});

test('a merge of three persons, one of whom opted out, stops the carts of the other two', async () => {
  await open();
  await shop.post('cart.updated', { ...aCart('cart-a', null), contact: { email: 'a@example.com' } });
  await shop.post('cart.updated', { ...aCart('cart-b', null), contact: { id: 'customer-b', email: 'b@example.com' } });
  await shop.post('contact.opted_out', { contact: { phone: '+12025550188' } });
  await enrolled('cart-a');
  await enrolled('cart-b');
  await shop.post('contact.updated', { contact: { id: 'customer-b', email: 'a@example.com', phone: '+12025550188' } });
  for (const cart of ['cart-a', 'cart-b']) expect(await shop.enrollmentOf(cart)).toMatchObject({ status: 'EXITED', stopReason: 'opted_out' });
});

test('an order that names the cart alone reaches people who share an address with its owner', async () => {
  await open();
  const email = 'family@example.com';
  await shop.post('cart.updated', { ...aCart('cart-a', null), contact: { id: 'customer-a', email } }, { at: Date.now() - 1_000 });
  await shop.post('cart.updated', { ...aCart('cart-b', null), contact: { id: 'customer-b', email } }, { at: Date.now() - 1_000 });
  for (const cart of ['cart-a', 'cart-b']) await enrolled(cart);
  await letTimePass(shop, hourMs + 1_000);
  for (const cart of ['cart-a', 'cart-b']) await dispatch((await enrolled(cart)).id, 'popup_1h');
  await shop.post('order.placed', { order: { id: 'o-1', currency: 'EUR', total: '129.90' }, cart_id: 'cart-a' });
  expect(await shop.enrollmentOf('cart-a')).toMatchObject({ stopReason: 'purchased' });
  expect(await shop.enrollmentOf('cart-b')).toMatchObject({ stopReason: 'purchased_elsewhere' });
});

test('an unsubscribe reaches the person whom the email went to, not the owner of the cart when the first attempt failed', async () => {
  await open();
  await shop.post('cart.updated', aCart('cart-1', 'first@example.com'), { at: Date.now() - 2_000 });
  await shop.post('cart.updated', aCart('cart-first', 'first@example.com'), { at: Date.now() - 2_000 });
  const { id } = await enrolled('cart-1');
  await letTimePass(shop, 2 * hourMs + 1_000);
  await dispatch(id, 'popup_1h');
  provider.next({ act: 'answer', status: 429 });
  await dispatch(id, 'email_2h');
  expect(await rowOf(id, 'email_2h')).toMatchObject({ state: 'failed' });
  await shop.post('cart.updated', aCart('cart-1', 'second@example.com'), { at: Date.now() - 1_000 });
  await letTimePass(shop, hourMs);
  await dispatch(id, 'email_2h');
  const mail = await rowOf(id, 'email_2h');
  expect(mail).toMatchObject({ state: 'sent', payload: { to: { address: 'second@example.com' } } });
  expect(await unsubscribe(shop.deps, { tenantId: shop.tenant.tenantId, messageId: mail?.id ?? '' })).toBe('stopped');
  expect(await shop.enrollmentOf('cart-1')).toMatchObject({ stopReason: 'opted_out' });
  expect(await shop.enrollmentOf('cart-first')).toMatchObject({ endedAt: null });
});

test('what may bring a stop along is answered 503 while its persons are locked, in time, and takes effect afterwards', async () => {
  await open();
  await shop.post('contact.opted_out', { contact: { phone: '+12025550188' } });
  await shop.post('cart.updated', aCart('cart-1', 'ada@example.com'), { at: Date.now() - 1_000 });
  await enrolled('cart-1');
  const locker = new pg.Client({ connectionString: shop.database.url });
  await locker.connect();
  await locker.query('begin');
  await locker.query('select id from contacts for no key update');
  const startedMs = Date.now();
  const merge = shop.post('contact.updated', { contact: { email: 'ada@example.com', phone: '+12025550188' } });
  const move = shop.post('cart.updated', aCart('cart-1', 'bob@example.com'));
  const same = shop.post('cart.updated', aCart('cart-1', 'ada@example.com', { total: '99.00' }));
  expect(await Promise.all([merge, move, same].map(async (answer) => (await answer).status))).toEqual([503, 503, 200]);
  // Shops give up after five seconds and would count it as a failure of ours; a busy machine gets more, and the lock is held for ever.
  expect(Date.now() - startedMs).toBeLessThan(30_000);
  await locker.query('rollback');
  await locker.end();
  while ((await applyPending(shop.deps)) > 0);
  expect((await shop.enrollmentOf('cart-1'))?.endedAt).not.toBeNull();
});
