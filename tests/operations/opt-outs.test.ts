import { and, eq, isNull } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { suppressions } from '../../db/schema/index.ts';
import { channelNames, channels } from '../../domain/channels/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// Opt-ins and opt-outs in difficult orders, about identities of all kinds.

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
    await shop.post('contact.opted_out', { contact: { email }, channel: 'email' }, { at });
    await shop.post('contact.opted_out', { contact: { email }, channel: 'email' }, { at: at + 4_000 });
    await shop.post('contact.opted_in', { contact: { email }, channel: 'email' }, { at: at + 2_000 });
    await shop.post('cart.updated', aCart(cart, email));
    expect(await shop.enrollmentOf(cart)).toBeNull();
    await shop.post('contact.opted_in', { contact: { email }, channel: 'email' }, { at: at + 6_000 });
    await shop.post('cart.updated', aCart(cart, email));
    const { id } = await enrolled(cart);
    await letTimePass(shop, 2 * hourMs + 1_000);
    await dispatch(id, 'popup_1h');
    await dispatch(id, 'email_2h');
    expect(await rowOf(id, 'email_2h')).toMatchObject({ state: 'sent' });
  });

  test('a box that was not ticked is no denial, and one that is ticked later undoes none', async () => {
    const [unticked, ticked] = [names(), names()];
    await shop.post('cart.updated', { ...aCart(unticked.cart, null), contact: { email: unticked.email, marketing: { email: false } } });
    await shop.post('contact.opted_out', { contact: { email: ticked.email }, channel: 'email' }, { at: Date.now() - 5_000 });
    await shop.post('cart.updated', { ...aCart(ticked.cart, null), contact: { email: ticked.email, marketing: { email: true } } });
    expect(await shop.enrollmentOf(ticked.cart)).toBeNull();
    const { id } = await enrolled(unticked.cart);
    await letTimePass(shop, 2 * hourMs + 1_000);
    await dispatch(id, 'popup_1h');
    await dispatch(id, 'email_2h');
    expect(await rowOf(id, 'email_2h')).toMatchObject({ state: 'sent' });
  });

  test('an opt-out of an address that nobody has yet keeps its first cart from starting', async () => {
    const { cart, email } = names();
    await shop.post('contact.opted_out', { contact: { email } });
    await shop.post('cart.updated', aCart(cart, email), { at: Date.now() + 1_000 });
    expect(await shop.enrollmentOf(cart)).toBeNull();
  });

  test('an opt-out by number closes the identities of that person, not the other addresses of people who share one', async () => {
    const { cart, email, phone, id } = names();
    const [hers, stranger] = [names(), names()];
    await shop.post('contact.updated', { contact: { id, email, phone } });
    await shop.post('contact.updated', { contact: { id: hers.id, email, phone: hers.phone } });
    await shop.post('contact.updated', { contact: { id: stranger.id, email: stranger.email, phone: hers.phone } });
    await shop.post('contact.opted_out', { contact: { phone } });
    await shop.post('cart.updated', { ...aCart(cart, null), contact: { id: hers.id } }, { at: Date.now() + 1_000 });
    expect(await shop.enrollmentOf(cart)).toBeNull();
    await shop.post('cart.updated', { ...aCart(stranger.cart, null), contact: { id: stranger.id } }, { at: Date.now() + 1_000 });
    expect(await shop.enrollmentOf(stranger.cart)).not.toBeNull();
  });

  test('an opt-in on one channel leaves every other marketing channel closed that an opt-out of all had closed', async () => {
    const { email } = names();
    await shop.post('contact.opted_out', { contact: { email } });
    await shop.post('contact.opted_in', { contact: { email }, channel: 'email' }, { at: Date.now() + 1_000 });
    const addressHash = shop.deps.sealing.addressHash(shop.tenant.tenantId, 'email', email);
    const closed = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx
        .select({ channel: suppressions.channel })
        .from(suppressions)
        .where(and(eq(suppressions.addressHash, addressHash), isNull(suppressions.liftedAt))),
    );
    const marketing = channelNames.filter((name) => channels[name].purpose === 'marketing' && name !== 'email');
    expect(closed.map((c) => c.channel).sort()).toEqual([...marketing].sort());
  });
});

describe('where an opt-out closes its own channel only', () => {
  test('STOP in a text is a reply too: what stops on replies ends as replied, and email stays open', async () => {
    const narrow = await openShop({ timeScale: 1, settings: { optOutAllChannels: false } });
    try {
      const contact = { email: 'ada@example.com', phone: '+12025550134' };
      await narrow.post('cart.updated', { ...aCart('cart-1', null), contact });
      await narrow.post('message.received', { contact: { phone: contact.phone }, channel: 'sms', text: 'STOP' });
      expect(await narrow.enrollmentOf('cart-1')).toMatchObject({ status: 'EXITED', stopReason: 'replied' });
      await narrow.post('cart.updated', { ...aCart('cart-2', null), contact }, { at: Date.now() + 1_000 });
      expect(await narrow.enrollmentOf('cart-2')).toMatchObject({ endedAt: null });
    } finally {
      await narrow.close();
    }
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
    expect(await rowOf(enrollment.id, 'email_2h')).toMatchObject({ skipReason: 'refused' });
    await shop.post('cart.updated', { ...aCart(cart, null), contact: { id, email } });
    await letTimePass(shop, 22 * hourMs);
    await dispatch(enrollment.id, 'email_24h');
    expect(await rowOf(enrollment.id, 'email_24h')).toMatchObject({ state: 'sent', payload: { to: { address: email } } });
  });
});
