import { randomUUID } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditLog, enrollmentActions } from '../../db/schema/index.ts';
import type { RunningWorker } from '../../worker/start-worker.ts';
import { type RecoveryView, recoveryWorkflowId } from '../../workflows/contract.ts';
import { temporalCommand } from '../chaos/own-temporal.ts';
import { aCart, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';

// What a person may do to one running sequence, on real Postgres and Temporal, in real time: an hour is an hour.

const hourMs = 3_600_000;
let shop: Shop;
let worker: RunningWorker;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  worker = await shop.startWorker();
});
afterAll(() => shop.close());

interface Acted {
  outcome: string;
  changed: boolean;
  step: string | null;
  until: string | null;
  reason: string | null;
  sentence: string;
  code: string;
  enrollment: { status: string; next_step: { id: string; at: string } | null; steps: { id: string; state: string; due_at: string }[] };
}

async function askOnce(id: string, verb: string, body?: Record<string, unknown>, key?: string) {
  const response = await shop.app.inject({
    method: 'POST',
    url: `/api/enrollments/${id}/${verb}`,
    headers: { authorization: `Bearer ${shop.tenant.apiKey}`, ...(key === undefined ? {} : { 'idempotency-key': key }) },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: response.statusCode, headers: response.headers, body: response.json<Acted>() };
}

/** On a busy machine a worker may take longer than an answer: nothing was done then, and it is asked again. */
async function act(id: string, verb: string, body?: Record<string, unknown>, key?: string) {
  return until(`an answer to ${verb}`, async () => {
    const answer = await askOnce(id, verb, body, key);
    return answer.status === 503 ? null : answer;
  });
}

/** What came of it in the end: a key makes the question the same one. */
async function sendNow(id: string, step?: string) {
  const key = randomUUID();
  return until('the outcome', async () => {
    const answer = await act(id, 'send-now', step === undefined ? {} : { step }, key);
    return answer.body.outcome === 'under_way' ? null : answer;
  });
}

const workflowIdOf = (id: string) => recoveryWorkflowId(shop.tenant.slug, 'cart', id);
const view = (id: string) => temporalClientOf(shop).workflow.getHandle(workflowIdOf(id)).query<RecoveryView>('view');
const mailsTo = (cart: string) => shop.smtp.accepted.filter((m) => m.envelope.to.includes(`${cart}@example.com`)).length;
const explained = async (id: string) =>
  (await shop.app.inject({ url: `/api/enrollments/${id}/explain`, headers: { authorization: `Bearer ${shop.tenant.apiKey}` } })).json<{
    entries: { sentence: string }[];
  }>();

/** A cart that was left 90 minutes ago: its popup is over, and it sleeps until its first email, in half an hour. @returns the enrollment's id */
async function asleep(cart: string): Promise<string> {
  await shop.deliver('cart.updated', aCart(cart, `${cart}@example.com`), { at: Date.now() - 1.5 * hourMs });
  const { id = '' } = (await shop.enrollmentOf(cart)) ?? {};
  await until(`${cart} to sleep`, async () => {
    const seen = await view(id).catch(() => null);
    return seen?.settled['popup_1h'] !== undefined && seen.nextAt !== null;
  });
  return id;
}

test('send now sends the next step at once, the workflow goes on from there, and the one after it keeps its gap', async () => {
  const id = await asleep('now');
  const { status, body } = await sendNow(id, 'email_2h');
  expect([status, body]).toEqual([200, expect.objectContaining({ outcome: 'sent', step: 'email_2h', sentence: 'email_2h went out.' })]);
  expect(mailsTo('now')).toBe(1);
  await until('the workflow to know', async () => (await view(id)).settled['email_2h'] === 'sent');
  const next = await sendNow(id);
  expect([next.status, next.body]).toEqual([200, expect.objectContaining({ outcome: 'deferred', step: 'email_24h', reason: 'gap' })]);
  expect(Date.parse(next.body.until ?? '') - Date.now()).toBeGreaterThan(2.9 * hourMs);
  expect(mailsTo('now')).toBe(1);
  expect((await act(id, 'send-now', { step: 'email_2h' })).body.code).toBe('already_sent');
});

test('a move to a later step reaches the sleeping workflow, which waits for that one', async () => {
  const id = await asleep('moved');
  const { status, body } = await act(id, 'move', { step: 'email_72h' });
  expect([status, body]).toEqual([200, expect.objectContaining({ outcome: 'moved', step: 'email_72h' })]);
  expect(body.enrollment.next_step?.id).toBe('email_72h');
  await until('the workflow to know', async () => (await view(id)).settled['email_24h'] === 'skipped');
  expect((await view(id)).nextStep).toBe('email_72h');
  expect((await act(id, 'move', { step: 'email_2h' })).body.code).toBe('already_skipped');
});

test('send now overrules no gate: the one that is closed puts the step off, and the answer names it', async () => {
  const id = await asleep('closed');
  const minuteIn = (ms: number) => Math.floor(((Date.now() + ms) / 60_000) % 1_440);
  const settings = (quietHours: unknown) =>
    shop.app.inject({
      method: 'PATCH',
      url: '/api/settings',
      headers: { authorization: `Bearer ${shop.tenant.apiKey}` },
      payload: { settings: { timeZone: 'UTC', quietHours } },
    });
  expect((await settings({ fromMinute: minuteIn(-hourMs), toMinute: minuteIn(2 * hourMs) })).statusCode).toBe(200);
  const { status, body } = await sendNow(id);
  expect([status, body]).toEqual([200, expect.objectContaining({ outcome: 'deferred', step: 'email_2h', reason: 'quiet_hours' })]);
  await settings(null);
  expect(mailsTo('closed')).toBe(0);
  expect((await explained(id)).entries.map((e) => e.sentence)).toContainEqual(
    expect.stringMatching(
      /^A person asked for email_2h to go out at once \(api_key:[\w-]+\): it is due now, and passes every gate like any other\.$/,
    ),
  );
  // Once more, when the hour is no longer quiet.
  expect((await sendNow(id)).body.outcome).toBe('sent');
});

test('skip leaves the next step out, once: the one after it is next, and a step that is over is not mistaken for it', async () => {
  const id = await asleep('skipped');
  const first = await act(id, 'skip', { step: 'email_2h' });
  expect([first.status, first.body]).toEqual([200, expect.objectContaining({ outcome: 'skipped', step: 'email_2h' })]);
  expect(first.body.enrollment.next_step?.id).toBe('email_24h');
  await until('the workflow to know', async () => (await view(id)).nextStep === 'email_24h');
  expect((await act(id, 'skip', { step: 'email_2h' })).body.code).toBe('already_skipped');
  expect((await act(id, 'skip', { step: 'email_48h' })).body.code).toBe('not_next');
  expect((await act(id, 'skip', { step: 'email_1y' })).body.code).toBe('unknown_step');
  expect((await explained(id)).entries.map((e) => e.sentence)).toContainEqual(
    expect.stringMatching(/^email_2h was not sent: by hand \(api_key:[\w-]+\)\.$/),
  );
});

test('skipping the last step ends the sequence, and nothing can be done to it any more', async () => {
  const id = await asleep('all');
  for (const step of ['email_2h', 'email_24h', 'email_48h', 'email_72h']) await act(id, 'skip', { step });
  expect((await shop.enrollmentOf('all'))?.status).toBe('COMPLETED');
  await until(
    'the workflow to end',
    async () => (await temporalClientOf(shop).workflow.getHandle(workflowIdOf(id)).describe()).status.name === 'COMPLETED',
  );
  for (const [verb, body] of [['pause'], ['resume'], ['skip'], ['snooze', { hours: 1 }], ['send-now']] as const)
    expect([verb, (await act(id, verb, body)).body.code]).toEqual([verb, 'ended']);
  expect((await act(id, 'stop')).body).toMatchObject({
    outcome: 'unchanged',
    changed: false,
    reason: 'completed',
    sentence: 'It had ended before: it ran to its end.',
  });
});

test('snooze moves what is left, for the workflow too, and send now takes it back', async () => {
  const id = await asleep('snoozed');
  const untilMs = Date.now() + 30 * hourMs;
  const { status, body } = await act(id, 'snooze', { until: new Date(untilMs).toISOString() });
  expect([status, body]).toEqual([200, expect.objectContaining({ outcome: 'snoozed', step: 'email_2h', until: new Date(untilMs).toISOString() })]);
  expect(body.enrollment.next_step).toEqual({ id: 'email_2h', at: new Date(untilMs).toISOString() });
  await until('the workflow to sleep until then', async () => (await view(id)).nextAt === new Date(untilMs).toISOString());
  const due = Object.fromEntries(body.enrollment.steps.map((s) => [s.id, s.due_at]));
  expect(Date.parse(due['email_24h'] ?? '') - Date.parse(due['email_2h'] ?? '')).toBe(22 * hourMs);
  expect((await sendNow(id)).body.outcome).toBe('sent');
});

test('a snooze that says no time, two, one that is over or too far is refused', async () => {
  const id = await asleep('unclear');
  const inDays = (days: number) => ({ until: new Date(Date.now() + days * 24 * hourMs).toISOString() });
  const refused = async (body: Record<string, unknown>) => (await act(id, 'snooze', body)).body.code;
  const unreadable = [{}, { hours: 1, ...inDays(1) }, { hours: 0 }, { until: 'tomorrow' }];
  for (const body of unreadable) expect(await refused(body)).toBe('invalid_request');
  expect([await refused(inDays(-1)), await refused(inDays(91))]).toEqual(['in_the_past', 'too_far']);
});

test('a pause holds at once and moves nothing; a resume lets it go on; each says when it was so already', async () => {
  const id = await asleep('paused');
  const before = await view(id);
  expect((await act(id, 'pause')).body).toMatchObject({ outcome: 'paused', changed: true, enrollment: { status: 'PAUSED' } });
  expect((await act(id, 'pause')).body).toMatchObject({ outcome: 'unchanged', changed: false });
  await until('the workflow to hold', async () => (await view(id)).held === 'paused');
  expect((await act(id, 'send-now')).body.code).toBe('paused');
  expect((await act(id, 'resume')).body).toMatchObject({ outcome: 'resumed', enrollment: { status: 'ACTIVE' } });
  await until('the workflow to go on', async () => (await view(id)).nextAt === before.nextAt);
  expect((await act(id, 'resume')).body).toMatchObject({ outcome: 'unchanged', sentence: 'It was not paused.' });
});

test('a repeat with the same key does nothing twice and answers alike; the key for something else is a mistake', async () => {
  const id = await asleep('repeated');
  const [skip, pause, stop] = [randomUUID(), randomUUID(), randomUUID()];
  const both = await Promise.all([act(id, 'skip', undefined, skip), act(id, 'skip', undefined, skip)]);
  expect(both.map(({ status, body }) => [status, body.step])).toEqual([
    [200, 'email_2h'],
    [200, 'email_2h'],
  ]);
  expect((await act(id, 'skip', undefined, skip)).body.step).toBe('email_2h');
  expect((await act(id, 'skip', { step: 'email_24h' }, skip)).body.code).toBe('idempotency_key_reused');
  expect((await act(id, 'snooze', { hours: 1 }, skip)).body.code).toBe('idempotency_key_reused');
  const paused = await act(id, 'pause', undefined, pause);
  await act(id, 'resume');
  expect((await act(id, 'pause', undefined, pause)).body).toEqual(paused.body);
  expect((await act(id, 'resume')).body).toMatchObject({ outcome: 'unchanged' });
  for (let n = 0; n < 2; n++) expect((await act(id, 'stop', { reason: 'called' }, stop)).body).toMatchObject({ outcome: 'stopped', changed: true });
  expect((await act(id, 'stop', { reason: 'something else' }, stop)).body.code).toBe('idempotency_key_reused');
  expect((await act(id, 'stop')).body).toMatchObject({ outcome: 'unchanged', reason: 'manual' });
  const audit = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(auditLog).where(eq(auditLog.subject, id)));
  expect(audit.map(({ action }) => action).filter((action) => action === 'enrollment.skip')).toHaveLength(1);
  expect(audit.find(({ action }) => action === 'enrollment.skip')).toMatchObject({
    actor: expect.stringMatching(/^api_key:/),
    data: { step: 'email_2h' },
  });
});

