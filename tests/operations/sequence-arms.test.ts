import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditLog, consents, contacts, conversions, sequences, variantAssignments } from '../../db/schema/index.ts';
import { dispatchStep } from '../../operations/dispatch-step.ts';
import { pointOf } from '../../operations/dispatch/assignment.ts';
import { experimentsPass } from '../../operations/experiments/experiments.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { ask, type Method } from '../api/left-carts.ts';
import { asOwner } from '../helpers/database.ts';
import { aCart, letTimePass, openShop, type Shop, until } from '../helpers/shop.ts';

// Courses of a whole sequence, and arms that do harm: docs/rules.md#rule-123, docs/rules.md#rule-124

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

const api = (path: string, method: Method = 'GET', body?: Record<string, unknown>) => ask(shop, shop.tenant.apiKey, path, method, body);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);
const copy = (name: string) => ({
  file: `${name}.liquid`,
  text: `---\nsubject: Subject ${name}\npreheader: It waits\nheading: Hello\ncta: Go on\n---\nHello.\n\n[cart]\n`,
});
async function publish(slug: string, body: string): Promise<string> {
  const yaml = `sequence: ${slug}\nname: Compared\non: cart.abandoned\nquietFor: 1h\ngoal: { event: order.placed, within: 3d }\n${body}`;
  const texts = { [`${slug}/a`]: copy('a'), [`${slug}/b`]: copy('b'), [`${slug}/c`]: copy('c') };
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: `${slug}.yaml`, yaml, copy: texts }));
  const [row] = await inTenant((tx) => tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug)));
  return row?.id ?? '';
}
const dispatch = (enrollmentId: string, stepId: string) => dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId, stepId });

let counter = 0;
/** Somebody who left a cart two hours ago, and the arm that they will be in. */
async function leave() {
  const email = `arm-${++counter}@example.com`;
  await shop.post('cart.updated', aCart(`arm-cart-${counter}`, email));
  const { id, sequenceId, contactId } = await until('the enrollment', () => shop.enrollmentOf(`arm-cart-${counter}`));
  await letTimePass(shop, 2 * hourMs + 1_000);
  const [contact] = await inTenant((tx) => tx.select().from(contacts).where(eq(contacts.id, contactId)));
  return { id, contactId, personId: contact?.personId ?? '', arm: pointOf(`${sequenceId}\n*`, contact?.personId ?? '') < 0.5 ? 'short' : 'long' };
}

/** Somebody whose point in a comparison lies between two bounds. */
async function leaveAt(sequenceId: string, stepId: string, low: number, high: number) {
  for (;;) {
    const left = await leave();
    const point = pointOf(`${sequenceId}\n${stepId}`, left.personId);
    if (point > low && point < high) return left;
  }
}
const variantsOf = async (contactId: string, stepId: string) =>
  (await inTenant((tx) => tx.select().from(variantAssignments).where(eq(variantAssignments.contactId, contactId))))
    .filter((row) => row.stepId === stepId)
    .map(({ variant, shares }) => [variant, shares]);

interface Arm {
  people: number;
  bought: number;
  optedOut?: number;
  refunded?: number;
}
/** People of each arm, who were assigned nine days ago. */
async function assign(sequenceId: string, stepId: string, arms: Record<string, Arm>): Promise<void> {
  const { tenantId } = shop.tenant;
  const connectionId = shop.tenant.webhooks.generic.path.split('/').at(-1) ?? '';
  const assignedAt = Date.now() - 9 * dayMs;
  const ids = Object.keys(arms);
  const shares = Object.fromEntries(ids.map((id) => [id, 1 / ids.length]));
  for (const [variant, { people, bought, optedOut = 0, refunded = 0 }] of Object.entries(arms)) {
    const rows = Array.from({ length: people }, () => randomUUID());
    await inTenant(async (tx) => {
      await tx.insert(contacts).values(rows.map((id) => ({ tenantId, id, personId: id })));
      await tx
        .insert(variantAssignments)
        .values(rows.map((contactId) => ({ tenantId, id: randomUUID(), sequenceId, stepId, contactId, variant, shares, assignedAt })));
      const orders = rows.slice(0, bought).map((contactId, index) => ({
        ...{ tenantId, id: randomUUID(), connectionId, orderId: randomUUID(), contactId, placedAt: assignedAt + dayMs },
        ...{ currency: 'EUR', valueMinor: 5_000, valueAt: assignedAt + dayMs, refundedMinor: index < refunded ? 1_000 : 0 },
      }));
      if (orders.length > 0) await tx.insert(conversions).values(orders);
      const said = rows.slice(0, optedOut).map((contactId) => ({
        ...{ tenantId, id: randomUUID(), contactId, channel: 'email', state: 'denied' as const, source: 'link', basis: 'person' as const },
        occurredAt: assignedAt + dayMs,
      }));
      if (said.length > 0) await tx.insert(consents).values(said);
    });
  }
  await asOwner(shop.database.url, 'analyze contacts, variant_assignments, conversions, consents');
}
const experimentOf = async (slug: string) =>
  ((await api('/api/experiments')).body as { data: Record<string, unknown>[] }).data.filter(({ sequence }) => sequence === slug);
