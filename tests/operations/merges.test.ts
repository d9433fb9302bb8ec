import { afterAll, beforeAll, expect, test } from 'vitest';
import { eq } from 'drizzle-orm';
import { auditLog, contactIdentities, contacts } from '../../db/schema/index.ts';
import { contacts as contactsCommand } from '../../cli/contacts.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { ask, askAll } from '../api/left-carts.ts';
import { clientOf } from '../helpers/client-of.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// Merges are recorded and undone (docs/rules.md#rule-30).

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, together: 'many', settings: { caps: [{ channel: 'email', most: 1, withinHours: 24 }] } });
});
afterAll(() => shop.close());

let counter = 0;
interface Pair {
  one: Left;
  other: Left;
  id: string;
}
interface Left {
  email: string;
  cart: string;
  enrollment: string;
  contact: string;
}
async function left(name: string): Promise<Left> {
  const cart = `merge-cart-${++counter}`;
  const email = `${name}-${counter}@example.com`;
  await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 2 * hourMs });
  const row = await shop.enrollmentOf(cart);
  return { email, cart, enrollment: row?.id ?? '', contact: row?.contactId ?? '' };
}
/** Two people with a cart each, whom a verified id makes one. */
async function merged(): Promise<Pair> {
  const [one, other] = [await left('one'), await left('other')];
  const id = `customer-${counter}`;
  await unite({ one, other, id });
  return { one, other, id };
}
async function unite({ one, other, id }: Pair): Promise<void> {
  for (const { email } of [one, other]) await shop.post('contact.updated', { contact: { id, email } });
}
const post = (path: string, body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, path, 'POST', body);
const unmerge = (contact: string) => post(`/api/contacts/${contact}/unmerge`, {});
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const personOf = async (contact: string) =>
  (await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(contacts).where(eq(contacts.id, contact))))[0]?.personId;
const areOne = async ({ one, other }: Pair) => (await personOf(one.contact)) === (await personOf(other.contact));
const stopOf = async ({ cart }: Left) => (await shop.enrollmentOf(cart))?.stopReason ?? null;
const stateOf = async ({ enrollment }: Left, step: string) => (await shop.ledgerOf(enrollment)).find((m) => m.stepId === step)?.state ?? null;

test('a merge is recorded with what brought it and what it moved', async () => {
  const pair = await merged();
  expect(await areOne(pair)).toBe(true);
  const [merge] = await askAll<Record<string, unknown>>(shop, shop.tenant.apiKey, `/api/contacts/merges?email=${pair.other.email}`);
  expect(merge).toMatchObject({
    ...{ kept_contact: pair.one.contact, merged_contact: pair.other.contact, brought_by: 'identity', identity_kinds: ['email', 'id'] },
    moved: { contacts: [pair.other.contact], enrollments: expect.arrayContaining([pair.other.enrollment]) as unknown, consents: [] },
    ...{ ended_enrollments: [], undone_at: null, undone_by: null },
  });
  const { delivery, moved } = merge as { delivery: string; moved: { identities: string[]; subjects: string[] } };
  expect(moved).toMatchObject({ identities: [expect.any(String)], subjects: [expect.any(String)] });
  expect((await askAll<{ id: string }>(shop, shop.tenant.apiKey, '/api/deliveries')).map((d) => d.id)).toContain(delivery);
  const told = await explainEnrollment(shop.deps, shop.tenant.tenantId, pair.other.enrollment);
  expect(told?.entries.map((e) => e.sentence)).toContainEqual(expect.stringContaining('what was two people is one from here on'));
});

test('an undo takes them apart, and they stay apart whatever names both', async () => {
  const pair = await merged();
  const undone = await unmerge(pair.other.contact);
  expect(undone).toMatchObject({ status: 200, body: { undone_at: expect.any(String) as unknown, merged_contact: pair.other.contact } });
  expect(await areOne(pair)).toBe(false);
  // The same event again, a cart that names the shared id, and the undo again.
  await unite(pair);
  await shop.post('cart.updated', { ...aCart(`${pair.id}-cart`, null), contact: { id: pair.id, email: pair.other.email } });
  expect(await areOne(pair)).toBe(false);
  expect((await unmerge(pair.other.contact)).body).toEqual(undone.body);
  const told = await explainEnrollment(shop.deps, shop.tenant.tenantId, pair.one.enrollment);
  expect(told?.entries.map((e) => e.sentence)).toContainEqual(expect.stringContaining('they are two people again'));
  const audit = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select().from(auditLog).where(eq(auditLog.subject, pair.other.contact)),
  );
  expect(audit.map((row) => row.action)).toEqual(['contact.unmerge']);
});

