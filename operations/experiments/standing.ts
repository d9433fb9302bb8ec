import { and, desc, eq, type SQL } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { campaigns, experiments, sequences, tenants } from '../../db/schema/index.ts';
import { chancesOfBandit, sharesOfBandit } from '../../domain/experiments/bandit.ts';
import { type Comparison, compareArms } from '../../domain/experiments/compare.ts';
import { type Ending, endingOf, shortestTestMs } from '../../domain/experiments/ending.ts';
import { guardrailMetrics, type GuardrailReading, readGuardrails } from '../../domain/experiments/guardrails.ts';
import { type Judgement, judge } from '../../domain/experiments/judge.ts';
import { compareRevenue, type RevenueComparison } from '../../domain/experiments/revenue.ts';
import { wholeSequence } from '../../domain/experiments/variant.ts';
import type { StepVariant } from '../../domain/sequence/definition.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import { scaled } from '../../domain/sequence/time-scale.ts';
import { sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { closeApproval, openApproval, winnerKey } from '../work/approval-task.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';
import { type ArmOutcomes, type ArmsOf, casesOf, readArms, readArmsByDay, type VariantFigures } from '../read/variants.ts';

// For code that may not import `domain/`.
export { guardrailMetrics, wholeSequence };

export type ExperimentRow = typeof experiments.$inferSelect;

/** A test of a step's variants. */
export type StepTest = ExperimentRow & { sequenceId: string; stepId: string };

export const isStepTest = (row: ExperimentRow): row is StepTest => row.sequenceId !== null && row.stepId !== null;

/** The actor in the audit log where a test ends by itself. */
export const byItself = 'tests';

/** A test as it stands: its figures are counted anew, so late conversions and those that were taken back are right in them. */
export interface ExperimentView {
  experiment: ExperimentRow;
  /** The slug of its sequence; null: it is a campaign's. */
  sequence: string | null;
  /** The name of its campaign; null: it is a step's. */
  campaignName: string | null;
  arms: VariantFigures[];
  /** What the variants are in the version in use, by their ids; without those that it does not have. */
  forms: Record<string, StepVariant>;
  /** Of a test that runs: why it goes on; null: it has ended. */
  goesOnBecause: Extract<Ending, { kind: 'runs' }>['because'] | null;
  /** null: nothing may be said. */
  judgement: Judgement | null;
  /** Each other arm beside the first; none where nothing may be said. */
  comparisons: (Comparison & { revenue: RevenueComparison[] })[];
  /** Every arm beside the others on what a test must not make worse; none where nothing may be said. */
  guardrails: GuardrailReading[];
  /** Of a bandit: how likely each arm is the best, by its id; null: it is a test. */
  chances: Record<string, number> | null;
}

type StandingDeps = Pick<Deps, 'db' | 'clock' | 'versions'>;

interface Standing {
  ending: Ending;
  judgement: Judgement | null;
  arms: VariantFigures[];
  outcomes: ArmOutcomes[];
  guardrails: GuardrailReading[];
}

const banditGoesOn: Ending = { kind: 'runs', because: 'bandit' };

const armsOf = (row: ExperimentRow, windowMs: number): ArmsOf =>
  isStepTest(row)
    ? {
        ...{ sequenceId: row.sequenceId, stepId: row.stepId, windowMs },
        test: { shares: row.shares, fromMs: row.startedAt, untilMs: row.endedAt },
      }
    : { experimentId: row.id, shares: row.shares, windowMs, untilMs: row.endedAt };

/** How the comparisons of a test stood at the end of a day. */
export interface StandingOfDay {
  atMs: number;
  comparisons: Comparison[];
}

/** More days than this are thinned out: a picture has no room for them. */
const mostDays = 60;

/**
 * How a test came to stand where it does: each other arm beside the first, day by day. By what is known today, so an order that was taken back is in none.
 * @returns null where the tenant has no such test. Empty: nothing may be said of it, as of a bandit
 */
export function readExperimentHistory(deps: StandingDeps, tenantId: string, id: string): Promise<StandingOfDay[] | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx.select().from(experiments).where(eq(experiments.id, id));
    if (row === undefined) return null;
    if ((await standing(tx, deps, row)).judgement === null) return [];
    const { windowMs } = await windowOf(tx, deps, row);
    const days = await readArmsByDay(tx, armsOf(row, windowMs));
    const untils = [...new Set(days.map(({ untilMs }) => untilMs))];
    const every = Math.ceil(untils.length / mostDays);
    const sums = new Map(
      Object.keys(row.shares)
        .toSorted()
        .map((arm) => [arm, { id: arm, people: 0, converted: 0 }]),
    );
    const found: StandingOfDay[] = [];
    for (const [index, untilMs] of untils.entries()) {
      for (const { variant, complete, converted } of days.filter((day) => day.untilMs === untilMs)) {
        const sum = sums.get(variant);
        if (sum !== undefined) sums.set(variant, { id: variant, people: sum.people + complete, converted: sum.converted + converted });
      }
      // The last one is today's.
      if ((untils.length - 1 - index) % every === 0)
        found.push({ atMs: Math.min(untilMs, deps.clock.nowMs()), comparisons: compareArms([...sums.values()]) });
    }
    return found;
  });
}