test('an operator’s update in Temporal does the same, and what makes no sense is refused without a trace', async () => {
  const id = await asleep('operated');
  const update = (name: string, input: string) =>
    temporalCommand(shop.temporal.address, ['workflow', 'update', 'execute', '--workflow-id', workflowIdOf(id), '--name', name, '--input', input]);
  await update('skipStep', '{"step":"email_2h"}');
  expect((await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h')).toMatchObject({ state: 'skipped', skipReason: 'skipped_by_hand' });
  await expect(update('snooze', '{"until":"tomorrow"}')).rejects.toThrow(/until is no time/);
  await expect(update('skipStep', '{"step":"email_2h"}')).rejects.toThrow(/already skipped/);
  expect((await explained(id)).entries.map((e) => e.sentence)).toContain('email_2h was not sent: by hand (temporal).');
});

test('while no worker runs: a pause and a stop hold at once; what the sequence has to agree to is 503, and is not done later either', async () => {
  const [id, other] = [await asleep('alone'), await asleep('alone-too')];
  await worker.stop();
  const refused = await askOnce(id, 'skip');
  expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([503, 'not_answered', '5']);
  expect((await act(other, 'pause')).body.outcome).toBe('paused');
  expect((await act(other, 'stop')).body.outcome).toBe('stopped');
  const rows = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx
      .select({ state: enrollmentActions.state })
      .from(enrollmentActions)
      .where(and(eq(enrollmentActions.enrollmentId, id), eq(enrollmentActions.action, 'skip'))),
  );
  expect(rows).toEqual([{ state: 'withdrawn' }]);
  worker = await shop.startWorker();
  expect((await act(id, 'snooze', { hours: 2 })).body.outcome).toBe('snoozed');
  expect((await shop.ledgerOf(id)).find((m) => m.stepId === 'email_2h')).toBeUndefined();
});

test('the id of a request is seen in Temporal, where it started, signalled or asked a workflow, and in the audit log', async () => {
  const id = await asleep('ids-1');
  const withId = async (url: string, requestId: string, payload?: Record<string, unknown>) =>
    until(`an answer to ${requestId}`, async () => {
      const headers = { authorization: `Bearer ${shop.tenant.apiKey}`, 'x-request-id': requestId };
      const answer = await shop.app.inject({ method: 'POST', url, headers, ...(payload === undefined ? {} : { payload }) });
      return answer.statusCode === 503 ? null : answer;
    });
  expect((await withId(`/api/enrollments/${id}/skip`, 'ids-skip')).statusCode).toBe(200);
  expect((await withId(`/api/enrollments/${id}/stop`, 'ids-stop', { reason: 'test' })).statusCode).toBe(200);
  const again = (await withId(`/api/enrollments/${id}/re-enroll`, 'ids-again')).json<{ id: string }>();
  const client = temporalClientOf(shop);
  const described = await until('it is started anew', () =>
    client.workflow
      .getHandle(workflowIdOf(again.id))
      .describe()
      .catch(() => null),
  );
  expect(described.memo).toMatchObject({ requestId: 'ids-again' });
  const { events } = await until('the stop has arrived', async () => {
    const history = await client.workflow.getHandle(workflowIdOf(id)).fetchHistory();
    return history.events?.some((event) => event.workflowExecutionSignaledEventAttributes) === true ? history : null;
  });
  const seen = JSON.stringify(
    events
      ?.flatMap((event) => event.workflowExecutionSignaledEventAttributes?.input?.payloads ?? [])
      .map((p) => Buffer.from(p.data ?? []).toString()),
  );
  expect(seen).toContain('ids-stop');
  const entries = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.select().from(auditLog).where(eq(auditLog.requestId, 'ids-skip')));
  expect(entries.map(({ action }) => action)).toEqual(['enrollment.skip']);
});
