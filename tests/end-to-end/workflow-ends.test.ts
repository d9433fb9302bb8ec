import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import pg from 'pg';
import type { Checkpoint } from '../../operations/deps.ts';
import { systemClock } from '../../operations/clock.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import { reconcile } from '../../operations/reconcile.ts';
import { relayOutbox } from '../../operations/relay-outbox.ts';
import { createWorkflowEngine } from '../../temporal/engine.ts';
import { type RecoveryView, recoveryWorkflowId } from '../../workflows/contract.ts';
import { anEmail, aSequence } from '../helpers/sequence-dsl.ts';
import { aCart, letTimePass, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';

// Ends and starts that come from Temporal, clocks that disagree, and the content of histories.

let shop: Shop;
afterEach(() => shop.close());

const workflowOf = (enrollmentId: string) => temporalClientOf(shop).workflow.getHandle(recoveryWorkflowId(shop.tenant.slug, 'cart', enrollmentId));
/** The enrollment, once the relay has started its workflow. */
async function enrolled(cartId: string) {
  const enrollment = await until('the enrollment', () => shop.enrollmentOf(cartId));
  await until('its workflow', () =>
    workflowOf(enrollment.id)
      .describe()
      .catch(() => null),
  );
  return enrollment;
}
const mailsTo = (email: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(email));
const engine = () => createWorkflowEngine(temporalClientOf(shop), shop.temporal.taskQueue);
const ended = (cartId: string) =>
  until(`the end of ${cartId}`, async () => {
    const row = await shop.enrollmentOf(cartId);
    return row?.endedAt == null ? null : row;
  });

/** As `temporal workflow reset --type FirstWorkflowTask` does it. */
async function resetToTheBeginning(enrollmentId: string): Promise<void> {
  const client = temporalClientOf(shop);
  const { runId, workflowId } = await workflowOf(enrollmentId).describe();
  const { history } = await client.workflowService.getWorkflowExecutionHistory({ namespace: 'default', execution: { workflowId, runId } });
  const first = history?.events?.find((event) => event.workflowTaskCompletedEventAttributes != null)?.eventId;
  await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    reason: 'review',
    ...(first == null ? {} : { workflowTaskFinishEventId: first }),
    requestId: `reset-${enrollmentId}`,
  });
}

test('a failed activity leaves no personal data in Temporal', async () => {
  shop = await openShop();
  const owner = new pg.Client({ connectionString: shop.database.url });
  await owner.connect();
  // Whatever makes a statement fail, drizzle writes its values into the error's message.
  await owner.query(`alter table messages add constraint review_no_claims check (state <> 'claimed') not valid`);
  await owner.end();
  await shop.startWorker();
  await shop.deliver('cart.updated', aCart('cart-1', 'ada@example.com'));
  const { id } = await enrolled('cart-1');
  const failure = await until('the activity to fail', async () => {
    const { raw } = await workflowOf(id).describe();
    return raw.pendingActivities?.find((a) => a.lastFailure?.message != null && a.attempt != null && a.attempt > 1)?.lastFailure ?? null;
  });
  expect(JSON.stringify(failure)).not.toMatch(/ada@example\.com|Ada/);
});

test('a worker whose clock is behind Temporal’s does not dispatch in a loop: the history keeps its budget', async () => {
  const behindMs = 3_000;
  shop = await openShop({ timeScale: 3_600, clock: { ...systemClock, nowMs: () => Date.now() - behindMs } });
  await shop.startWorker();
  await shop.deliver('cart.updated', aCart('cart-1', 'ada@example.com'), { at: Date.now() - behindMs });
  const { id } = await enrolled('cart-1');
  await shop.smtp.waitForMail((m) => m.envelope.to.includes('ada@example.com'));
  // Two steps at eleven events each, four at the start, and a deferral of eleven for each of them.
  const { historyLength } = await workflowOf(id).describe();
  expect(historyLength).toBeLessThanOrEqual(4 + 2 * 11 + 2 * 11 + 11);
});

