import { afterAll, beforeAll, expect, test } from 'vitest';
import { eq } from 'drizzle-orm';
import { auditLog, outbox } from '../../db/schema/index.ts';
import { changeSettings } from '../../operations/settings.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { explainEnrollment } from '../../operations/read/explain.ts';
import { ask } from '../api/left-carts.ts';
import { aCart, letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// A reply hands over to a person: nothing is sent until they are done.

const hourMs = 3_600_000;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1, settings: { onReply: 'takeover', takeoverHours: 48 } });
});
afterAll(() => shop.close());

let counter = 0;
async function left(email = `talk-${++counter}@example.com`) {
  const cart = `talk-cart-${++counter}`;
  await shop.post('cart.updated', aCart(cart, email), { at: Date.now() - 2 * hourMs });
  const { id = '' } = (await shop.enrollmentOf(cart)) ?? {};
  await dispatch(id, 'popup_1h');
  return { cart, email, id };
}
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
const reply = (email: string, text = 'Is it in stock?') => shop.post('message.received', { contact: { email }, channel: 'email', text });
const mailOf = async (id: string) => (await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h')?.state ?? null;
const post = (path: string) => ask(shop, shop.tenant.apiKey, path, 'POST');
const explained = (id: string) => explainEnrollment(shop.deps, shop.tenant.tenantId, id);

test('a reply holds every step until it is released, and then they go on', async () => {
  const { email, id } = await left();
  await reply(email);
  // The workflow asks again within the hour: a takeover may end by itself.
  const held = await dispatch(id, 'email_2h');
  expect(held).toMatchObject({ kind: 'done', ended: null, note: 'takeover', progress: { held: null } });
  expect(held.kind === 'done' && (held.progress.notBeforeMs['email_2h'] ?? 0) - Date.now()).toBeGreaterThan(hourMs - 60_000);
  expect(await mailOf(id)).toBeNull();
  const explanation = await explained(id);
  expect(explanation?.enrollment).toMatchObject({ row: { held: 'takeover', endedAt: null }, next: null });
  expect(explanation?.next).toMatchObject({ verdict: 'hold', reason: 'takeover', askedAtMs: null });
  expect(explanation?.entries.map((e) => e.sentence)).toContainEqual(
    expect.stringMatching(/^The shopper wrote, and a person answers: nothing is sent until it is released, at the latest until \d{4}-/),
  );
  await letTimePass(shop, 61 * 60_000);
  await dispatch(id, 'email_2h');
  expect(await mailOf(id)).toBeNull();
  const { status, body } = await post(`/api/enrollments/${id}/release`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ held: null, status: 'ACTIVE' });
  // The step was put off for an hour, and the workflow is told to look again.
  const waiting = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(outbox).where(eq(outbox.enrollmentId, id)));
  expect(waiting.map(({ kind }) => kind)).toContain('wake');
  await dispatch(id, 'email_2h');
  expect(await mailOf(id)).toBe('sent');
  const audit = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(auditLog).where(eq(auditLog.action, 'contact.release')));
  expect(audit).toHaveLength(1);
});

test('a takeover ends by itself, and what is too old by then is skipped', async () => {
  const { email, id } = await left();
  await reply(email);
  await letTimePass(shop, 48 * hourMs + 60_000);
  await dispatch(id, 'email_2h');
  expect((await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h')).toMatchObject({ state: 'skipped', skipReason: 'too_old' });
  await dispatch(id, 'email_24h');
  expect((await explained(id))?.enrollment.row.held).toBeNull();
});

test('it holds whatever begins meanwhile, and whoever turns out to be the same person', async () => {
  const { email } = await left();
  await reply(email);
  const later = await left(`${email}.other`);
  // One person by their verified id.
  await shop.post('contact.updated', { contact: { id: `c-${email}`, email } });
  await shop.post('contact.updated', { contact: { id: `c-${email}`, email: later.email } });
  await dispatch(later.id, 'email_2h');
  expect(await mailOf(later.id)).toBeNull();
});

test('a purchase and an opt-out end it all the same', async () => {
  const bought = await left();
  await reply(bought.email);
  await shop.post('order.placed', { order: { id: `o-${bought.cart}`, currency: 'EUR', total: '129.90' }, cart_id: bought.cart });
  expect((await shop.enrollmentOf(bought.cart))?.stopReason).toBe('purchased');
  const out = await left();
  await reply(out.email);
  await reply(out.email, 'STOP');
  expect((await shop.enrollmentOf(out.cart))?.stopReason).toBe('opted_out');
});

test('by hand, without a reply; and for an unknown enrollment there is none', async () => {
  const { id } = await left();
  expect(await post(`/api/enrollments/${id}/takeover`)).toMatchObject({ status: 200, body: { held: 'takeover' } });
  await dispatch(id, 'email_2h');
  expect(await mailOf(id)).toBeNull();
  expect((await post('/api/enrollments/00000000-0000-7000-8000-000000000000/release')).status).toBe(404);
  expect((await post('/api/enrollments/nothing/takeover')).status).toBe(404);
});

test('without the setting a reply ends the sequence', async () => {
  await changeSettings(shop.deps, shop.tenant.tenantId, { changes: { onReply: 'stop' }, expectedVersion: null, by: 'test' });
  const { cart, email } = await left();
  await reply(email);
  expect((await shop.enrollmentOf(cart))?.stopReason).toBe('replied');
});