async function standing(tx: Tx, deps: StandingDeps, row: ExperimentRow): Promise<Standing> {
  const { shares, startedAt } = row;
  const { windowMs, timeScale } = await windowOf(tx, deps, row);
  const of = armsOf(row, windowMs);
  const { variants, outcomes } = await readArms(tx, of);
  // An arm without anybody is an arm.
  const arms = Object.keys(shares)
    .toSorted()
    .map((arm) => variants.find(({ variant }) => variant === arm) ?? nobodyIn(arm));
  const ratio = sampleRatio(
    arms.map(({ people }) => people),
    arms.map(({ expected }) => expected),
  );
  // The shares of a bandit change: nothing that rests on fixed ones may be said of it.
  const isSound = row.mode === 'test' && ratio !== null && !ratio.mismatch;
  const judgement = isSound ? judge(arms.map((arm) => ({ ...casesOf(arm), share: shares[arm.variant] ?? 0 }))) : null;
  const harmOf = ({ variant, people }: VariantFigures) => {
    const { optOuts = 0, complaints = 0, refunds = 0 } = outcomes.find((one) => one.variant === variant) ?? {};
    return { id: variant, people, share: shares[variant] ?? 0, opt_outs: optOuts, complaints, refunds };
  };
  const guardrails = isSound ? readGuardrails(arms.map(harmOf)) : [];
  const harmful = guardrails.filter(({ isWorse }) => isWorse).map(({ arm }) => arm);
  const test = { startedAtMs: startedAt, judgement, harmful, windowMs, shortestMs: scaled(shortestTestMs, timeScale) };
  return { ending: row.mode === 'bandit' ? banditGoesOn : endingOf(test, deps.clock.nowMs()), judgement, arms, outcomes, guardrails };
}

/** How long after the assignment a conversion counts, in the tenant's time. */
async function windowOf(tx: Tx, deps: StandingDeps, row: ExperimentRow): Promise<{ windowMs: number; timeScale: number }> {
  const [tenant] = await tx.select({ timeScale: tenants.timeScale }).from(tenants).where(eq(tenants.id, row.tenantId));
  if (tenant === undefined) throw new Error('a test without its tenant');
  const { timeScale } = tenant;
  if (!isStepTest(row)) return { windowMs: scaled(row.windowMs ?? 0, timeScale), timeScale };
  const [found] = await tx.select({ versionId: sequences.currentVersionId }).from(sequences).where(eq(sequences.id, row.sequenceId));
  if (found === undefined || found.versionId === null) throw new Error('the sequence of a test is gone');
  const { definition } = await deps.versions.load(tx, found.versionId);
  return { windowMs: scaled(definition.goal.withinMs, timeScale), timeScale };
}

