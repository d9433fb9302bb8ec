import { randomUUID } from 'node:crypto';
import { desc, eq } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contacts, conversions, enrollments, sequences, sequenceVersions, tasks, variantAssignments } from '../../db/schema/index.ts';
import { endingOf, shortestTestMs } from '../../domain/experiments/ending.ts';
import { judge } from '../../domain/experiments/judge.ts';
import { sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import { experimentsPass } from '../../operations/experiments/experiments.ts';
import { listExperiments } from '../../operations/experiments/standing.ts';
import { compilePreset, publishPreset } from '../../operations/publish-sequence.ts';
import { overduePass } from '../../operations/work/overdue.ts';
import { ask, type Method } from '../api/left-carts.ts';
import { asOwner } from '../helpers/database.ts';
import { aCart, openShop, type Shop, until } from '../helpers/shop.ts';

// Tests of variants that end by themselves: docs/rules.md#rule-76

const dayMs = 24 * 3_600_000;
const windowDays = 3;
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

let made = 0;
/** A sequence of its own whose step compares two texts. */
async function aSequence(weights = { a: 1, b: 1 }, slug = `compared-${++made}`): Promise<{ slug: string; id: string }> {
  const variants = `      - { id: a, content: ${slug}/a, weight: ${weights.a} }\n      - { id: b, content: ${slug}/b, weight: ${weights.b} }\n`;
  const yaml = `sequence: ${slug}\nname: Compared\non: cart.abandoned\nquietFor: 1h\ngoal: { event: order.placed, within: ${windowDays}d }\nsteps:\n  - id: mail\n    at: 2h\n    channel: email\n    variants:\n${variants}`;
  const texts = { [`${slug}/a`]: copy('a'), [`${slug}/b`]: copy('b') };
  await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: `${slug}.yaml`, yaml, copy: texts }));
  const [row] = await inTenant((tx) => tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug)));
  return { slug, id: row?.id ?? '' };
}

interface Somebody {
  variant: 'a' | 'b';
  assignedDaysAgo: number;
  /** Their orders, in days after the assignment, and what is known of each. */
  orders: { afterDays: number; isCancelled?: boolean; isTest?: boolean }[];
}
async function assign(sequenceId: string, people: readonly Somebody[], shares = { a: 0.5, b: 0.5 }): Promise<string[]> {
  const { tenantId } = shop.tenant;
  const connectionId = shop.tenant.webhooks.generic.path.split('/').at(-1) ?? '';
  const nowMs = Date.now();
  const rows = people.map((person) => ({ ...person, id: randomUUID() }));
  const orders = rows.flatMap(({ id, assignedDaysAgo, orders: own }) =>
    own.map(({ afterDays, isCancelled = false, isTest = false }) => ({
      ...{ tenantId, id: randomUUID(), connectionId, orderId: randomUUID(), contactId: id },
      placedAt: Math.round(nowMs - (assignedDaysAgo - afterDays) * dayMs),
      reversedAt: isCancelled ? nowMs : null,
      ...(isTest ? { noRevenue: 'test' as const } : {}),
    })),
  );
  await inTenant(async (tx) => {
    await tx.insert(contacts).values(rows.map(({ id }) => ({ tenantId, id, personId: id })));
    await tx.insert(variantAssignments).values(
      rows.map(({ id, variant, assignedDaysAgo }) => ({
        ...{ tenantId, id: randomUUID(), sequenceId, stepId: 'mail', contactId: id, variant, shares },
        assignedAt: Math.round(nowMs - assignedDaysAgo * dayMs),
      })),
    );
    if (orders.length > 0) await tx.insert(conversions).values(orders);
  });
  // As the worker's job does: without it the planner takes the new tables for empty ones.
  await asOwner(shop.database.url, 'analyze contacts, variant_assignments, conversions');
  return rows.map(({ id }) => id);
}
/** So many people in each arm, of whom so many have bought on the day after. */
const arms = (a: [people: number, bought: number], b: [people: number, bought: number], assignedDaysAgo = 9): Somebody[] =>
  [['a', a] as const, ['b', b] as const].flatMap(([variant, [people, bought]]) =>
    Array.from({ length: people }, (_, n) => ({ variant, assignedDaysAgo, orders: n < bought ? [{ afterDays: 1 }] : [] })),
  );
