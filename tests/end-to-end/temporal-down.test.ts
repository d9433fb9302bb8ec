import { afterAll, beforeAll, expect, test } from 'vitest';
import { inbox } from '../../db/schema/index.ts';
import { recoveryWorkflowId } from '../../workflows/contract.ts';
import { createWorkflowEngine } from '../../temporal/engine.ts';
import type { RunningWorker } from '../../worker/start-worker.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { type OwnTemporal, ownTemporal } from '../chaos/own-temporal.ts';

let temporal: OwnTemporal;
let shop: Shop;
let worker: RunningWorker;
let workerEnded = false;
beforeAll(async () => {
  temporal = await ownTemporal();
  await temporal.start();
  // An hour in a second: a second email follows the first only after 22 s.
  shop = await openShop({ timeScale: 3_600 });
  shop.temporal.address = temporal.address;
  worker = await shop.startWorker();
  void worker.done.finally(() => (workerEnded = true)).catch(() => undefined);
});
afterAll(async () => {
  await shop.close();
  await temporal.remove();
});

const cartNames = Array.from({ length: 150 }, (_, i) => `cart-${i}`);
const bought = cartNames.slice(0, 60);
const optedOut = cartNames.slice(60, 70);
const alive = cartNames.slice(70);
/** All carts arrive, some end, and the others are updated until five hundred webhooks were sent, one of them the early cart's order. */
const returns = Array.from({ length: 500 - cartNames.length - bought.length - optedOut.length - 1 }, (_, i) => alive[i % alive.length] ?? '');
const mailOf = (cart: string) => `${cart}@example.com`;
const firstMailsTo = (cart: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(mailOf(cart)) && m.raw.includes('.email_2h@')).length;
const order = (cart: string) =>
  shop.deliver('order.placed', { order: { id: `order-${cart}`, currency: 'EUR', total: '129.90' }, cart_id: cart, contact: { email: mailOf(cart) } });
const inboxSize = async () => (await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select({ state: inbox.state }).from(inbox))).length;
const openRefOf = async (cart: string) => {
  const enrollment = await shop.enrollmentOf(cart);
  return { tenantSlug: shop.tenant.slug, sequence: 'cart', enrollmentId: enrollment?.id ?? '' };
};

test('five hundred webhooks arrive while Temporal is down: all are stored, all take effect when it is back', async () => {
  await shop.deliver('cart.updated', aCart('early', mailOf('early')));
  await until('the first mail', () => firstMailsTo('early') === 1);
  const stored = await inboxSize();
  await temporal.stop();

  const answers: { status: number }[] = [];
  const atOnce = async (calls: (() => Promise<{ status: number }>)[]) => {
    for (let i = 0; i < calls.length; i += 20) answers.push(...(await Promise.all(calls.slice(i, i + 20).map((call) => call()))));
  };
  await atOnce(cartNames.map((cart) => () => shop.deliver('cart.updated', aCart(cart, mailOf(cart)))));
  await atOnce([
    ...bought.map((cart) => () => order(cart)),
    ...optedOut.map((cart) => () => shop.deliver('contact.opted_out', { contact: { email: mailOf(cart) } })),
    () => order('early'),
    ...returns.map((cart) => () => shop.deliver('cart.updated', aCart(cart, mailOf(cart), { total: '99.90' }))),
  ]);
  expect(answers).toHaveLength(500);
  expect(new Set(answers.map((a) => a.status))).toEqual(new Set([200]));
  expect(await inboxSize()).toBe(stored + 500);
  expect((await shop.app.inject({ url: '/readyz' })).statusCode).toBe(200);
  expect((await shop.deps.db.outboxBacklog()).waiting).toBeGreaterThanOrEqual(alive.length + bought.length + optedOut.length + 1);
  expect(shop.smtp.accepted).toHaveLength(1);

  await temporal.start();
  await until('the outbox to be empty', async () => (await shop.deps.db.outboxBacklog()).waiting === 0, 120_000);
  await until('the first mail of everybody else', () => alive.every((cart) => firstMailsTo(cart) > 0), 120_000);

  // One workflow for each cart that was still open (on a busy machine some are over by now), and the early one got its stop.
  const engine = createWorkflowEngine(temporalClientOf(shop), shop.temporal.taskQueue);
  for (const cart of alive) expect(await engine.describe(await openRefOf(cart)), cart).toMatch(/^(running|completed)$/);
  const { enrollmentId } = await openRefOf('early');
  const early = temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'cart', enrollmentId));
  expect(await early.result()).toEqual({ reason: 'purchased' });
  // For those that had ended none, but where a start was under way already when the stop was written: that one was started and stopped.
  const lateStarts: string[] = [];
  for (const cart of [...bought, ...optedOut]) {
    const state = await engine.describe(await openRefOf(cart));
    if (state === 'missing') continue;
    await until(`${cart} to be stopped`, async () => (await engine.describe(await openRefOf(cart))) === 'completed');
    lateStarts.push(cart);
  }
  expect(lateStarts.length).toBeLessThan(bought.length);
  expect(lateStarts.filter((cart) => optedOut.includes(cart))).toEqual([]);
  const runs = async () => (await temporalClientOf(shop).workflow.count(`WorkflowType = 'recovery'`)).count;
  await until('visibility to know all runs', async () => (await runs()) >= alive.length + 1 + lateStarts.length);
  expect(await runs()).toBe(alive.length + 1 + lateStarts.length);

  expect(Object.fromEntries([...cartNames, 'early'].map((cart) => [cart, firstMailsTo(cart)]))).toEqual(
    Object.fromEntries([...cartNames, 'early'].map((cart) => [cart, alive.includes(cart) || cart === 'early' ? 1 : 0])),
  );
  expect(workerEnded).toBe(false);
}, 360_000);

test('a worker ends promptly while Temporal is down', async () => {
  await temporal.stop();
  const startedMs = performance.now();
  await worker.stop();
  // Background calls give up after 10 s; the worker itself has nothing to wait for.
  expect(performance.now() - startedMs).toBeLessThan(20_000);
}, 60_000);
