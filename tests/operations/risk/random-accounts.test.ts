import { and, asc, eq, isNotNull } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrollments, riskStandings, sequences, subjects, tasks } from '../../../db/schema/index.ts';
import { account } from '../../../domain/subjects/account/index.ts';
import { dispatchStep } from '../../../operations/dispatch-step.ts';
import { assessAccounts } from '../../../operations/risk/assess.ts';
import { ask } from '../../api/left-carts.ts';
import { letTimePass, openShop, type Shop } from '../../helpers/shop.ts';

// Random histories of accounts at risk, on the database: docs/rules.md#rule-83, #rule-84 and #rule-97

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const bandsInOrder = ['none', 'early', 'active', 'critical'] as const;
type Band = (typeof bandsInOrder)[number];
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  for (const slug of ['churn-early', 'churn-active', 'churn-critical']) await own(`/api/sequences/${slug}/resume`, 'POST', {});
  const usd = (amount: string) => ({ amount, currency: 'USD' });
  const settings = {
    interventionCosts: { messages: { email: usd('0.0004'), sms: usd('0.0079') }, peoplePerHour: usd('40'), modelCurrency: 'USD' },
    workTargets: [
      { name: 'Ana', role: 'agent' },
      { name: 'Mia', role: 'manager' },
    ],
  };
  const changed = await own('/api/settings', 'PATCH', { settings });
  expect(changed.status, JSON.stringify(changed.body)).toBe(200);
});
afterAll(() => shop.close());

const own = (url: string, method: 'GET' | 'POST' | 'PATCH' = 'GET', payload?: Record<string, unknown>) =>
  ask(shop, shop.tenant.apiKey, url, method, payload);
const inTenant = <T>(work: Parameters<typeof shop.deps.db.withTenant<T>>[1]) => shop.deps.db.withTenant(shop.tenant.tenantId, work);

let made = 0;
async function anAccount(): Promise<string> {
  const id = `account-${++made}`;
  const behaviour = [30, 32, 34, 36].map((days) => ({ kind: 'visit', at: new Date(Date.now() - days * dayMs).toISOString() }));
  const { body } = await own('/api/behaviour', 'POST', { account: { id }, contact: { email: `${id}@example.com` }, behaviour });
  return (body as { account: string }).account;
}

type Happening =
  | { does: 'assess'; band: Band }
  | { does: 'intervene' }
  | { does: 'step'; step: 'escalate_now' | 'call_now' }
  | { does: 'escalate' }
  | { does: 'wait'; hours: number }
  | { does: 'stop' };
const happening: fc.Arbitrary<Happening & { which: number; twice: boolean }> = fc
  .tuple(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...bandsInOrder).map((band): Happening => ({ does: 'assess', band })) },
      { weight: 1, arbitrary: fc.constant<Happening>({ does: 'intervene' }) },
      { weight: 3, arbitrary: fc.constantFrom('escalate_now' as const, 'call_now' as const).map((step): Happening => ({ does: 'step', step })) },
      { weight: 2, arbitrary: fc.constant<Happening>({ does: 'escalate' }) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 30 }).map((hours): Happening => ({ does: 'wait', hours })) },
      { weight: 1, arbitrary: fc.constant<Happening>({ does: 'stop' }) },
    ),
    fc.integer({ min: 0, max: 1 }),
    fc.boolean(),
  )
  .map(([what, which, twice]) => ({ ...what, which, twice }));

/** Rules rank an account by a score; the borders are moved around it, so that its band is the one that is wanted. */
async function bordersFor(id: string, band: Band): Promise<void> {
  const { score } = ((await own(`/api/accounts/${id}`)).body as { rank: { score: number } }).rank;
  const at = bandsInOrder.indexOf(band);
  const border = (of: number) => score + (of <= at ? -0.01 * (at - of + 1) : 0.01 * (of - at));
  expect(
    (await own('/api/settings', 'PATCH', { settings: { riskBands: { early: border(1), active: border(2), critical: border(3) } } })).status,
  ).toBe(200);
}

const runningOf = (id: string) =>
  inTenant(async (tx) => {
    const rows = await tx
      .select({ id: enrollments.id, slug: sequences.slug, endedAt: enrollments.endedAt })
      .from(enrollments)
      .innerJoin(sequences, eq(sequences.id, enrollments.sequenceId))
      .where(eq(enrollments.subjectId, id))
      .orderBy(asc(enrollments.id));
    return rows.filter(({ endedAt }) => endedAt === null).map((row) => ({ id: row.id, band: row.slug.replace('churn-', '') as Band }));
  });