const testsOf = async (slug: string) =>
  (await listExperiments(shop.deps, shop.tenant.tenantId, {}, { limit: 100, after: null })).items.filter(({ sequence }) => sequence === slug);
const settings = (winnersTakeOver: boolean) => api('/api/settings', 'PATCH', { settings: { winnersTakeOver } });

test('a decided test is a suggestion: approved, new enrollments get the winner, those who run keep theirs, and a rollback begins another test', async () => {
  const { slug, id } = await aSequence();
  await experimentsPass(shop.deps);
  expect(await testsOf(slug)).toEqual([]);
  await shop.post('cart.updated', aCart('running', 'running@example.com'));
  const running = await until('the enrollment', () => enrolledIn(id));
  const [early] = await assign(id, arms([60, 3], [60, 40]));
  await experimentsPass(shop.deps);
  await experimentsPass(shop.deps);
  const [view] = await testsOf(slug);
  expect(view?.experiment).toMatchObject({ status: 'DECIDED', winner: 'b', takeover: 'suggested', version: null });
  expect(view?.experiment.verdict).toMatchObject({
    arms: [
      { id: 'a', people: 60, converted: 3 },
      { id: 'b', people: 60, converted: 40 },
    ],
  });

  // The setting keeps it a suggestion, and the variants are still drawn.
  const testId = view?.experiment.id ?? '';
  expect((await api(`/api/experiments?status=DECIDED`)).body).toMatchObject({
    data: [{ id: testId, takeover: 'suggested', decided_by: [{ converted: 3 }, { converted: 40 }] }],
  });
  expect((await api(`/api/sequences/${slug}`)).body).toMatchObject({ version: 1 });

  // Until somebody decides, it is in the list of what people have to do.
  expect(await taskOf(testId)).toMatchObject({
    kind: 'approval',
    state: 'open',
    subjectId: null,
    data: { experiment: testId, winner: 'b', sequence: slug },
  });
  expect((await api('/api/tasks')).body).toMatchObject({ data: [{ kind: 'approval' }] });
  await inTenant((tx) =>
    tx
      .update(tasks)
      .set({ overdueAt: Date.now() - 1_000 })
      .where(eq(tasks.key, `winner:${testId}`)),
  );
  await overduePass(shop.deps);
  expect(await taskOf(testId), 'a reminder decides nothing').toMatchObject({ state: 'open' });

  // An order that is cancelled afterwards is right in the figures, and what was decided stays.
  await inTenant((tx) =>
    tx
      .update(conversions)
      .set({ reversedAt: Date.now() })
      .where(eq(conversions.contactId, early ?? '')),
  );
  expect((await testsOf(slug))[0]).toMatchObject({ experiment: { winner: 'b' }, arms: [{ converted: 2 }, { converted: 40 }] });

  const approved = await Promise.all([1, 2, 3].map(() => api(`/api/experiments/${testId}/approve`, 'POST')));
  expect(approved.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([200, 409, 409]);
  expect((await api(`/api/experiments/${testId}`)).body).toMatchObject({ takeover: 'applied', version: 2, winner: 'b' });
  expect(await taskOf(testId)).toMatchObject({ state: 'done', result: 'took over as version 2' });
  expect((await api(`/api/experiments/${testId}/dismiss`, 'POST')).status).toBe(409);
  expect(await versionsOf(slug)).toEqual([
    { version: 2, content: `${slug}/b`, compares: false },
    { version: 1, content: `${slug}/a`, compares: true },
  ]);
  expect((await enrolledIn(id))?.versionId).toBe(running.versionId);

  expect((await api(`/api/sequences/${slug}/rollback`, 'POST', { to: 1, base_version: 2, running: 'stay' })).status).toBe(200);
  await experimentsPass(shop.deps);
  // Nobody was assigned since.
  expect(await testsOf(slug)).toHaveLength(1);
  await assign(id, arms([1, 0], [1, 0], -1));
  await experimentsPass(shop.deps);
  expect((await testsOf(slug)).map(({ experiment, arms: counted }) => [experiment.status, counted.map(({ people }) => people)])).toEqual([
    ['RUNNING', [1, 1]],
    ['DECIDED', [60, 60]],
  ]);
});

const taskOf = async (testId: string) =>
  (
    await inTenant((tx) =>
      tx
        .select()
        .from(tasks)
        .where(eq(tasks.key, `winner:${testId}`)),
    )
  )[0];
const enrolledIn = async (sequenceId: string) =>
  (await inTenant((tx) => tx.select().from(enrollments).where(eq(enrollments.sequenceId, sequenceId))))[0];
async function versionsOf(slug: string) {
  const rows = await inTenant((tx) =>
    tx
      .select({ version: sequenceVersions.version, definition: sequenceVersions.definition })
      .from(sequenceVersions)
      .innerJoin(sequences, eq(sequences.id, sequenceVersions.sequenceId))
      .where(eq(sequences.slug, slug))
      .orderBy(desc(sequenceVersions.version)),
  );
  return rows.map(({ version, definition: { steps } }) => ({ version, content: steps[0]?.content, compares: steps[0]?.variants !== undefined }));
}

test('where the store says so, the winner takes over by itself, once, whatever number of processes look', async () => {
  expect((await settings(true)).status).toBe(200);
  const { slug, id } = await aSequence();
  await assign(id, arms([60, 40], [60, 3]));
  await experimentsPass(shop.deps);
  await Promise.all([1, 2, 3].map(() => experimentsPass(shop.deps)));
  await experimentsPass(shop.deps);
  expect((await testsOf(slug)).map(({ experiment }) => experiment)).toMatchObject([
    { winner: 'a', takeover: 'applied', version: 2, resolvedBy: 'tests' },
  ]);
  expect(await inTenant((tx) => tx.select().from(tasks).where(eq(tasks.state, 'open'))), 'nobody is asked').toEqual([]);
  await settings(false);
});

test('a test whose weights are changed stops, and the next one counts its own people only', async () => {
  const { slug, id } = await aSequence();
  await assign(id, arms([60, 3], [20, 20]));
  await experimentsPass(shop.deps);
  await aSequence({ a: 1, b: 3 }, slug);
  await experimentsPass(shop.deps);
  expect((await testsOf(slug)).map(({ experiment }) => experiment.status)).toEqual(['STOPPED']);
  await assign(id, arms([2, 0], [6, 1], 0), { a: 0.25, b: 0.75 });
  await experimentsPass(shop.deps);
  expect(
    (await testsOf(slug)).map(({ experiment, goesOnBecause, arms: counted }) => [
      experiment.status,
      goesOnBecause,
      counted.map(({ people }) => people),
    ]),
  ).toEqual([
    ['RUNNING', 'too_young', [2, 6]],
    ['STOPPED', null, [60, 20]],
  ]);
});

test('each arm says by what it differs, as the version in use has it, and nothing that it shares with the step', async () => {
  const slug = 'formed';
  const publish = async (variants: string) => {
    const yaml = `sequence: ${slug}\nname: Compared\non: cart.abandoned\nquietFor: 1h\ngoal: { event: order.placed, within: ${windowDays}d }\nsteps:\n  - id: mail\n    at: 2h\n    channel: email\n    offer: { without: send }\n    variants: [${variants}]\n`;
    const sms = { file: 'b.sms.liquid', text: '{{ store.name }}: your cart is waiting: {{ cart.url }} {{ optOut }}' };
    const offered = (name: string) => ({
      ...copy(name),
      text: copy(name).text.replace('Hello.', 'Hello.{% if offer %} {{ offer.code }}{% endif %}'),
    });
    const texts = { [`${slug}/a`]: offered('a'), [`${slug}/b.sms`]: sms, [`${slug}/c`]: offered('c') };
    await publishPreset(shop.deps, shop.tenant.tenantId, await compilePreset({ file: `${slug}.yaml`, yaml, copy: texts }));
  };
  const a = `{ id: a, content: ${slug}/a }`;
  await publish(`${a}, { id: b, channel: sms, content: ${slug}/b, later: 3h, offer: false }`);
  const [row] = await inTenant((tx) => tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.slug, slug)));
  await assign(row?.id ?? '', arms([2, 0], [2, 0], 1));
  await experimentsPass(shop.deps);
  const [view] = await testsOf(slug);
  const formsNow = async () => {
    const { body } = await api(`/api/experiments/${view?.experiment.id}`);
    return Object.fromEntries((body as { arms: { variant: string; form: unknown }[] }).arms.map(({ variant, form }) => [variant, form]));
  };
  const asTheStep = { content: `${slug}/a`, model: null, channels: ['email'], later: null, offer: null };
  expect(await formsNow()).toEqual({
    a: asTheStep,
    b: { content: `${slug}/b`, model: null, channels: ['sms'], later: '3h', offer: false },
  });

  await publish(`${a}, { id: c, content: ${slug}/c, offer: { without: skip } }`);
  expect(await formsNow(), 'of an arm that the version in use has no more').toEqual({ a: asTheStep, b: null });
});

