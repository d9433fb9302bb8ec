import { and, eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { enrollments, outbox, tasks } from '../../db/schema/index.ts';
import { composeStep } from '../../operations/composition/compose-step.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { deliverNext } from '../../operations/notifications/deliver.ts';
import { createTarget } from '../../operations/notifications/targets.ts';
import { changeSettings } from '../../operations/settings.ts';
import { acceptTask } from '../../operations/tasks.ts';
import { overduePass } from '../../operations/work/overdue.ts';
import { asOwner } from '../helpers/database.ts';
import { aCart } from '../helpers/shop.ts';
import { type ModelShop, openModelShop } from '../helpers/model-shop.ts';

// A person approves, edits or rejects what a model wrote, by the API: real Postgres, HTTP and SMTP, without a workflow. docs/rules.md#rule-42

let opened: ModelShop;
beforeAll(async () => {
  opened = await openModelShop({ timeScale: 3_600 });
});
afterAll(() => opened.close());
beforeEach(() => settings({ modelApproval: true, modelApprovalHours: 168 }));

const settings = (changes: Record<string, unknown>) =>
  changeSettings(opened.shop.deps, opened.shop.tenant.tenantId, { changes, expectedVersion: null, by: 'test' });

let carts = 0;
/** A cart whose text the model has written. */
async function written() {
  const cart = `approval-${++carts}`;
  await opened.shop.post('cart.updated', aCart(cart, `${cart}@example.com`));
  const enrollment = await opened.shop.enrollmentOf(cart);
  if (enrollment === null) throw new Error('no enrollment');
  const { tenantId } = enrollment;
  await composeStep(opened.shop.deps, { tenantId, enrollmentId: enrollment.id, stepId: 'nudge', dueMs: Date.now() + 5_000 });
  const row = await opened.compositionOf(enrollment.id);
  if (row === null) throw new Error('no text');
  return { cart, enrollmentId: enrollment.id, id: row.id };
}
type Written = Awaited<ReturnType<typeof written>>;

/** As the workflow does once the step is due: until it is settled, or put off for the person. */
async function dispatch({ enrollmentId }: Written): Promise<string> {
  for (let attempts = 0; attempts < 100; attempts++) {
    const result = await dispatchStep(opened.shop.deps, { tenantId: opened.shop.tenant.tenantId, enrollmentId, stepId: 'nudge' });
    if (result.kind === 'done' && result.note !== 'deferred: due' && result.note !== 'deferred: activity') return result.note;
    await new Promise((later) => setTimeout(later, 100));
  }
  throw new Error('the step was not settled');
}
async function ask(method: 'GET' | 'POST', path: string, payload?: Record<string, unknown>) {
  const headers = { authorization: `Bearer ${opened.shop.tenant.apiKey}` };
  const answer = await opened.shop.app.inject({ method, url: `/api/compositions${path}`, headers, ...(payload === undefined ? {} : { payload }) });
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() };
}
const mailOf = ({ cart }: Written) => opened.shop.smtp.accepted.find((m) => m.envelope.to.includes(`${cart}@example.com`))?.raw.toString() ?? '';
const waiting = async () => (await ask('GET', '?state=waiting')).body['data'] as { id: string; waits_until: string }[];
const wakesOf = ({ enrollmentId }: Written) =>
  opened.shop.deps.db.withTenant(opened.shop.tenant.tenantId, (tx) =>
    tx
      .select({ kind: outbox.kind })
      .from(outbox)
      .where(and(eq(outbox.enrollmentId, enrollmentId), eq(outbox.kind, 'wake'))),
  );
const notBeforeOf = ({ enrollmentId }: Written) =>
  opened.shop.deps.db.withTenant(opened.shop.tenant.tenantId, async (tx) => {
    const [row] = await tx.select({ notBefore: enrollments.notBefore }).from(enrollments).where(eq(enrollments.id, enrollmentId));
    return row?.notBefore['nudge'] ?? null;
  });