const nobodyIn = (variant: string): VariantFigures => ({
  ...{ variant, people: 0, expected: 0, sent: 0, opened: 0, clicked: 0, complete: 0, converted: 0, rate: null, interval: null },
});

/**
 * End a test where that is certain, and give a bandit its new shares. Nobody else examines it meanwhile: its sequence or its row is locked.
 * @returns an arm that does harm for certain; null: none does
 */
export async function endIfDecided(tx: Tx, deps: StandingDeps & Pick<Deps, 'log'>, row: ExperimentRow): Promise<GuardrailReading | null> {
  const { ending, judgement, arms, guardrails } = await standing(tx, deps, row);
  if (row.mode === 'bandit') await shareAnew(tx, row, arms);
  const harm = guardrails.find(({ isWorse }) => isWorse) ?? null;
  if (harm !== null || ending.kind !== 'ended' || judgement === null) return harm;
  const verdict = {
    p: judgement.p,
    z: judgement.z,
    arms: arms.map(({ variant, complete, converted }) => ({ id: variant, people: complete, converted })),
  };
  const { tenantId, id } = row;
  await tx
    .update(experiments)
    .set({ status: 'DECIDED', endedAt: deps.clock.nowMs(), winner: ending.winner, verdict, takeover: 'suggested' })
    .where(and(eq(experiments.id, id), eq(experiments.status, 'RUNNING')));
  await recordAudit(tx, { tenantId, actor: byItself, action: 'experiment.decide', subject: id, data: { winner: ending.winner, p: judgement.p } });
  await askAboutWinner(tx, deps, row, ending.winner);
  deps.log.info({ tenantId, experiment: id, winner: ending.winner }, 'a test is decided');
  return null;
}

/** Nothing waits for the decision; a week is enough to look at a result, and the task reminds of it then. */
const decideWithinMs = 7 * 86_400_000;

/** A winner that does not take over by itself is a task for a manager. Source: docs/rules.md#rule-121 */
async function askAboutWinner(
  tx: Tx,
  { clock }: Pick<Deps, 'clock'>,
  { tenantId, id, sequenceId, campaignId, stepId }: ExperimentRow,
  winner: string,
): Promise<void> {
  const [tenant] = await tx.select({ settings: tenants.settings }).from(tenants).where(eq(tenants.id, tenantId));
  if (tenant === undefined || settingsOf(tenant).winnersTakeOver) return;
  const [sequence] = sequenceId === null ? [] : await tx.select({ slug: sequences.slug }).from(sequences).where(eq(sequences.id, sequenceId));
  const [campaign] = campaignId === null ? [] : await tx.select({ name: campaigns.name }).from(campaigns).where(eq(campaigns.id, campaignId));
  const of = sequence?.slug ?? campaign?.name ?? '';
  const where = stepId === null || stepId === wholeSequence ? of : `the step ${stepId} of ${of}`;
  const recommendation = `The test of ${where} is decided: ${winner} did better. Let it take over, or leave things as they are: npx rekindle experiments approve ${id}, or dismiss.`;
  const data = { experiment: id, winner, ...(sequence === undefined ? {} : { sequence: sequence.slug }) };
  const nowMs = clock.nowMs();
  const about = { tenantId, key: winnerKey(id), subjectId: null, enrollmentId: null };
  await openApproval(tx, { ...about, recommendation, data, dueMs: nowMs + decideWithinMs }, nowMs);
}

/** Somebody has decided about a winner, or the store's setting has. */
export async function closeWinnerTask(
  tx: Tx,
  { clock }: Pick<Deps, 'clock'>,
  { tenantId, id, actor, result }: { tenantId: string; id: string; actor: string; result: string },
): Promise<void> {
  await closeApproval(tx, { tenantId, key: winnerKey(id), state: 'done', result, by: actor, nowMs: clock.nowMs() });
}

