import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { reconcile } from '../../operations/reconcile.ts';
import { createWorkflowEngine } from '../../temporal/engine.ts';
import { recoveryWorkflowId } from '../../workflows/contract.ts';
import { temporalCommand } from '../chaos/own-temporal.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { createStubSender } from '../helpers/stub-sender.ts';

// An operator ends or resets a workflow while a call of it is running: accepted by the provider, not yet stored.

let provider: StubProvider;
let shop: Shop;
let held: Promise<void> | null = null;
let release: () => void = () => undefined;
beforeAll(async () => {
  provider = await startStubProvider(false);
  const times = { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 6_000 };
  shop = await openShop({
    // An hour in a quarter of a second: emails after 0.5, 6, 12 and 18 s.
    timeScale: 14_400,
    sender: createStubSender(provider.port, { kind: 'none', times }),
    checkpoints: (at) => (at === 'dispatch.called' && held !== null ? held : Promise.resolve()),
  });
  await shop.startWorker();
});
afterEach(() => release());
afterAll(async () => {
  await shop.close();
  await provider.stop();
});

/** A cart whose first email is accepted by the provider, and whose dispatch stands still there. */
async function inFlight(cart: string): Promise<{ id: string; workflowId: string }> {
  held = new Promise<void>((resolve) => {
    release = () => {
      held = null;
      resolve();
    };
  });
  await shop.post('cart.updated', aCart(cart, `${cart}@example.com`));
  const { id } = await until('the enrollment', () => shop.enrollmentOf(cart));
  await until('the mail to be accepted', () => acceptedOf(id, 'email_2h') === 1);
  return { id, workflowId: recoveryWorkflowId(shop.tenant.slug, 'cart', id) };
}
const acceptedOf = (id: string, stepId: string) => provider.accepted.filter((a) => a.key === `${id}:${stepId}`).length;
const stateOf = async (id: string) => (await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h')?.state;
const operator = (verb: string, workflowId: string, ...more: string[]) =>
  temporalCommand(shop.temporal.address, ['workflow', verb, '--workflow-id', workflowId, ...more]);

test('cancelled: the sequence ends, and what was accepted stands as sent', async () => {
  const { id, workflowId } = await inFlight('cancelled');
  await operator('cancel', workflowId);
  await until('the end to be stored', async () => (await shop.enrollmentOf('cancelled'))?.endedAt != null);
  release();
  await until('the outcome to be stored', async () => (await stateOf(id)) === 'sent');
  expect(await shop.enrollmentOf('cancelled')).toMatchObject({ status: 'EXITED', stopReason: 'cancelled' });
  expect(await temporalClientOf(shop).workflow.getHandle(workflowId).result()).toEqual({ reason: 'cancelled' });
  expect(acceptedOf(id, 'email_2h')).toBe(1);
});

test('terminated: the reconciler ends the sequence, and what was accepted stands as sent', async () => {
  const { id, workflowId } = await inFlight('terminated');
  await operator('terminate', workflowId, '--reason', 'tried out');
  const deps = { ...shop.deps, engine: createWorkflowEngine(temporalClientOf(shop), shop.temporal.taskQueue) };
  await until('the reconciler to see it', async () => (await reconcile(deps, { graceMs: 0 })).closed === 1);
  release();
  await until('the outcome to be stored', async () => (await stateOf(id)) === 'sent');
  expect(await shop.enrollmentOf('terminated')).toMatchObject({ status: 'EXITED', stopReason: 'terminated' });
  expect(acceptedOf(id, 'email_2h')).toBe(1);
});

test('reset: the new run waits for the call, takes its outcome, and goes on', async () => {
  const { id, workflowId } = await inFlight('reset');
  await operator('reset', workflowId, '--type', 'FirstWorkflowTask', '--reason', 'tried out');
  await until('the new run to ask for the same step', async () => {
    const { raw } = await temporalClientOf(shop).workflow.getHandle(workflowId).describe();
    return raw.pendingActivities?.some((a) => (a.attempt ?? 0) > 1);
  });
  release();
  await until('the next mail', () => acceptedOf(id, 'email_24h') === 1);
  expect(await stateOf(id)).toBe('sent');
  expect(acceptedOf(id, 'email_2h')).toBe(1);
});