test('dismissed, the variants stay, and the same arms are not compared again', async () => {
  const { slug, id } = await aSequence();
  await assign(id, arms([60, 3], [60, 40]));
  await experimentsPass(shop.deps);
  await experimentsPass(shop.deps);
  const [view] = await testsOf(slug);
  expect((await api(`/api/experiments/${view?.experiment.id}/dismiss`, 'POST')).body).toMatchObject({ takeover: 'dismissed' });
  expect(await taskOf(view?.experiment.id ?? '')).toMatchObject({ state: 'done', result: 'dismissed' });
  expect((await api(`/api/experiments/${view?.experiment.id}/approve`, 'POST')).status).toBe(409);
  await assign(id, arms([5, 0], [5, 0], 1));
  await experimentsPass(shop.deps);
  expect(await testsOf(slug)).toHaveLength(1);
});

const order = fc.record({ afterDays: fc.constantFrom(-1, 0.5, 2.9, 3.1, 8), isCancelled: fc.boolean(), isTest: fc.boolean() });
const somebody = fc.record({
  variant: fc.constantFrom('a' as const, 'b' as const),
  assignedDaysAgo: fc.constantFrom(0.5, 2.5, 4, 6.5, 9),
  orders: fc.array(order, { maxLength: 2 }),
});