/** By those whose window is over: whoever bought early must not count before those who were assigned beside them can have. */
async function shareAnew(tx: Tx, row: ExperimentRow, arms: readonly VariantFigures[]): Promise<void> {
  const before = sharesNow(row);
  const shares = sharesOfBandit(arms.map(casesOf));
  if (Object.entries(shares).some(([arm, share]) => Math.abs(share - (before[arm] ?? 0)) >= 0.01))
    // The shares of a sequence's test say which people are in it, so they stay.
    await tx
      .update(experiments)
      .set(isStepTest(row) ? { drawnBy: shares } : { shares })
      .where(eq(experiments.id, row.id));
}

/** Of each arm, by its id: of whoever is assigned now. */
export const sharesNow = ({ shares, drawnBy }: ExperimentRow): Record<string, number> => drawnBy ?? shares;

export interface ExperimentSearch {
  status?: ExperimentRow['status'] | undefined;
  campaign?: string | undefined;
}

/** The latest first. */
export function listExperiments(
  deps: StandingDeps,
  tenantId: string,
  { status, campaign }: ExperimentSearch,
  page: PageWanted,
): Promise<Page<ExperimentView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const wanted = and(
      status === undefined ? undefined : eq(experiments.status, status),
      campaign === undefined ? undefined : eq(experiments.campaignId, campaign),
      beyond(experiments.id, 'newest', page),
    );
    return pageOf(
      await viewsOf(tx, deps, wanted, page.limit + 1, byAge(experiments.id, 'newest', page)),
      page.limit,
      ({ experiment }) => experiment.id,
    );
  });
}

/** @returns null where the tenant has no such test */
export function readExperiment(deps: StandingDeps, tenantId: string, id: string): Promise<ExperimentView | null> {
  return deps.db.withTenant(tenantId, async (tx) => (await viewsOf(tx, deps, eq(experiments.id, id), 1))[0] ?? null);
}

async function viewsOf(tx: Tx, deps: StandingDeps, wanted: SQL | undefined, most: number, order = desc(experiments.id)): Promise<ExperimentView[]> {
  const rows = await tx
    .select({ experiment: experiments, sequence: sequences.slug, campaignName: campaigns.name })
    .from(experiments)
    .leftJoin(sequences, eq(sequences.id, experiments.sequenceId))
    .leftJoin(campaigns, eq(campaigns.id, experiments.campaignId))
    .where(wanted)
    .orderBy(order)
    .limit(most);
  const views: ExperimentView[] = [];
  for (const row of rows) {
    const { ending, judgement, arms, outcomes, guardrails } = await standing(tx, deps, row.experiment);
    const goesOnBecause = row.experiment.status === 'RUNNING' && ending.kind === 'runs' ? ending.because : null;
    const spent = (arm: string | undefined) => {
      const { complete: people = 0, revenue = [] } = outcomes.find(({ variant }) => variant === arm) ?? {};
      return { people, revenue };
    };
    const comparisons = (judgement === null ? [] : compareArms(arms.map(casesOf))).map((one) => ({
      ...one,
      revenue: compareRevenue(spent(one.against), spent(one.id), arms.length - 1),
    }));
    const chances = row.experiment.mode === 'bandit' ? chancesOfBandit(arms.map(casesOf)) : null;
    views.push({ ...row, arms, forms: await formsIn(tx, deps, row.experiment), judgement, goesOnBecause, comparisons, guardrails, chances });
  }
  return views;
}

async function formsIn(tx: Tx, deps: StandingDeps, row: ExperimentRow): Promise<Record<string, StepVariant>> {
  if (!isStepTest(row) || row.stepId === wholeSequence) return {};
  const [found] = await tx.select({ versionId: sequences.currentVersionId }).from(sequences).where(eq(sequences.id, row.sequenceId));
  if (found === undefined || found.versionId === null) return {};
  const { definition } = await deps.versions.load(tx, found.versionId);
  const step = definition.steps.find(({ id }) => id === row.stepId);
  return Object.fromEntries(
    (step?.variants ?? []).map((variant) => [variant.id, { ...variant, channels: variant.channels ?? step?.channels ?? [] }]),
  );
}
