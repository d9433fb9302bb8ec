import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compositions, contacts, experiments } from '../../db/schema/index.ts';
import { composeStep } from '../../operations/composition/compose-step.ts';
import { pointOf } from '../../operations/dispatch/assignment.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import type { ModelFault } from '../../local/model/server.ts';
import { changeConnection, listConnections } from '../../operations/connections.ts';
import { changeSettings } from '../../operations/settings.ts';
import type { Checkpoint } from '../../operations/deps.ts';
import { aCart } from '../helpers/shop.ts';
import { type ModelShop, openModelShop, publishModelStep } from '../helpers/model-shop.ts';

// A composition and its dispatch on real Postgres, HTTP and SMTP, without a workflow between them.

let opened: ModelShop;
beforeAll(async () => {
  opened = await openModelShop({ timeScale: 3_600 });
});
afterAll(() => opened.close());
beforeEach(() => opened.model.always(null));

let carts = 0;
async function anEnrollment() {
  const id = `cart-${++carts}`;
  await opened.shop.post('cart.updated', aCart(id, `${id}@example.com`));
  const enrollment = await opened.shop.enrollmentOf(id);
  if (enrollment === null) throw new Error('no enrollment');
  return enrollment;
}
type Enrollment = Awaited<ReturnType<typeof anEnrollment>>;
const input = ({ id, tenantId }: Enrollment, dueInMs = 5_000) => ({ tenantId, enrollmentId: id, stepId: 'nudge', dueMs: Date.now() + dueInMs });
const compose = (enrollment: Enrollment, dueInMs?: number) => composeStep(opened.shop.deps, input(enrollment, dueInMs));
/** As the workflow does once the step is due. */
async function dispatch({ id, tenantId }: Enrollment) {
  for (let attempts = 0; attempts < 100; attempts++) {
    const result = await dispatchStep(opened.shop.deps, { tenantId, enrollmentId: id, stepId: 'nudge' });
    if (result.kind === 'done' && result.progress.settled['nudge'] !== undefined) return;
    await new Promise((later) => setTimeout(later, 100));
  }
  throw new Error('the step was not settled');
}
const mailOf = (cart: string) => opened.shop.smtp.accepted.find((m) => m.envelope.to.includes(`${cart}@example.com`))?.raw.toString() ?? '';

test('however often a step is composed, and by how many workers, it is paid once', async () => {
  const enrollment = await anEnrollment();
  const before = opened.model.calls.length;
  await Promise.all([compose(enrollment), compose(enrollment), compose(enrollment)]);
  await compose(enrollment);
  expect(opened.model.calls.length - before).toBe(1);
  const row = await opened.compositionOf(enrollment.id);
  expect(row).toMatchObject({ state: 'ready', calls: 1 });
  expect(row?.costMicros).toBeGreaterThan(0);
});

test('where a model’s text is compared with a template, the model is asked for those alone who get it', async () => {
  const yaml = `sequence: cart
name: Cart
on: cart.abandoned
reentry: once-per-subject
steps:
  - id: nudge
    at: 2h
    channel: email
    variants: [{ id: template, content: cart/nudge }, { id: model, content: { model: cart/nudge, fallback: cart/nudge } }]
`;
  await publishModelStep(opened.shop, { yaml });
  const seen = new Set<string>();
  while (seen.size < 2) {
    const enrollment = await anEnrollment();
    const [person] = await opened.shop.deps.db.withTenant(enrollment.tenantId, (tx) =>
      tx.select().from(contacts).where(eq(contacts.id, enrollment.contactId)),
    );
    const variant = pointOf(`${enrollment.sequenceId}\nnudge`, person?.personId ?? '') < 0.5 ? 'template' : 'model';
    seen.add(variant);
    const before = opened.model.calls.length;
    await compose(enrollment);
    expect(opened.model.calls.length - before).toBe(variant === 'model' ? 1 : 0);
    await dispatch(enrollment);
    const check = await opened.copyCheckOf(enrollment.id);
    expect(check?.input['by'] ?? null).toBe(variant === 'model' ? 'model' : null);
    expect(mailOf(`cart-${carts}`).includes('The template says this')).toBe(variant === 'template');
  }
  await publishModelStep(opened.shop);
});