async function carryOut(what: Happening, id: string): Promise<void> {
  if (what.does === 'assess') await assessAccounts(shop.deps, shop.tenant.tenantId, [id], 'time');
  else if (what.does === 'intervene') await own('/api/risk/interventions', 'POST', { account: id });
  else if (what.does === 'escalate') expect([200, 201]).toContain((await own('/api/escalations', 'POST', { subject: id })).status);
  else if (what.does === 'step') {
    for (const run of await runningOf(id)) {
      for (;;) {
        const result = await dispatchStep(shop.deps, { tenantId: shop.tenant.tenantId, enrollmentId: run.id, stepId: what.step });
        if (result.kind !== 'again') break;
        await new Promise((done) => setTimeout(done, result.inMs));
      }
    }
  } else if (what.does === 'stop') for (const run of await runningOf(id)) await own(`/api/enrollments/${run.id}/stop`, 'POST', {});
}

interface Cost {
  amounts: { amount: string; currency: string }[];
}
const micros = (costs: readonly Cost[]) =>
  costs.flatMap(({ amounts }) => amounts).reduce((sum, { amount }) => sum + Math.round(Number(amount) * 1_000_000), 0);

/** What holds of an account at every moment. */
async function check(id: string): Promise<void> {
  const [standing] = await inTenant((tx) => tx.select().from(riskStandings).where(eq(riskStandings.subjectId, id)));
  const [subject] = await inTenant((tx) => tx.select({ details: subjects.details }).from(subjects).where(eq(subjects.id, id)));
  const band = standing?.band ?? 'none';
  if (standing?.assessmentId != null) expect(account.details.parse(subject?.details).band, 'the account has the band that stands').toBe(band);
  const running = await runningOf(id);
  expect(running.length, 'one sequence runs at most').toBeLessThanOrEqual(1);
  for (const run of running) expect(bandsInOrder.indexOf(run.band), 'of its band or a higher one').toBeGreaterThanOrEqual(bandsInOrder.indexOf(band));
  if (band === 'none') expect(running).toEqual([]);
  const escalations = await inTenant((tx) =>
    tx
      .select({ at: tasks.createdAt })
      .from(tasks)
      .where(and(eq(tasks.subjectId, id), eq(tasks.kind, 'escalation'), eq(tasks.suppressed, false)))
      .orderBy(asc(tasks.createdAt)),
  );
  escalations.forEach(({ at }, n) => {
    const before = escalations[n - 1];
    if (before !== undefined) expect(at - before.at, 'no second escalation within 24 hours').toBeGreaterThanOrEqual(dayMs);
  });
  const ofSteps = await inTenant((tx) =>
    tx
      .select({ key: tasks.sendKey })
      .from(tasks)
      .where(and(eq(tasks.subjectId, id), isNotNull(tasks.sendKey))),
  );
  expect(new Set(ofSteps.map(({ key }) => key)).size, 'a step makes one task').toBe(ofSteps.length);
  const { data } = (await own(`/api/interventions?account=${id}`)).body as { data: { id: string; cost: Cost; actions: { cost: Cost }[] }[] };
  for (const { cost, actions } of data)
    expect(micros(actions.map((action) => action.cost)), 'the actions cost what the intervention costs').toBe(micros([cost]));
}

test('random accounts: bands and presets agree at every moment, one preset runs, one escalation a day, and costs add up', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 5, maxLength: 12 }), async (happenings) => {
      const ids = [await anAccount(), await anAccount()];
      for (const { which, twice, ...what } of happenings) {
        const id = ids[which] ?? '';
        if (what.does === 'assess') await bordersFor(id, what.band);
        if (what.does === 'wait') await letTimePass(shop, what.hours * hourMs);
        // Whatever happens may happen twice at once.
        await Promise.all((twice ? [what, what] : [what]).map((one) => carryOut(one, id)));
        for (const each of ids) await check(each);
      }
      const { all, bands, channels } = (await own('/api/interventions/figures?days=90')).body as {
        all: { begun: number; actions: number; cost: Cost };
        bands: { begun: number; cost: Cost }[];
        channels: { actions: number; cost: Cost }[];
      };
      expect(bands.reduce((sum, { begun }) => sum + begun, 0)).toBe(all.begun);
      expect(channels.reduce((sum, { actions }) => sum + actions, 0)).toBe(all.actions);
      expect(micros(bands.map(({ cost }) => cost))).toBe(micros([all.cost]));
      expect(micros(channels.map(({ cost }) => cost))).toBe(micros([all.cost]));
    }),
    { numRuns: 4 },
  );
}, 600_000);
