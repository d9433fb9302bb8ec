import { asc, eq } from 'drizzle-orm';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPrometheus } from '../../config/telemetry.ts';
import { contacts, enrollments, messages, tasks } from '../../db/schema/index.ts';
import { assessAccounts } from '../../operations/risk/assess.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { escalateToManager } from '../../operations/work/escalate.ts';
import { ask } from '../api/left-carts.ts';
import { asOwner } from '../helpers/database.ts';
import { letTimePass, openShop, type Shop } from '../helpers/shop.ts';

// Work for people: docs/rules.md#rule-84

const dayMs = 86_400_000;
let shop: Shop;
const targets = [
  { name: 'Ana', role: 'agent' },
  { name: 'Ben', role: 'agent', skills: ['senior'] },
  { name: 'Mia', role: 'manager' },
];
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  for (const slug of ['churn-early', 'churn-active', 'churn-critical']) await own(`/api/sequences/${slug}/resume`, 'POST', {});
  expect((await own('/api/settings', 'PATCH', { settings: { workTargets: targets } })).status).toBe(200);
});
afterAll(() => shop.close());

const own = (url: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', payload?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, url, method, payload);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);

let made = 0;
async function anAccount(): Promise<string> {
  const id = `account-${++made}`;
  const behaviour = [40, 42, 44, 46].map((days) => ({ kind: 'visit', at: new Date(Date.now() - days * dayMs).toISOString() }));
  const contact = { email: `${id}@example.com`, first_name: 'Kim' };
  return ((await own('/api/behaviour', 'POST', { account: { id }, contact, behaviour })).body as { account: string }).account;
}
/** An account that has come into the critical band, with the enrollment of its preset. */
async function atRisk(): Promise<{ account: string; enrollment: string }> {
  const account = await anAccount();
  await own('/api/settings', 'PATCH', { settings: { riskBands: { early: 0.01, active: 0.02, critical: 0.03 } } });
  await assessAccounts(shop.deps, shop.tenant.tenantId, [account], 'time');
  const [run] = await inTenant((tx) => tx.select({ id: enrollments.id }).from(enrollments).where(eq(enrollments.subjectId, account)));
  return { account, enrollment: run?.id ?? '' };
}
const tasksOf = (account: string) => inTenant((tx) => tx.select().from(tasks).where(eq(tasks.subjectId, account)).orderBy(asc(tasks.id)));
/** Dispatch as the workflow does: again for as long as the person is locked by somebody else. */
async function dispatch(enrollmentId: string, stepId: string) {
  for (;;) {
    const result = await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });
    if (result.kind !== 'again') return result;
    await new Promise((done) => setTimeout(done, result.inMs));
  }
}
/** Until the step is settled: where the task's own transaction finds its account locked for too long, the step is put off like any that fails. */
async function dispatchAtLast(enrollmentId: string, stepId: string): Promise<void> {
  for (let attempt = 1; attempt <= 5; attempt++) {
    const result = await dispatch(enrollmentId, stepId);
    if (result.kind === 'done' && result.progress.settled[stepId] !== undefined) return;
    await letTimePass(shop, 10 * 60_000);
  }
  throw new Error(`${stepId} was never settled`);
}