test('a due step waits for a person, who finds its text in the list; approved, it goes out at once', async () => {
  const text = await written();
  expect(await dispatch(text)).toBe('deferred: approval');
  const [item] = (await waiting()).filter(({ id }) => id === text.id);
  expect(Date.parse(item?.waits_until ?? '')).toBe(await notBeforeOf(text));
  const approved = await ask('POST', `/${text.id}/approve`);
  expect(approved).toMatchObject({ status: 200, body: { state: 'approved', edited: false, waits_until: null } });
  expect(await wakesOf(text)).toHaveLength(1);
  expect(await notBeforeOf(text)).toBeNull();
  expect(await dispatch(text)).toBe('sent');
  expect(mailOf(text)).toMatch(/Walnut desk lamp/);
  expect(mailOf(text)).not.toContain('The template says this');
  const check = await opened.copyCheckOf(text.enrollmentId);
  expect(check?.input).toMatchObject({ by: 'model', approval: 'approved', decidedBy: approved.body['decided_by'], edited: false });
  expect(check?.note).toContain('was approved by');
  expect((await waiting()).map(({ id }) => id)).not.toContain(text.id);
});

const taskOf = async ({ id }: Written) => {
  const { tenantId } = opened.shop.tenant;
  const [task] = await opened.shop.deps.db.withTenant(tenantId, (tx) =>
    tx
      .select()
      .from(tasks)
      .where(eq(tasks.key, `approval:${id}`)),
  );
  return task;
};

test('it is a task of a manager’s, due when its step is, who is told of it; decided, it is done', async () => {
  const { deps, tenant } = opened.shop;
  await settings({ workTargets: [{ name: 'Mia', role: 'manager' }] });
  await createTarget(deps, tenant.tenantId, { channel: 'email', address: 'mia@example.com', owner: 'Mia', kinds: ['approval'] }, 'test');
  const text = await written();
  const task = await taskOf(text);
  expect(task).toMatchObject({ kind: 'approval', state: 'open', owner: 'Mia', enrollmentId: text.enrollmentId, data: { composition: text.id } });
  expect(task?.dueAt).toBe((await opened.compositionOf(text.enrollmentId))?.dueAt);
  while (await deliverNext(deps, tenant.tenantId, new Set()));
  const mail = await opened.shop.smtp.waitForMail(({ envelope }) => envelope.to.includes('mia@example.com'));
  expect(mail.raw.toString()).toContain('Subject: Approval');
  // Whoever takes it holds nothing up.
  await acceptTask(deps, tenant.tenantId, task?.id ?? '', { owner: 'Mia', by: 'test' });
  await ask('POST', `/${text.id}/approve`);
  expect(await taskOf(text)).toMatchObject({ state: 'done', result: 'approved' });
  expect(await dispatch(text)).toBe('sent');
});

test('whoever decides nothing is reminded, and once nobody needs the decision the task is closed', async () => {
  await settings({ modelApprovalHours: 1, overdueTasks: { remindMinutes: [0], passOnMinutes: null, order: [] } });
  const text = await written();
  expect(await dispatch(text)).toBe('deferred: approval');
  const { deps, database } = opened.shop;
  const look = async () => {
    await asOwner(database.url, `update tasks set overdue_at = now() - interval '1 second' where key = $1`, [`approval:${text.id}`]);
    // The text is due within seconds: a worker that looks a minute later.
    await overduePass({ ...deps, clock: { ...deps.clock, nowMs: () => Date.now() + 60_000 } });
  };
  await look();
  expect(await taskOf(text)).toMatchObject({ state: 'open', reminders: 1, overdueAt: expect.any(Number) as unknown });
  expect(await dispatch(text)).toBe('sent');
  await look();
  expect(await taskOf(text)).toMatchObject({ state: 'dismissed', result: 'it was not decided in time', closedBy: 'overdue' });
});

test('approved before it is due, a step never waits', async () => {
  const text = await written();
  await ask('POST', `/${text.id}/approve`);
  expect(await dispatch(text)).toBe('sent');
  expect(await wakesOf(text)).toHaveLength(0);
});

