import { eq, isNotNull, sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tx } from '../../db/client.ts';
import { auditLog, enrollments, outbox } from '../../db/schema/index.ts';
import type { RecoveryStart, WorkflowEngine } from '../../operations/deps.ts';
import { reconcile } from '../../operations/reconcile.ts';
import { relayOutbox } from '../../operations/relay-outbox.ts';
import { createWorkflowEngine } from '../../temporal/engine.ts';
import { recoveryWorkflowId } from '../../workflows/contract.ts';
import { anotherStore, ask } from '../api/left-carts.ts';
import { asOwner } from '../helpers/database.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';

let shop: Shop;
let engine: WorkflowEngine;
beforeAll(async () => {
  // Real time: everything sleeps for an hour, so that no workflow notices anything by itself. The relay is the test's own until a worker starts.
  shop = await openShop({ timeScale: 1 });
  engine = createWorkflowEngine(temporalClientOf(shop), shop.temporal.taskQueue);
});
afterAll(() => shop.close());

const inTenant = <T>(work: (tx: Tx) => Promise<T>) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const relay = (through = engine) => relayOutbox({ ...shop.deps, engine: through });
const reconcileNow = (graceMs = 0) => reconcile({ ...shop.deps, engine }, { graceMs });
const refOf = async (cart: string) => ({ tenantSlug: shop.tenant.slug, sequence: 'cart', enrollmentId: (await shop.enrollmentOf(cart))?.id ?? '' });
const stateOf = async (cart: string) => engine.describe(await refOf(cart));
const begin = (cart: string) => shop.deliver('cart.updated', aCart(cart, `${cart}@example.com`));
const buy = (cart: string) =>
  shop.deliver('order.placed', {
    order: { id: `order-${cart}`, currency: 'EUR', total: '129.90' },
    cart_id: cart,
    contact: { email: `${cart}@example.com` },
  });
const auditOf = async (cart: string) => {
  const { enrollmentId } = await refOf(cart);
  return inTenant((tx) =>
    tx.select({ actor: auditLog.actor, action: auditLog.action, data: auditLog.data }).from(auditLog).where(eq(auditLog.subject, enrollmentId)),
  );
};
const nothing = { restarted: 0, closed: 0, stopped: 0 };

test('what has just been enrolled, or waits for the relay, is left to the relay', async () => {
  await begin('waiting');
  expect(await reconcileNow()).toEqual({ checked: 0, ...nothing });
  await relay();
  expect(await reconcileNow(60_000)).toEqual({ checked: 0, ...nothing });
  expect(await reconcileNow()).toEqual({ checked: 1, ...nothing });
});

test('a pass by hand over one store answers what it looked at, and starts nothing twice', async () => {
  const pass = () => ask(shop, shop.tenant.apiKey, '/api/scheduler/process-sequences', 'POST');
  await asOwner(shop.database.url, `update enrollments set enrolled_at = enrolled_at - interval '1 minute'`);
  expect(await pass()).toMatchObject({ status: 200, body: { processed: 1, executed: 0, deferred: 1, failed: 0 } });
  expect(await pass()).toMatchObject({ status: 200, body: { processed: 1, executed: 0, deferred: 1, failed: 0 } });
  const another = await anotherStore(shop, 'another-store');
  expect(await ask(shop, another.apiKey, '/api/scheduler/process-sequences', 'POST')).toMatchObject({ body: { processed: 0, executed: 0 } });
});

test('a start that was lost is found and made up for', async () => {
  await begin('lost');
  await inTenant((tx) => tx.delete(outbox));
  expect(await reconcileNow()).toEqual({ checked: 2, ...nothing, restarted: 1 });
  expect(await stateOf('lost')).toBe('missing');
  // Repaired through the outbox, so a second pass changes nothing.
  expect(await reconcileNow()).toEqual({ checked: 1, ...nothing });
  await relay();
  expect(await stateOf('lost')).toBe('running');
  expect(await auditOf('lost')).toEqual([{ actor: 'reconciler', action: 'reconcile.restarted', data: { workflow: 'missing' } }]);
  expect(await reconcileNow()).toEqual({ checked: 2, ...nothing });
});

test('an enrollment that ends while the reconciler looks is not brought back', async () => {
  await begin('quick');
  await inTenant((tx) => tx.delete(outbox));
  const meanwhile: WorkflowEngine = {
    ...engine,
    async describe(ref) {
      const state = await engine.describe(ref);
      if (ref.enrollmentId === (await refOf('quick')).enrollmentId) await buy('quick');
      return state;
    },
  };
  expect(await reconcile({ ...shop.deps, engine: meanwhile }, { graceMs: 0 })).toEqual({ checked: 3, ...nothing });
  await relay();
  expect(await stateOf('quick')).toBe('missing');
  expect(await shop.enrollmentOf('quick')).toMatchObject({ status: 'EXITED', stopReason: 'not_abandoned' });
});