test('what went out before the undo counts for both, what goes out after it for one', async () => {
  const pair = await merged();
  for (const { enrollment } of [pair.one, pair.other]) await dispatch(enrollment, 'popup_1h');
  await dispatch(pair.one.enrollment, 'email_2h');
  expect(await stateOf(pair.one, 'email_2h')).toBe('sent');
  await unmerge(pair.other.contact);
  await dispatch(pair.other.enrollment, 'email_2h');
  expect(await stateOf(pair.other, 'email_2h')).not.toBe('sent');
  const fresh = await merged();
  await unmerge(fresh.other.contact);
  for (const { enrollment } of [fresh.one, fresh.other]) for (const step of ['popup_1h', 'email_2h']) await dispatch(enrollment, step);
  expect([await stateOf(fresh.one, 'email_2h'), await stateOf(fresh.other, 'email_2h')]).toEqual(['sent', 'sent']);
  await letTimePass(shop, 60_000);
});

test('an opt-out of one stays an opt-out of both, on addresses that come later too', async () => {
  for (const before of [true, false]) {
    const [one, other] = [await left('one'), await left('other')];
    const pair = { one, other, id: `customer-${counter}` };
    const optOut = () => shop.post('contact.opted_out', { contact: { email: one.email }, channel: 'email' });
    if (before) await optOut();
    await unite(pair);
    if (!before) await optOut();
    expect([await stopOf(one), await stopOf(other)]).toEqual(['opted_out', 'opted_out']);
    await unmerge(other.contact);
    expect(await areOne(pair)).toBe(false);
    const next = `${pair.id}-next`;
    await shop.post('contact.updated', { contact: { id: `${pair.id}-own`, email: other.email } });
    await shop.post('cart.updated', { ...aCart(next, null), contact: { id: `${pair.id}-own`, email: `new-${other.email}` } });
    expect(await shop.enrollmentOf(next)).toBeNull();
  }
});

test('a final opt-out and a purchase stay with both', async () => {
  const pair = await merged();
  await shop.post('contact.opted_out', { contact: { email: pair.one.email }, final: true });
  await unmerge(pair.other.contact);
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(contacts));
  for (const { contact } of [pair.one, pair.other]) expect(rows.find((c) => c.id === contact)?.lifecycle).toBe('DO_NOT_CONTACT');
  const bought = await merged();
  await shop.post('order.placed', { order: { id: `order-${counter}`, currency: 'EUR', total: '129.90' }, cart_id: bought.one.cart });
  await unmerge(bought.other.contact);
  const after = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(contacts).where(eq(contacts.id, bought.other.contact)));
  expect(after[0]?.lastOrderAt).not.toBeNull();
});

test('merges of merges: any of them can be undone, in any order', async () => {
  const first = await merged();
  const third = await left('third');
  const beyond = { one: first.one, other: third, id: `${first.id}-beyond` };
  await shop.post('contact.updated', { contact: { id: first.id, email: third.email } });
  expect(await areOne(beyond)).toBe(true);
  // The earlier of the two.
  await unmerge(first.other.contact);
  expect([await areOne(first), await areOne(beyond)]).toEqual([false, true]);
  await unmerge(third.contact);
  expect([await areOne(first), await areOne(beyond)]).toEqual([false, false]);
  const held = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.select().from(contactIdentities).where(eq(contactIdentities.value, third.email)),
  );
  expect(held.map((i) => i.contactId)).toEqual([third.contact]);
});

test('an enrollment that the merge ended stays ended, and is named', async () => {
  const [one, other] = [await left('one'), await left('other')];
  await shop.post('message.received', { contact: { email: one.email }, channel: 'email', text: 'No thanks' });
  await unite({ one, other, id: `customer-${counter}` });
  expect(await stopOf(other)).toBe('replied');
  const { body } = await unmerge(other.contact);
  expect(body).toMatchObject({ ended_enrollments: [other.enrollment] });
  expect(await stopOf(other)).toBe('replied');
});

test('the commands list merges and undo one', async () => {
  const { other } = await merged();
  const store = clientOf(shop);
  const run = (args: string[], options = {}) => contactsCommand.run({ store, installation: () => store, args, options });
  expect((await run(['merges'], { email: other.email })).lines).toEqual([expect.stringMatching(/became .*1 contacts, 1 identities/)]);
  expect((await run(['unmerge', other.contact])).lines).toEqual([expect.stringMatching(/, undone .* by /)]);
  await expect(run(['unmerge'])).rejects.toThrow('The contact’s id is missing.');
  await expect(run(['join'])).rejects.toThrow('Say show, timeline, consent, merge, merges, unmerge, export or erase.');
});

test('what is unknown is not found', async () => {
  const { one } = await merged();
  expect((await post('/api/contacts/nothing/unmerge')).status).toBe(404);
  expect((await post('/api/contacts/00000000-0000-7000-8000-000000000000/unmerge')).status).toBe(404);
  expect((await post(`/api/contacts/${one.contact}/unmerge`, { merge: '00000000-0000-7000-8000-000000000000' })).status).toBe(404);
  expect((await post(`/api/contacts/${one.contact}/unmerge`, { merg: 'x' })).status).toBe(400);
});