test('an edited text goes out as the person wrote it, and what the model wrote is kept', async () => {
  const text = await written();
  const edited = await ask('POST', `/${text.id}/approve`, { subject: 'The Walnut desk lamp is here for you' });
  expect(edited.body).toMatchObject({ state: 'approved', edited: true, subject: 'The Walnut desk lamp is here for you' });
  await dispatch(text);
  expect(mailOf(text)).toContain('Subject: The Walnut desk lamp is here for you');
  expect((await opened.copyCheckOf(text.enrollmentId))?.note).toContain('was edited and approved by');
  expect((await opened.compositionOf(text.enrollmentId))?.unedited?.subject).not.toBe('The Walnut desk lamp is here for you');
});

test('a person’s text keeps the rules of a model’s', async () => {
  const text = await written();
  const refused = await ask('POST', `/${text.id}/approve`, { body: 'We give you 50% off the Walnut desk lamp, and it is here for you.' });
  expect(refused).toMatchObject({ status: 409, body: { code: 'breaks_rules', detail: expect.stringContaining('discount') } });
  expect(await opened.compositionOf(text.enrollmentId)).toMatchObject({ approval: 'pending', unedited: null });
});

test('rejected, the template goes out at once', async () => {
  const text = await written();
  expect(await dispatch(text)).toBe('deferred: approval');
  expect(await ask('POST', `/${text.id}/reject`, { note: 'Not our tone.' })).toMatchObject({
    status: 200,
    body: { state: 'rejected', note: 'Not our tone.' },
  });
  expect(await wakesOf(text)).toHaveLength(1);
  expect(await dispatch(text)).toBe('sent');
  expect(mailOf(text)).toContain('The template says this');
  expect((await opened.copyCheckOf(text.enrollmentId))?.input).toMatchObject({ by: 'template', reason: 'rejected', approval: 'rejected' });
});

test('nobody decides: the template goes out when the time is over, and says why', async () => {
  await settings({ modelApprovalHours: 1 });
  const text = await written();
  expect(await dispatch(text)).toBe('deferred: approval');
  expect(await dispatch(text)).toBe('sent');
  expect(mailOf(text)).toContain('The template says this');
  expect((await opened.copyCheckOf(text.enrollmentId))?.input).toMatchObject({ by: 'template', reason: 'awaiting_approval' });
  const late = await ask('POST', `/${text.id}/approve`);
  expect(late).toMatchObject({ status: 409, body: { code: 'already_decided' } });
  const { body } = await ask('GET', `?state=timed_out&enrollment_id=${text.enrollmentId}`);
  expect(body['data']).toMatchObject([{ id: text.id, state: 'timed_out', waits_until: null }]);
});

test('what was written about another cart cannot be approved any more, and is not waited for', async () => {
  const text = await written();
  await opened.shop.post('cart.updated', aCart(text.cart, `${text.cart}@example.com`, { total: '99.90' }));
  expect(await ask('POST', `/${text.id}/approve`)).toMatchObject({ status: 409, body: { code: 'stale_text' } });
  expect(await dispatch(text)).toBe('sent');
  expect((await opened.copyCheckOf(text.enrollmentId))?.input).toMatchObject({ by: 'template', reason: 'stale' });
});

test('a store that asks for no approval waits for nobody', async () => {
  await settings({ modelApproval: false });
  const text = await written();
  expect(await ask('GET', `?state=ready&enrollment_id=${text.enrollmentId}`)).toMatchObject({ body: { data: [{ id: text.id }] } });
  expect(await dispatch(text)).toBe('sent');
  expect((await opened.copyCheckOf(text.enrollmentId))?.input).toMatchObject({ by: 'model' });
});

test('explain says that a step waits for a person', async () => {
  const text = await written();
  await dispatch(text);
  const headers = { authorization: `Bearer ${opened.shop.tenant.apiKey}` };
  const answer = await opened.shop.app.inject({ method: 'GET', url: `/api/enrollments/${text.enrollmentId}/explain`, headers });
  expect(answer.body).toContain('a person has yet to approve the text that a model wrote');
  expect(await ask('POST', `/${text.enrollmentId}/approve`)).toMatchObject({ status: 404, body: { code: 'unknown_composition' } });
});