test('a history costs at most eleven events a step and six', async () => {
  shop = await openShop();
  await shop.startWorker();
  await shop.deliver('cart.updated', aCart('cart-1', 'ada@example.com'));
  const { id } = await enrolled('cart-1');
  await workflowOf(id).result();
  const { historyLength } = await workflowOf(id).describe();
  expect(historyLength).toBeLessThanOrEqual(5 * 11 + 6);
});

test('a workflow that is reset to its beginning after two emails sends neither of them again', async () => {
  shop = await openShop({ timeScale: 14_400 });
  await shop.startWorker();
  await shop.deliver('cart.updated', aCart('cart-1', 'ada@example.com'));
  const { id } = await enrolled('cart-1');
  await until('two mails', () => mailsTo('ada@example.com').length === 2);
  await until('the second to be settled', async () => (await shop.ledgerOf(id)).some((m) => m.stepId === 'email_24h' && m.state === 'sent'));
  await resetToTheBeginning(id);
  expect(await ended('cart-1')).toMatchObject({ status: 'COMPLETED' });
  const steps = mailsTo('ada@example.com').map((m) => /\.(email_\d+h)@/.exec(m.raw.toString())?.[1]);
  expect(steps).toEqual(['email_2h', 'email_24h', 'email_48h', 'email_72h']);
});

test('a completed sequence whose workflow was reset still says `completed`, also where the reconciler stops it', async () => {
  shop = await openShop();
  const worker = await shop.startWorker();
  await shop.deliver('cart.updated', aCart('cart-1', 'ada@example.com'));
  const { id } = await enrolled('cart-1');
  await workflowOf(id).result();
  await worker.stop();
  await resetToTheBeginning(id);
  await letTimePass(shop, 31_000);
  await until('the reconciler to find it', async () => (await reconcile({ ...shop.deps, engine: engine() }, { graceMs: 0 })).stopped === 1);
  await until('the relay to tell Temporal', async () => (await relayOutbox({ ...shop.deps, engine: engine() })).taken === 1);
  await shop.startWorker();
  expect(await workflowOf(id).result()).toMatchObject({ reason: 'completed' });
  expect((await shop.enrollmentOf('cart-1'))?.status).toBe('COMPLETED');
});

test('a start that is relayed again after the end begins nothing', async () => {
  shop = await openShop();
  await shop.startWorker();
  await shop.deliver('cart.updated', aCart('cart-1', 'ada@example.com'));
  const { id } = await enrolled('cart-1');
  await shop.deliver('order.placed', { order: { id: 'o-1', currency: 'EUR', total: '129.90' }, cart_id: 'cart-1' });
  const row = await ended('cart-1');
  await workflowOf(id)
    .result()
    .catch(() => undefined);
  const before = mailsTo('ada@example.com').length;
  // As a relay does whose first try took longer than its claim: the workflow starts anew from old progress.
  const { compilePlan } = await import('../../domain/sequence/compile-plan.ts');
  const version = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => shop.deps.versions.load(tx, row.versionId));
  await engine().start({
    tenantSlug: shop.tenant.slug,
    sequence: 'cart',
    enrollmentId: id,
    tenantId: shop.tenant.tenantId,
    subjectKind: 'cart',
    subjectId: row.subjectId,
    plan: compilePlan(version.definition, version.version, row.timeScale),
    progress: { anchorMs: row.anchorAt, activatedAtMs: null, settled: {}, notBeforeMs: {}, held: null, stopped: null },
  });
  expect(await workflowOf(id).result()).toMatchObject({ reason: row.stopReason });
  expect(mailsTo('ada@example.com')).toHaveLength(before);
});