test('what a model wrote for one variant of a bandit does not go out as another, whose share has grown meanwhile', async () => {
  const written = (id: string) => `{ id: ${id}, content: { model: cart/${id}, fallback: cart/nudge } }`;
  const yaml = `sequence: cart
name: Cart
on: cart.abandoned
reentry: once-per-subject
steps:
  - { id: nudge, at: 2h, channel: email, compare: bandit, variants: [${written('one')}, ${written('two')}] }
`;
  await publishModelStep(opened.shop, { yaml });
  const { db } = opened.shop.deps;
  for (const [nowTwo, by] of [
    [0.5, 'model'],
    [1, 'template'],
  ] as const) {
    let enrollment = await anEnrollment();
    const pointIn = async ({ tenantId, contactId, sequenceId }: Enrollment) => {
      const [person] = await db.withTenant(tenantId, (tx) => tx.select().from(contacts).where(eq(contacts.id, contactId)));
      return pointOf(`${sequenceId}\nnudge`, person?.personId ?? '');
    };
    while ((await pointIn(enrollment)) > 0.5) enrollment = await anEnrollment();
    const { tenantId, sequenceId } = enrollment;
    await compose(enrollment);
    const about = { tenantId, sequenceId, stepId: 'nudge', mode: 'bandit' as const, shares: { one: 0.5, two: 0.5 } };
    const drawnBy = { one: 1 - nowTwo, two: nowTwo };
    await db.withTenant(tenantId, (tx) => tx.insert(experiments).values({ ...about, id: randomUUID(), drawnBy }));
    await dispatch(enrollment);
    expect((await opened.copyCheckOf(enrollment.id))?.input['by']).toBe(by);
    await db.withTenant(tenantId, (tx) =>
      tx.update(experiments).set({ status: 'STOPPED', endedAt: Date.now() }).where(eq(experiments.sequenceId, sequenceId)),
    );
  }
  await publishModelStep(opened.shop);
});

test('a call whose worker has ended is paid once: it is not made again, and the template goes out', async () => {
  const enrollment = await anEnrollment();
  const before = opened.model.calls.length;
  const { deps } = opened.shop;
  const dies = {
    ...deps,
    checkpoints: (at: Checkpoint) => (at === 'composition.answered' ? Promise.reject(new Error('killed')) : Promise.resolve()),
  };
  await expect(composeStep(dies, input(enrollment))).rejects.toThrow('killed');
  expect(await compose(enrollment)).toMatchObject({ kind: 'again', why: 'another worker asks the model' });
  // Longer than a call takes.
  const claimedAt = Date.now() - 160_000;
  await deps.db.withTenant(enrollment.tenantId, (tx) =>
    tx.update(compositions).set({ claimedAt }).where(eq(compositions.enrollmentId, enrollment.id)),
  );
  expect(await compose(enrollment)).toEqual({ kind: 'done', note: 'the worker that asked the model has ended' });
  expect(await compose(enrollment)).toMatchObject({ kind: 'done' });
  expect(await opened.compositionOf(enrollment.id)).toMatchObject({ state: 'failed', reason: 'lost', calls: 1 });
  expect(opened.model.calls.length - before).toBe(1);
});

describe('whatever the model does, the template goes out', () => {
  const cases: [string, ModelFault, string][] = [
    ['an answer of another shape', { act: 'nonsense' }, 'guard|invalid_answer'],
    ['a refusal', { act: 'refuse' }, 'refused'],
    ['an answer that was cut', { act: 'cut' }, 'truncated'],
    ['a line that breaks', { act: 'break' }, 'truncated'],
    ['a stream that ends early', { act: 'end_early' }, 'truncated'],
    ['a wrong request', { act: 'status', status: 400 }, 'invalid_answer'],
    ['an empty account', { act: 'status', status: 429, code: 'insufficient_quota' }, 'rate_limited'],
    ['silence', { act: 'hang' }, 'timed_out'],
  ];
  test.each(cases)('%s', async (_what, fault, reason) => {
    const enrollment = await anEnrollment();
    opened.model.always(fault);
    await compose(enrollment);
    expect((await opened.compositionOf(enrollment.id))?.reason).toMatch(new RegExp(`^(${reason})$`));
    await dispatch(enrollment);
    expect((await opened.copyCheckOf(enrollment.id))?.input).toMatchObject({ by: 'template', reason: expect.stringMatching(reason) });
    expect(mailOf(`cart-${carts}`)).toContain('The template says this');
  });
});

