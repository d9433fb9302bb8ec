import { and, desc, eq, type SQL } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { campaigns, experiments, sequences, tenants } from '../../db/schema/index.ts';
import { type Comparison, compareArms } from '../../domain/experiments/compare.ts';
import { type Ending, endingOf, shortestTestMs } from '../../domain/experiments/ending.ts';
import { type Judgement, judge } from '../../domain/experiments/judge.ts';
import { scaled } from '../../domain/sequence/time-scale.ts';
import { sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, type Page, pageOf, type PageWanted } from '../read/page.ts';
import { casesOf, readArms, type VariantFigures } from '../read/variants.ts';

export type ExperimentRow = typeof experiments.$inferSelect;

/** A test of a step's variants. */
export type StepTest = ExperimentRow & { sequenceId: string; stepId: string };

export const isStepTest = (row: ExperimentRow): row is StepTest => row.sequenceId !== null && row.stepId !== null;

/** Who decides about tests where nobody does, as the audit log names it. */
export const byItself = 'tests';

/** A test as it stands: its figures are counted anew, so late conversions and those that were taken back are right in them. */
export interface ExperimentView {
  experiment: ExperimentRow;
  /** The slug of its sequence; null: it is a campaign's. */
  sequence: string | null;
  /** The name of its campaign; null: it is a step's. */
  campaignName: string | null;
  arms: VariantFigures[];
  /** Of a test that runs: why it goes on; null: it has ended. */
  goesOnBecause: Extract<Ending, { kind: 'runs' }>['because'] | null;
  /** null: nothing may be said. */
  judgement: Judgement | null;
  /** Each other arm beside the first; none where nothing may be said. */
  comparisons: Comparison[];
}

type StandingDeps = Pick<Deps, 'db' | 'clock' | 'versions'>;

interface Standing {
  ending: Ending;
  judgement: Judgement | null;
  arms: VariantFigures[];
}

async function standing(tx: Tx, deps: StandingDeps, row: ExperimentRow): Promise<Standing> {
  const { id, shares, startedAt, endedAt } = row;
  const { windowMs, timeScale } = await windowOf(tx, deps, row);
  const { variants } = await readArms(
    tx,
    isStepTest(row)
      ? { sequenceId: row.sequenceId, stepId: row.stepId, windowMs, test: { shares, fromMs: startedAt, untilMs: endedAt } }
      : { experimentId: id, shares, windowMs, untilMs: endedAt },
  );
  // An arm without anybody is an arm.
  const arms = Object.keys(shares)
    .toSorted()
    .map((arm) => variants.find(({ variant }) => variant === arm) ?? nobodyIn(arm));
  const ratio = sampleRatio(
    arms.map(({ people }) => people),
    arms.map(({ expected }) => expected),
  );
  const judgement = ratio === null || ratio.mismatch ? null : judge(arms.map((arm) => ({ ...casesOf(arm), share: shares[arm.variant] ?? 0 })));
  const test = { startedAtMs: startedAt, judgement, windowMs, shortestMs: scaled(shortestTestMs, timeScale) };
  return { ending: endingOf(test, deps.clock.nowMs()), judgement, arms };
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

/** End a test where that is certain. Nobody else examines it meanwhile: its sequence or its row is locked. */
export async function endIfDecided(tx: Tx, deps: StandingDeps & Pick<Deps, 'log'>, row: ExperimentRow): Promise<void> {
  const { ending, judgement, arms } = await standing(tx, deps, row);
  if (ending.kind !== 'ended' || judgement === null) return;
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
  deps.log.info({ tenantId, experiment: id, winner: ending.winner }, 'a test is decided');
}

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
    const { ending, judgement, arms } = await standing(tx, deps, row.experiment);
    const goesOnBecause = row.experiment.status === 'RUNNING' && ending.kind === 'runs' ? ending.because : null;
    const comparisons = judgement === null ? [] : compareArms(arms.map(casesOf));
    views.push({ ...row, arms, judgement, goesOnBecause, comparisons });
  }
  return views;
}