describe('a step for a colleague', () => {
  test('makes one task, with who it is about, how they stand and what to do, however often it is dispatched', async () => {
    const { account, enrollment } = await atRisk();
    await Promise.all([dispatch(enrollment, 'escalate_now'), dispatch(enrollment, 'escalate_now')]);
    await dispatch(enrollment, 'escalate_now');
    await dispatch(enrollment, 'call_now');
    const all = await tasksOf(account);
    expect(all.map(({ kind, owner, suppressed }) => [kind, owner, suppressed])).toEqual([
      ['escalation', 'Mia', false],
      ['agent_call', 'Ben', false],
    ]);
    expect(all[0]).toMatchObject({
      enrollmentId: enrollment,
      recommendation: expect.stringContaining('Take this over') as unknown,
      data: { name: 'Kim', risk: { band: 'critical', basis: 'rank', factors: expect.any(Array) as unknown } },
    });
    expect(all[1]?.data).toMatchObject({ tried: [{ step: 'escalate_now', channel: 'task', state: 'sent' }] });
    const ledger = await inTenant((tx) => tx.select({ state: messages.state }).from(messages).where(eq(messages.enrollmentId, enrollment)));
    expect(ledger).toEqual([{ state: 'sent' }, { state: 'sent' }]);
  });

  test('the time from the detection to the first action is in the metrics, once for each intervention', async () => {
    const { enrollment } = await atRisk();
    const { registry, telemetry } = createPrometheus();
    const measured = async () => {
      const text = await registry.getSingleMetricAsString('rekindle_risk_first_action_seconds');
      return [/_count\{put_off="false"\} (\d+)/.exec(text)?.[1], /_sum\{put_off="false"\} ([\d.]+)/.exec(text)?.[1]].map(Number);
    };
    const step = { tenantId: shop.tenant.tenantId, enrollmentId: enrollment, stepId: 'escalate_now' };
    const began = (await inTenant((tx) => tx.select({ atMs: enrollments.enrolledAt }).from(enrollments).where(eq(enrollments.id, enrollment))))[0];
    for (let settled = false; !settled; ) {
      const result = await dispatchStep({ ...shop.deps, telemetry }, step);
      settled = result.kind === 'done' && result.progress.settled['escalate_now'] !== undefined;
    }
    const tookS = (Date.now() - (began?.atMs ?? 0)) / 1_000;
    const [count, sum = 0] = await measured();
    expect(count).toBe(1);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThanOrEqual(tookS);
    await dispatchStep({ ...shop.deps, telemetry }, { ...step, stepId: 'call_now' });
    expect((await measured())[0]).toBe(1);
  });

  test('a worker that died behind the task and before its outcome makes no second one', async () => {
    const { account, enrollment } = await atRisk();
    await dispatch(enrollment, 'escalate_now');
    // As such a worker leaves it: the call may have been accepted, nobody knows.
    await asOwner(
      shop.database.url,
      `update messages set state = 'unknown', in_doubt = true, doubt_since = clock_timestamp(), claimed_at = clock_timestamp() - interval '1 hour', settled_at = null where enrollment_id = $1`,
      [enrollment],
    );
    await dispatch(enrollment, 'escalate_now');
    expect(await tasksOf(account)).toHaveLength(1);
  });

  test('of escalations within 24 hours one is made under any concurrency, and the others are on record', async () => {
    const { account, enrollment } = await atRisk();
    const asked = { tenantId: shop.tenant.tenantId, subjectId: account, note: 'look at this', actor: 'test' };
    await Promise.all([dispatchAtLast(enrollment, 'escalate_now'), ...Array.from({ length: 8 }, () => escalateToManager(shop.deps, asked))]);
    const all = await tasksOf(account);
    expect(all).toHaveLength(9);
    expect(all.filter(({ suppressed }) => !suppressed)).toHaveLength(1);
    expect(
      all.filter(({ suppressed, state, result }) => suppressed && state === 'dismissed' && result?.startsWith('suppressed') === true),
    ).toHaveLength(8);
    const by = await own('/api/escalations', 'POST', { subject: account });
    expect(by).toMatchObject({ status: 200, body: { suppressed: true } });
    await asOwner(shop.database.url, `update tasks set created_at = created_at - interval '24 hours' where subject_id = $1`, [account]);
    expect(await own('/api/escalations', 'POST', { subject: account, note: 'again' })).toMatchObject({
      status: 201,
      body: { suppressed: false, owner: 'Mia', recommendation: 'again' },
    });
    expect(await own('/api/escalations', 'POST', { subject: '0190ffff-0000-7000-8000-000000000000' })).toMatchObject({ status: 404 });
  });

  test('an escalation whose account is locked for too long is refused aloud or tried again, and never lost', async () => {
    const { account, enrollment } = await atRisk();
    const holder = new pg.Client({ connectionString: shop.database.url });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query('select from subjects where id = $1 for update', [account]);
      const step = { tenantId: shop.tenant.tenantId, enrollmentId: enrollment, stepId: 'escalate_now' };
      const [asked, dispatched] = await Promise.all([own('/api/escalations', 'POST', { subject: account }), dispatchStep(shop.deps, step)]);
      expect(asked).toMatchObject({ status: 503, body: { code: 'busy' } });
      if (dispatched.kind === 'done') expect(dispatched.progress.settled['escalate_now'], 'not settled without its task').toBeUndefined();
      expect(await tasksOf(account)).toEqual([]);
      await holder.query('rollback');
    } finally {
      await holder.end();
    }
    await dispatchAtLast(enrollment, 'escalate_now');
    expect(await own('/api/escalations', 'POST', { subject: account })).toMatchObject({ status: 200, body: { suppressed: true } });
    expect((await tasksOf(account)).map(({ kind, suppressed }) => [kind, suppressed])).toEqual([
      ['escalation', false],
      ['escalation', true],
    ]);
  });
});