test('a key that is refused is not tried again, until the connection is configured anew', async () => {
  const reasonOf = async () => {
    const enrollment = await anEnrollment();
    await compose(enrollment);
    return (await opened.compositionOf(enrollment.id))?.reason;
  };
  opened.model.always({ act: 'status', status: 401 });
  expect(await reasonOf()).toBe('wrong_key');
  opened.model.always(null);
  const before = opened.model.calls.length;
  expect(await reasonOf()).toBe('wrong_key');
  expect(opened.model.calls.length).toBe(before);
  const { deps, tenant } = opened.shop;
  const { items } = await listConnections(deps, tenant.tenantId, { limit: 50, after: null });
  const { id = '' } = items.find(({ integration }) => integration === 'openai') ?? {};
  const config = { apiKey: 'another-key', baseUrl: opened.model.url, timeoutSeconds: 2 };
  expect(await changeConnection(deps, tenant.tenantId, id, { config }, 'test')).toMatchObject({ kind: 'changed' });
  expect(await reasonOf()).toBe(null);
  expect(opened.model.calls.length).toBe(before + 1);
});

test('a limit is waited for as long as the provider says', async () => {
  const enrollment = await anEnrollment();
  opened.model.next({ act: 'status', status: 429, headers: { 'retry-after': '1' } });
  expect(await compose(enrollment)).toMatchObject({ kind: 'again', inMs: 1_000 });
  expect(await compose(enrollment)).toMatchObject({ kind: 'done' });
  expect(await opened.compositionOf(enrollment.id)).toMatchObject({ state: 'ready', calls: 2 });
});

test('a text that breaks a rule is asked for once more, with the reason', async () => {
  const enrollment = await anEnrollment();
  const bad = JSON.stringify({
    subject: 'Walnut desk lamp',
    body: 'We give you 50% off the Walnut desk lamp, and it is here for you.',
    cta_text: 'Go on',
  });
  opened.model.next({ act: 'answer', text: bad });
  await compose(enrollment);
  expect(await opened.compositionOf(enrollment.id)).toMatchObject({ state: 'ready', calls: 2 });
  expect(opened.model.calls.at(-1)?.body).toContain('could not be used');
  await dispatch(enrollment);
  expect(mailOf(`cart-${carts}`)).not.toContain('The template says this');
});

test('a cart that changed since makes the text stale', async () => {
  const enrollment = await anEnrollment();
  const cart = `cart-${carts}`;
  await compose(enrollment);
  await opened.shop.post('cart.updated', aCart(cart, `${cart}@example.com`, { total: '99.90' }));
  await dispatch(enrollment);
  expect((await opened.copyCheckOf(enrollment.id))?.input).toMatchObject({ by: 'template', reason: 'stale' });
});

test('calls at once cannot overrun the day’s budget', async () => {
  const { tenantId } = opened.shop.tenant;
  const spent = await opened.spentMicros();
  const set = (modelDailyBudget: number) =>
    changeSettings(opened.shop.deps, tenantId, { changes: { modelDailyBudget }, expectedVersion: null, by: 'test' });
  // Enough for two calls at the most that they can cost, and not for three.
  await set((spent + 50_000) / 1e6);
  opened.model.always({ act: 'no_usage' });
  const enrollments = [await anEnrollment(), await anEnrollment(), await anEnrollment(), await anEnrollment()];
  await Promise.all(enrollments.map((enrollment) => compose(enrollment)));
  const rows = await Promise.all(enrollments.map(({ id }) => opened.compositionOf(id)));
  expect(rows.filter((row) => row?.reason === 'over_budget').length).toBeGreaterThan(0);
  expect(await opened.spentMicros()).toBeLessThanOrEqual(spent + 50_000);
  await set(5);
});

test('no address, number or surname is in any request', () => {
  const said = opened.model.calls.map(({ body }) => body).join('\n');
  expect(said).not.toMatch(/@example\.com|https?:\/\/shop|restore/);
});