const stepsOf = async (slug: string) => {
  const { body } = await api(`/api/sequences/${slug}`);
  return body as { version: number };
};

test('everybody is in one arm from the first decision on, whether it sends them something or not, and gets the steps of it', async () => {
  await publish(
    'cart',
    `reentry: { cooldown: 1h }
arms: [{ id: short }, { id: long }]
steps:
  - { id: mail_a, at: 2h, channel: email, content: cart/a, when: { arm: short } }
  - { id: mail_b, at: 3h, channel: email, content: cart/b, when: { arm: long } }
`,
  );
  const people: Awaited<ReturnType<typeof leave>>[] = [];
  while (new Set(people.map(({ arm }) => arm)).size < 2) people.push(await leave());
  for (const { id, contactId, arm } of people) {
    await dispatch(id, 'mail_a');
    const mail = (await shop.ledgerOf(id)).find((m) => m.stepId === 'mail_a');
    expect(mail).toMatchObject(arm === 'short' ? { state: 'sent' } : { state: 'skipped', skipReason: 'condition' });
    const stored = await inTenant((tx) => tx.select().from(variantAssignments).where(eq(variantAssignments.contactId, contactId)));
    expect(stored).toMatchObject([{ stepId: '*', variant: arm, shares: { short: 0.5, long: 0.5 } }]);
    const { body } = await api(`/api/enrollments/${id}/explain`);
    expect(JSON.stringify(body)).toContain(`"arm short":${arm === 'short'}`);
  }
  await letTimePass(shop, hourMs);
  for (const { id, arm } of people) {
    await dispatch(id, 'mail_b');
    const mail = (await shop.ledgerOf(id)).find((m) => m.stepId === 'mail_b');
    expect(mail).toMatchObject(arm === 'long' ? { state: 'sent' } : { state: 'skipped', skipReason: 'condition' });
  }
  const sent = (arm: string) => people.filter((one) => one.arm === arm).length;
  const { body } = await api('/api/variants');
  expect(body).toMatchObject({
    data: [
      {
        ...{ sequence: 'cart', step: '*' },
        variants: [
          { variant: 'long', people: sent('long'), sent: sent('long') },
          { variant: 'short', people: sent('short'), sent: sent('short') },
        ],
      },
    ],
  });
});

test('the winner of a whole sequence is a version without the other arm, and its revenue stands beside the first one’s', async () => {
  const id = await publish(
    'whole',
    `arms: [{ id: short }, { id: long }]
steps:
  - { id: mail_a, at: 2h, channel: email, content: whole/a }
  - { id: mail_b, after: 3h, channel: email, content: whole/b, when: { arm: long } }
  - { id: mail_c, after: 3h, channel: email, content: whole/c, when: { arm: short } }
`,
  );
  await assign(id, '*', { short: { people: 120, bought: 90 }, long: { people: 120, bought: 10 } });
  await experimentsPass(shop.deps);
  await experimentsPass(shop.deps);
  const [found] = await experimentOf('whole');
  expect(found).toMatchObject({ step: null, status: 'DECIDED', winner: 'short', takeover: 'suggested', mode: 'test' });
  expect(found?.['comparisons']).toMatchObject([
    { variant: 'short', against: 'long', revenue: [{ currency: 'EUR', per_person_minor: { variant: 3_750, against: 416.67 } }] },
  ]);
  expect((await api(`/api/experiments/${String(found?.['id'])}/approve`, 'POST')).body).toMatchObject({ takeover: 'applied', version: 2 });
  const { body } = await api('/api/sequences/whole/versions/2');
  expect(JSON.stringify(body)).not.toContain('mail_b');
  expect((await stepsOf('whole')).version).toBe(2);
  expect((await api('/api/sequences/whole/rollback', 'POST', { to: 1, base_version: 2, running: 'stay' })).status).toBe(200);
});

test('an arm that makes people opt out is taken out by itself, once, also where it sells better', async () => {
  const id = await publish(
    'harm',
    `steps:
  - id: mail
    at: 2h
    channel: email
    variants: [{ id: a, content: harm/a }, { id: b, content: harm/b }, { id: c, content: harm/c, later: 1h }]
`,
  );
  await assign(id, 'mail', {
    a: { people: 120, bought: 20, optedOut: 1 },
    b: { people: 120, bought: 80, optedOut: 90 },
    c: { people: 120, bought: 20, optedOut: 2 },
  });
  await experimentsPass(shop.deps);
  await Promise.all([1, 2, 3].map(() => experimentsPass(shop.deps)));
  await experimentsPass(shop.deps);
  const [found, ...more] = await experimentOf('harm');
  expect(more).toEqual([]);
  expect(found).toMatchObject({ status: 'STOPPED', winner: null });
  expect(found?.['guardrails']).toContainEqual(
    expect.objectContaining({ metric: 'opt_outs', variant: 'b', people: 120, cases: 90, others: { people: 240, cases: 3 }, worse: true }),
  );
  expect((await stepsOf('harm')).version).toBe(2);
  const { body } = await api('/api/sequences/harm/versions/2');
  expect(JSON.stringify(body)).not.toContain('harm/b');
  expect(JSON.stringify(body)).toContain('harm/c');
  const noted = await inTenant((tx) => tx.select().from(auditLog).where(eq(auditLog.action, 'experiment.harm')));
  expect(noted).toMatchObject([{ actor: 'tests', subject: found?.['id'], data: { arm: 'b', metric: 'opt_outs', cases: 90 } }]);
});