describe('a task', () => {
  test('is accepted by one, whose acceptance holds the automatic steps; is reassigned, put off and resolved', async () => {
    const { account, enrollment } = await atRisk();
    await dispatch(enrollment, 'escalate_now');
    const [task] = await tasksOf(account);
    const accept = (owner: string) => own(`/api/tasks/${task?.id}/accept`, 'POST', { owner });
    const answers = await Promise.all(['Ana', 'Ben', 'Mia'].map(accept));
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 409, 409]);
    const [held] = await inTenant((tx) =>
      tx
        .select({ at: contacts.takenOverAt })
        .from(contacts)
        .innerJoin(enrollments, eq(enrollments.contactId, contacts.id))
        .where(eq(enrollments.id, enrollment)),
    );
    expect(held?.at).not.toBeNull();
    await dispatch(enrollment, 'call_now');
    expect(await inTenant((tx) => tx.select({ step: messages.stepId }).from(messages).where(eq(messages.enrollmentId, enrollment)))).toEqual([
      { step: 'escalate_now' },
    ]);
    expect(await own(`/api/tasks/${task?.id}/reassign`, 'POST', { owner: 'Ana' })).toMatchObject({ body: { owner: 'Ana', accepted_at: null } });
    const until = new Date(Date.now() + dayMs).toISOString();
    const over = new Date(Date.now() - 1_000).toISOString();
    expect(await own(`/api/tasks/${task?.id}/snooze`, 'POST', { until: over })).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(await own(`/api/tasks/${task?.id}/snooze`, 'POST', { until })).toMatchObject({ body: { due_at: until, snoozed_until: until } });
    expect((await own('/api/tasks?owner=Ana&state=open')).body).toMatchObject({ data: [{ id: task?.id }] });
    expect(await own(`/api/tasks/${task?.id}/close`, 'POST', { result: 'stays' })).toMatchObject({ body: { state: 'done', result: 'stays' } });
    expect(await accept('Ana')).toMatchObject({ status: 409, body: { code: 'task_closed' } });
  });

  test('that somebody asked for holds the steps of its person as well, once it is accepted', async () => {
    const { account, enrollment } = await atRisk();
    const { id } = (await own('/api/escalations', 'POST', { subject: account })).body as { id: string };
    expect((await own(`/api/tasks/${id}/accept`, 'POST', { owner: 'Mia' })).status).toBe(200);
    await dispatch(enrollment, 'call_now');
    expect((await tasksOf(account)).map(({ kind }) => kind)).toEqual(['escalation']);
  });

  test('the share of those who are escalated is measured, with an alarm above a twentieth', async () => {
    const { body } = await own('/api/escalations/share');
    const { escalated, accounts, share, alarm } = body as { escalated: number; accounts: number; share: number; alarm: boolean };
    expect(share).toBeCloseTo(escalated / accounts, 12);
    expect(alarm).toBe(share > 0.05);
    expect(alarm).toBe(true);
  });
});
