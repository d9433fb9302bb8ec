import { afterAll, beforeAll, expect, test } from 'vitest';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { recordEngagement } from '../../operations/record-engagement.ts';
import { ask } from '../api/left-carts.ts';
import { publishYaml } from '../helpers/publish-yaml.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { recoveryWorkflowId } from '../../workflows/contract.ts';

// Steps that react, from the open to the second email, through the real workflow (docs/rules.md#rule-33).

// Side by side: nearly all of their time is waiting.
let shop: Shop;
beforeAll(async () => {
  // An hour takes a second.
  shop = await openShop({ timeScale: 3_600 });
  // A worker publishes the presets when it starts.
  await shop.startWorker();
  await publishYaml(
    shop,
    `sequence: cart
name: Reactions
on: cart.abandoned
quietFor: 1m
steps:
  - { id: first, at: 30m, channel: email, content: cart/first }
  - { id: nudge, on: { event: message.opened, step: first, within: 12h }, after: 4h, channel: email, content: cart/nudge }
  - { id: as_asked, on: { event: contact.asked_later }, channel: email, content: cart/asked }
  - { id: mark, after: 5h, channel: none }
`,
  );
});
afterAll(() => shop.close());

let counter = 0;
async function firstSent() {
  const cart = `cart-react-${++counter}`;
  const email = `${cart}@example.com`;
  await shop.deliver('cart.updated', aCart(cart, email));
  const enrollment = await until('the enrollment', () => shop.enrollmentOf(cart));
  const message = await until('the first email', async () =>
    (await shop.ledgerOf(enrollment.id)).find((m) => m.stepId === 'first' && m.state === 'sent'),
  );
  return { cart, email, id: enrollment.id, messageId: message.id };
}
const stepsOf = async (id: string) => Object.fromEntries((await shop.ledgerOf(id)).map((m) => [m.stepId, m.state]));
const open = (messageId: string) => recordEngagement(shop.deps, { tenantId: shop.tenant.tenantId, messageId, type: 'opened', machine: false });
const ended = (cart: string) => until('the end', async () => ((await shop.enrollmentOf(cart))?.endedAt == null ? null : shop.enrollmentOf(cart)));

test.concurrent('who opens the email gets another one, once; who does not gets none, and the sequence waits no longer than an open counts', async () => {
  const [opener, other] = [await firstSent(), await firstSent()];
  await open(opener.messageId);
  await open(opener.messageId);
  expect((await ended(opener.cart))?.status).toBe('COMPLETED');
  expect(await stepsOf(opener.id)).toEqual({ first: 'sent', nudge: 'sent', mark: 'skipped' });
  expect(shop.smtp.accepted.filter((m) => m.envelope.to.includes(opener.email))).toHaveLength(2);
  const row = await ended(other.cart);
  expect(row?.status).toBe('COMPLETED');
  expect(await stepsOf(other.id)).toEqual({ first: 'sent', mark: 'skipped' });
  const first = (await shop.ledgerOf(other.id)).find((m) => m.stepId === 'first');
  expect((row?.endedAt ?? 0) - (first?.settledAt ?? 0)).toBeGreaterThanOrEqual(12_000);
});

test.concurrent('a purchase ends the wait: nothing reacts to an open after it', async () => {
  const { cart, id, messageId } = await firstSent();
  await shop.deliver('order.placed', { order: { id: `order-${cart}`, currency: 'EUR', total: '129.90' }, cart_id: cart });
  await open(messageId);
  const row = await ended(cart);
  expect(row?.stopReason).toBe('purchased');
  const handle = temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'cart', id));
  expect(await handle.result()).toEqual({ reason: 'purchased' });
  expect(await stepsOf(id)).toEqual({ first: 'sent' });
});

test.concurrent('a dispatch of a reaction whose event has not happened does nothing', async () => {
  const { cart, id } = await firstSent();
  const result = await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: id, stepId: 'nudge' });
  expect(result).toMatchObject({ kind: 'done', ended: null, note: 'what it reacts to has not happened' });
  expect(await stepsOf(id)).not.toHaveProperty('nudge');
  await shop.deliver('order.placed', { order: { id: `order-${cart}`, currency: 'EUR', total: '129.90' }, cart_id: cart });
});

test.concurrent('who asks for later gets the email for it then', async () => {
  const { cart, email, id } = await firstSent();
  await shop.deliver('message.received', { contact: { email }, channel: 'email', text: 'Call me tomorrow, please' });
  await until('the email as asked', async () => (await stepsOf(id))['as_asked'] === 'sent', 90_000);
  expect((await ended(cart))?.status).toBe('COMPLETED');
}, 120_000);

test.concurrent('what a person has released goes on at once', async () => {
  const { cart, id, messageId } = await firstSent();
  const post = (path: string) => ask(shop, shop.tenant.apiKey, path, 'POST');
  await open(messageId);
  expect((await post(`/api/enrollments/${id}/takeover`)).status).toBe(200);
  await until('the step to be held', async () => (await shop.enrollmentOf(cart))?.notBefore['nudge'] !== undefined);
  expect((await post(`/api/enrollments/${id}/release`)).status).toBe(200);
  await until('the reaction', async () => (await stepsOf(id))['nudge'] === 'sent');
});
