import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contactIdentities, contacts, subjectKeys, subjects } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// How far a store has come with a person is a field of its own: neither the subject's state nor the enrollment's status.

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const lifecycleOf = async (email: string) => {
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({ lifecycle: contacts.lifecycle })
      .from(contacts)
      .innerJoin(contactIdentities, eq(contactIdentities.contactId, contacts.id))
      .where(eq(contactIdentities.value, email)),
  );
  return rows.map((row) => row.lifecycle);
};
const order = (cart: string, email: string, more: Record<string, unknown> = {}) =>
  shop.post('order.placed', { order: { id: `order-${cart}`, currency: 'EUR', total: '129.90', ...more }, cart_id: cart, contact: { email } });
const leave = (cart: string, email: string) => shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 3 * 3_600_000 });

test('a purchase converts, a later cart goes out all the same, and an opt-out is final', async () => {
  const email = 'mira.voss@example.com';
  await leave('life-1', email);
  expect(await lifecycleOf(email)).toEqual(['IN_PROGRESS']);
  await order('life-1', email);
  expect(await lifecycleOf(email)).toEqual(['CONVERTED']);
  await shop.post('cart.updated', aCart('life-2', email, { items: [{ title: 'Oak stool', quantity: 1, price: '79.00' }], total: '79.00' }));
  const again = await shop.enrollmentOf('life-2');
  expect(again).toMatchObject({ status: 'ACTIVE' });
  const { tenantId } = shop.tenant;
  expect(await dispatchStep(shop.deps, { tenantId, enrollmentId: again?.id ?? '', stepId: 'popup_1h' })).toMatchObject({ kind: 'done', ended: null });
  expect(await lifecycleOf(email)).toEqual(['CONVERTED']);
  await shop.post('contact.complained', { contact: { email }, channel: 'email' });
  const afterStop = await lifecycleOf(email);
  await order('life-2', email);
  expect(await lifecycleOf(email)).toEqual(afterStop);
});

test('an order without revenue converts nobody; one that comes before its cart does', async () => {
  await leave('life-3', 'test.order@example.com');
  await order('life-3', 'test.order@example.com', { test: true });
  expect(await lifecycleOf('test.order@example.com')).toEqual(['IN_PROGRESS']);
  await order('life-4', 'early.order@example.com');
  expect(await lifecycleOf('early.order@example.com')).toEqual(['CONVERTED']);
});

test('who asks again after a sale or the end of a sequence is taken into the same one once its cooldown is over', async () => {
  const [bought, ended] = ['asks.again@example.com', 'asked.before@example.com'];
  const hourMs = 3_600_000;
  const asks = (id: string, email: string, atMs = Date.now()) =>
    shop.post('lead.created', { lead: { id, interest: 'a flat' }, contact: { email } }, { at: atMs });
  const keptFrom = async (id: string) => {
    const [row] = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
      tx
        .select({ no: subjects.noSequence })
        .from(subjects)
        .innerJoin(subjectKeys, eq(subjectKeys.subjectId, subjects.id))
        .where(eq(subjectKeys.value, id)),
    );
    return row?.no?.keptFrom;
  };
  for (const email of [bought, ended]) {
    await asks(`first-${email}`, email, Date.now() - 2 * hourMs);
    const first = await shop.enrollmentOf(`first-${email}`);
    await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: first?.id ?? '', stepId: 'email_welcome' });
  }
  await order('of-a-lead', bought);
  await shop.post('lead.contacted', { lead_id: `first-${ended}`, contact: { email: ended } });
  for (const email of [bought, ended]) {
    await asks(`second-${email}`, email, Date.now());
    expect(await shop.enrollmentOf(`second-${email}`)).toBeNull();
    expect(await keptFrom(`second-${email}`)).toMatchObject([{ sequence: 'lead-nurture', reason: 'cooldown' }]);
  }
  // A sequence about something else, and another person, are kept from nothing.
  await asks('another', 'asks.first@example.com');
  expect(await shop.enrollmentOf('another')).toMatchObject({ status: 'ACTIVE' });
  await letTimePass(shop, 31 * 24 * hourMs);
  for (const email of [bought, ended]) {
    await asks(`third-${email}`, email);
    expect(await shop.enrollmentOf(`third-${email}`)).toMatchObject({ status: 'ACTIVE' });
  }
});