test('a workflow that is cancelled while a call runs ends as cancelled in all three places, and the call is settled', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let at: Checkpoint | null = null;
  shop = await openShop({
    checkpoints: async (point) => {
      if (point !== 'dispatch.called' || at !== null) return;
      at = point;
      await held;
    },
  });
  await shop.startWorker();
  await shop.deliver('cart.updated', aCart('cart-1', 'ada@example.com'));
  const { id } = await enrolled('cart-1');
  await until('the call to be made', () => at !== null);
  await workflowOf(id).cancel();
  expect(await workflowOf(id).result()).toMatchObject({ reason: 'cancelled' });
  release();
  await until('the call to be settled', async () => (await shop.ledgerOf(id)).some((m) => m.stepId === 'email_2h' && m.state === 'sent'));
  expect(await shop.enrollmentOf('cart-1')).toMatchObject({ status: 'EXITED', stopReason: 'cancelled' });
  expect((await workflowOf(id).describe()).searchAttributes['StopReason']).toEqual(['cancelled']);
  expect(mailsTo('ada@example.com')).toHaveLength(1);
});

test('a stop while a step is put off ends it at once', async () => {
  // It is night for three more hours, whenever this runs: the email is put off, and is not too old by then.
  const minute = Math.floor(Date.now() / 60_000) % 1_440;
  shop = await openShop({ timeScale: 1, settings: { quietHours: { fromMinute: (minute + 1_380) % 1_440, toMinute: (minute + 180) % 1_440 } } });
  await shop.startWorker();
  await shop.deliver('cart.updated', aCart('cart-1', 'ada@example.com', { created_at: new Date(Date.now() - 3 * 3_600_000).toISOString() }), {
    at: Date.now() - 3 * 3_600_000,
  });
  const { id } = await enrolled('cart-1');
  const asleep = await until('the mail to be put off', async () => {
    const view = await workflowOf(id)
      .query<RecoveryView>('view')
      .catch(() => null);
    return view?.nextStep === 'email_2h' && view.nextAt !== null ? view : null;
  });
  expect(Date.parse(asleep.nextAt ?? '')).toBeGreaterThan(Date.now());
  await shop.deliver('message.received', { contact: { email: 'ada@example.com' }, channel: 'email', text: 'Thanks' });
  expect(await workflowOf(id).result()).toEqual({ reason: 'replied' });
  expect(mailsTo('ada@example.com')).toHaveLength(0);
});

test('a pause and a resume that come while the pause is still being written leave it running', async () => {
  shop = await openShop({ timeScale: 36_000 });
  await shop.startWorker();
  await shop.deliver('cart.updated', aCart('cart-1', 'ada@example.com'));
  const { id } = await enrolled('cart-1');
  await until('the first mail to be settled', async () => (await shop.ledgerOf(id)).some((m) => m.stepId === 'email_2h' && m.state === 'sent'));
  const locker = new pg.Client({ connectionString: shop.database.url });
  await locker.connect();
  await locker.query('begin');
  await locker.query('select id from contacts for no key update');
  await workflowOf(id).signal('pause');
  await workflowOf(id).signal('resume');
  const row = await enrolled('cart-1');
  await until('the next step to be due', () => Date.now() > row.anchorAt + 2_600);
  await locker.query('rollback');
  await locker.end();
  expect(await ended('cart-1')).toMatchObject({ status: 'COMPLETED' });
});

test('a step of an enrollment that Postgres does not know is no error: its workflow ends, and nothing is sent', async () => {
  shop = await openShop({ timeScale: 3_600 });
  await shop.startWorker();
  const [unknown, plan] = [randomUUID(), compilePlan(aSequence({ steps: [anEmail({ at: '1h' })] }), 1, 3_600)];
  const progress = { anchorMs: Date.now(), activatedAtMs: null, settled: {}, notBeforeMs: {}, held: null, stopped: null };
  const ref = { tenantSlug: shop.tenant.slug, sequence: 'cart', enrollmentId: unknown };
  await engine().start({ ...ref, tenantId: shop.tenant.tenantId, subjectKind: 'cart', subjectId: randomUUID(), plan, progress });
  expect(await workflowOf(unknown).result()).toEqual({ reason: 'cancelled' });
  expect(shop.smtp.accepted).toEqual([]);
});