test.each([
  [
    'variants of a step',
    'nudge',
    '  - { id: nudge, at: 2h, channel: email, variants: [{ id: a, content: cart/a }, { id: b, content: cart/b }], compare: bandit }\n',
    '',
  ],
  [
    'a whole sequence',
    '*',
    '  - { id: nudge, at: 2h, channel: email, content: cart/a, when: { arm: a } }\n  - { id: other, at: 2h, channel: email, content: cart/b, when: { arm: b } }\n',
    'arms: [{ id: a }, { id: b }]\ncompare: bandit\n',
  ],
])('a bandit of %s draws new people by what brings more, keeps those that it has, and judges nothing', async (_name, stepId, steps, top) => {
  const id = await publish('cart', `${top}steps:\n${steps}`);
  await assign(id, stepId, { a: { people: 60, bought: 3 }, b: { people: 60, bought: 40 } });
  // What earlier tests of this file compared would end the time before which nobody counts.
  await asOwner(shop.database.url, `delete from experiments where sequence_id = '${id}'`);
  // Two people who would have `a` by equal shares: one is assigned before the shares change.
  const early = await leaveAt(id, stepId, 0.2, 0.5);
  await dispatch(early.id, 'nudge');
  await experimentsPass(shop.deps);
  await experimentsPass(shop.deps);
  const stepOf = stepId === '*' ? null : stepId;
  const [found] = (await experimentOf('cart')).filter(({ step, status }) => step === stepOf && status === 'RUNNING');
  expect(found).toMatchObject({
    ...{ mode: 'bandit', goes_on_because: 'bandit', winner: null, p: null, z: null, comparisons: [], guardrails: [] },
    arms: [
      { variant: 'a', share: expect.closeTo(0.1, 6), chance_best: expect.closeTo(0, 6) },
      { variant: 'b', share: expect.closeTo(0.9, 6), chance_best: expect.closeTo(1, 6) },
    ],
  });
  const late = await leaveAt(id, stepId, 0.2, 0.5);
  for (const { id: enrollment } of [early, late]) await dispatch(enrollment, 'nudge');
  expect(await variantsOf(early.contactId, stepId)).toEqual([['a', { a: 0.5, b: 0.5 }]]);
  expect(await variantsOf(late.contactId, stepId)).toEqual([['b', { a: 0.5, b: 0.5 }]]);
  const { body } = await api('/api/variants');
  expect((body as { data: Record<string, unknown>[] }).data.find(({ sequence, step }) => sequence === 'cart' && step === stepId)).toMatchObject({
    judgement: null,
    sample_ratio: null,
  });
});

test('a test that becomes a bandit is another comparison, with people of its own, and back again', async () => {
  const variants = 'variants: [{ id: a, content: turned/a }, { id: b, content: turned/b }]';
  const id = await publish('turned', `steps:\n  - { id: nudge, at: 2h, channel: email, ${variants} }\n`);
  await assign(id, 'nudge', { a: { people: 10, bought: 3 }, b: { people: 10, bought: 4 } });
  await experimentsPass(shop.deps);
  await publish('turned', `steps:\n  - { id: nudge, at: 2h, channel: email, ${variants}, compare: bandit }\n`);
  await experimentsPass(shop.deps);
  expect(await experimentOf('turned')).toMatchObject([{ mode: 'test', status: 'STOPPED' }]);
  await asOwner(shop.database.url, `update variant_assignments set assigned_at = clock_timestamp() where sequence_id = '${id}' and variant = 'a'`);
  await experimentsPass(shop.deps);
  const [bandit] = await experimentOf('turned');
  expect(bandit).toMatchObject({
    mode: 'bandit',
    status: 'RUNNING',
    arms: [
      { variant: 'a', people: 10 },
      { variant: 'b', people: 0 },
    ],
  });
  await publish('turned', `steps:\n  - { id: nudge, at: 2h, channel: email, ${variants} }\n`);
  await experimentsPass(shop.deps);
  expect(await experimentOf('turned')).toMatchObject([
    { mode: 'bandit', status: 'STOPPED' },
    { mode: 'test', status: 'STOPPED' },
  ]);
});

test.each([
  [
    'variants: [{ id: a, content: odd/a, weight: 2 }, { id: b, content: odd/b }], compare: bandit',
    '`bandit` sets the shares itself, and `variants` have a `weight`',
  ],
  ['content: odd/a, compare: bandit', 'has no use without `variants`'],
])('a file with %s is refused with the reason', async (fields, why) => {
  await expect(publish('odd', `steps:\n  - { id: nudge, at: 2h, channel: email, ${fields} }\n`)).rejects.toThrow(why);
});