test('an enrollment that ends just after its workflow was terminated keeps its own end', async () => {
  await begin('contested');
  await relay();
  const ref = await refOf('contested');
  await temporalClientOf(shop)
    .workflow.getHandle(recoveryWorkflowId(ref.tenantSlug, ref.sequence, ref.enrollmentId))
    .terminate('tried out');
  const meanwhile: WorkflowEngine = {
    ...engine,
    // Visibility lags: the terminated one is not in the list any more.
    async *listRunning(slug) {
      for await (const id of engine.listRunning(slug)) if (id !== ref.enrollmentId) yield id;
    },
    async describe(asked) {
      const state = await engine.describe(asked);
      if (asked.enrollmentId === ref.enrollmentId) await buy('contested');
      return state;
    },
  };
  expect(await reconcile({ ...shop.deps, engine: meanwhile }, { graceMs: 0 })).toMatchObject(nothing);
  expect(await shop.enrollmentOf('contested')).toMatchObject({ status: 'EXITED', stopReason: 'not_abandoned' });
  expect(await auditOf('contested')).toEqual([]);
  await relay();
});

test('a workflow that was started late, for an enrollment that had ended, is stopped', async () => {
  await begin('late');
  const underWay: RecoveryStart[] = [];
  const timesOut: WorkflowEngine = {
    ...engine,
    start(input) {
      underWay.push(input);
      return Promise.reject(new Error('no answer in time'));
    },
  };
  await relay(timesOut);
  await buy('late');
  await until('the outbox to be empty', async () => {
    await relay();
    return (await shop.deps.db.outboxBacklog()).waiting === 0;
  });
  expect(await stateOf('late')).toBe('missing');
  for (const input of underWay) await engine.start(input);
  expect(await stateOf('late')).toBe('running');

  await shop.startWorker();
  // The Schedule runs once by itself when it is made.
  const looked = await until("the Schedule's own look to begin", async () => {
    const schedule = await temporalClientOf(shop)
      .schedule.getHandle(`reconcile/${shop.temporal.taskQueue}`)
      .describe()
      .catch(() => null);
    return schedule?.info.recentActions.at(0)?.action.workflow.workflowId;
  });
  expect(await temporalClientOf(shop).workflow.getHandle(looked).result()).toMatchObject(nothing);
  // An end that is as fresh as this may still be on its way to the workflow.
  expect(await reconcileNow()).toMatchObject(nothing);
  for (const cart of ['well-1', 'well-2', 'well-3']) await until(`${cart} to have ended`, async () => (await stateOf(cart)) !== 'running');
  await inTenant((tx) => tx.update(enrollments).set({ endedAt: sql`ended_at - interval '1 minute'` }).where(isNotNull(enrollments.endedAt)));
  const report = await until('the reconciler to see it', async () => {
    const found = await reconcileNow();
    return found.stopped > 0 ? found : null;
  });
  expect(report).toMatchObject({ ...nothing, stopped: 1 });
  await until('the workflow to close', async () => (await stateOf('late')) === 'completed');
  expect(await auditOf('late')).toEqual([{ actor: 'reconciler', action: 'reconcile.stopped', data: { workflow: 'running' } }]);
});

test('a workflow that closed without its end being stored is started again', async () => {
  await begin('hushed');
  await until('it to run', async () => (await stateOf('hushed')) === 'running');
  const ref = await refOf('hushed');
  // A signal that claims `recorded` although Postgres does not know the end.
  await engine.stop(ref, 'purchased');
  await until('the workflow to close', async () => (await stateOf('hushed')) === 'completed');
  await until('the reconciler to see it', async () => (await reconcileNow()).restarted === 1);
  await until('it to run again', async () => (await stateOf('hushed')) === 'running');
  expect(await shop.enrollmentOf('hushed')).toMatchObject({ status: 'ACTIVE', endedAt: null });
});

test('in a healthy shop there is nothing to repair', async () => {
  for (const cart of ['well-1', 'well-2', 'well-3', 'well-4', 'well-5', 'well-6']) await begin(cart);
  for (const cart of ['well-1', 'well-2']) await buy(cart);
  await shop.deliver('contact.opted_out', { contact: { email: 'well-3@example.com' } });
  const { enrollmentId } = await refOf('well-4');
  await temporalClientOf(shop)
    .workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'cart', enrollmentId))
    .signal('pause');
  await until('the pause to be stored', async () => (await shop.enrollmentOf('well-4'))?.held === 'paused');
  await until('the outbox to be empty', async () => (await shop.deps.db.outboxBacklog()).waiting === 0);
  await inTenant((tx) => tx.update(enrollments).set({ endedAt: sql`ended_at - interval '1 minute'` }).where(isNotNull(enrollments.endedAt)));
  const open = ['waiting', 'lost', 'hushed', 'well-4', 'well-5', 'well-6'];
  const before = await inTenant((tx) => tx.select({ id: auditLog.id }).from(auditLog));
  // Until visibility has caught up, and afterwards.
  for (let i = 0; i < 3; i++) expect(await reconcileNow()).toEqual({ checked: open.length, ...nothing });
  expect(await inTenant((tx) => tx.select({ id: auditLog.id }).from(auditLog))).toEqual(before);
});