test('random people, orders and looks: the counts equal a recount, a test ends when it may and never before, and once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(somebody, { minLength: 2, maxLength: 12 }),
      fc.record({
        people: fc.integer({ min: 40, max: 60 }),
        a: fc.integer({ min: 0, max: 40 }),
        b: fc.integer({ min: 0, max: 40 }),
        daysAgo: fc.constantFrom(5, 6.5, 7.5, 12),
      }),
      fc.integer({ min: 1, max: 3 }),
      async (random, crowd, looks) => {
        const { slug, id } = await aSequence();
        const people = [...random, ...arms([crowd.people, crowd.a], [crowd.people, crowd.b], crowd.daysAgo)];
        await assign(id, people);
        await experimentsPass(shop.deps);
        await Promise.all(Array.from({ length: looks }, () => experimentsPass(shop.deps)));
        // A pass leaves alone what another one holds.
        await experimentsPass(shop.deps);
        const views = await testsOf(slug);
        expect(views).toHaveLength(1);
        const [view] = views;

        const recount = (['a', 'b'] as const).map((variant) => {
          const own = people.filter((one) => one.variant === variant);
          const complete = own.filter(({ assignedDaysAgo }) => assignedDaysAgo > windowDays);
          const bought = ({ orders }: Somebody) =>
            orders.some(({ afterDays, isCancelled, isTest }) => afterDays > 0 && afterDays <= windowDays && isCancelled !== true && isTest !== true);
          return { id: variant, share: 0.5, all: own.length, people: complete.length, converted: complete.filter(bought).length };
        });
        expect(view?.arms.map(({ people: all, complete, converted }) => [all, complete, converted])).toEqual(
          recount.map(({ all, people: complete, converted }) => [all, complete, converted]),
        );
        const ratio = sampleRatio(
          recount.map(({ all }) => all),
          recount.map(() => people.length / 2),
        );
        const firstDaysAgo = Math.max(...people.map(({ assignedDaysAgo }) => assignedDaysAgo));
        const expected = endingOf(
          {
            startedAtMs: -firstDaysAgo * dayMs,
            judgement: ratio?.mismatch === true ? null : judge(recount),
            windowMs: windowDays * dayMs,
            shortestMs: shortestTestMs,
            harmful: [],
          },
          0,
        );
        expect([view?.experiment.status, view?.experiment.winner]).toEqual(
          expected.kind === 'ended' ? ['DECIDED', expected.winner] : ['RUNNING', null],
        );
      },
    ),
    { numRuns: 6 },
  );
});
