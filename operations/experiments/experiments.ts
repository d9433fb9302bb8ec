import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { experiments, experimentStatuses, sequences, sequenceVersions, takeovers, tenants, variantAssignments } from '../../db/schema/index.ts';
import { type Ending, endingOf, shortestTestMs } from '../../domain/experiments/ending.ts';
import { type Judgement, judge } from '../../domain/experiments/judge.ts';
import { areSameArms, comparedSteps, withWinner } from '../../domain/experiments/take-over.ts';
import { scaled } from '../../domain/sequence/time-scale.ts';
import { sampleRatio } from '../../domain/statistics/sample-ratio.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import { recordAudit } from '../audit.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';
import { type Page, pageOf } from '../read/page.ts';
import { casesOf, readArms, type VariantFigures } from '../read/variants.ts';
import { publishChange } from '../versions/publish.ts';

// For code that may not import `db/`.
export { experimentStatuses, takeovers };

export type ExperimentRow = typeof experiments.$inferSelect;

/** A test as it stands: its figures are counted anew, so late conversions and those that were taken back are right in them. */
export interface ExperimentView {
  experiment: ExperimentRow;
  sequence: string;
  arms: VariantFigures[];
  /** Of a test that runs: why it goes on; null: it has ended. */
  goesOnBecause: Extract<Ending, { kind: 'runs' }>['because'] | null;
  /** null: nothing may be said. */
  judgement: Judgement | null;
}

type ExperimentDeps = Pick<Deps, 'db' | 'clock' | 'versions' | 'log' | 'subjects' | 'kickRelay'>;

/** Who takes a winner over where the store lets that happen by itself, as the audit log names it. */
const byItself = 'tests';

/**
 * Begin the tests of steps whose variants are compared, end those that are decided, and let winners take over where the store's setting says so. Several
 * processes at once change nothing twice. @returns false: there is nothing more to do right away
 */
export async function experimentsPass(deps: ExperimentDeps): Promise<boolean> {
  for (const { id: tenantId } of await deps.db.listTenants()) {
    try {
      await examineTenant(deps, tenantId);
    } catch (error) {
      if (classifyFailure(error) !== 'unexpected') throw error;
      // One store must not hold up the tests of the others.
      deps.log.error({ tenantId, err: error }, 'the tests of a store could not be examined');
    }
  }
  return false;
}

async function examineTenant(deps: ExperimentDeps, tenantId: string): Promise<void> {
  const { inUse, takesOver } = await deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    const rows = await tx
      .select({ sequenceId: sequences.id, versionId: sequences.currentVersionId })
      .from(sequences)
      .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
      .leftJoin(experiments, and(eq(experiments.sequenceId, sequences.id), eq(experiments.status, 'RUNNING')))
      .where(sql`${experiments.id} is not null or ${sequenceVersions.definition} @? '$.steps[*].variants'`)
      .groupBy(sequences.id, sequences.tenantId);
    return { inUse: rows, takesOver: tenant !== undefined && settingsOf(tenant).winnersTakeOver };
  });
  for (const { sequenceId, versionId } of inUse)
    if (versionId !== null) await deps.db.withTenant(tenantId, (tx) => examineSequence(tx, deps, { tenantId, sequenceId, versionId }));
  if (!takesOver) return;
  const suggested = await deps.db.withTenant(tenantId, (tx) =>
    tx.select({ id: experiments.id }).from(experiments).where(eq(experiments.takeover, 'suggested')).orderBy(experiments.id),
  );
  for (const { id } of suggested) {
    const taken = await takeOver(deps, { tenantId, id, actor: byItself });
    deps.log.info({ tenantId, experiment: id, outcome: taken?.kind ?? 'unknown' }, 'the winner of a test was to take over');
  }
}

interface Where {
  tenantId: string;
  sequenceId: string;
  versionId: string;
}

async function examineSequence(tx: Tx, deps: ExperimentDeps, { tenantId, sequenceId, versionId }: Where): Promise<void> {
  const { definition } = await deps.versions.load(tx, versionId);
  const compared = comparedSteps(definition);
  // Somebody else publishes or examines it now: the next pass finds what they did.
  const locked = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.id, sequenceId)).for('no key update', { skipLocked: true });
  if (locked.length === 0) return;
  const known = await tx
    .select()
    .from(experiments)
    .where(eq(experiments.sequenceId, sequenceId))
    .orderBy(desc(experiments.startedAt), desc(experiments.id));
  for (const row of known) {
    if (row.status !== 'RUNNING') continue;
    const step = compared.find(({ stepId }) => stepId === row.stepId);
    if (step !== undefined && areSameArms(step.shares, row.shares)) await examine(tx, deps, row);
    else await tx.update(experiments).set({ status: 'STOPPED', endedAt: deps.clock.nowMs() }).where(eq(experiments.id, row.id));
  }
  for (const { stepId, shares } of compared) {
    const latest = known.find((row) => row.stepId === stepId);
    const isSame = latest !== undefined && areSameArms(latest.shares, shares);
    // What is decided stays decided, until a winner that took over was rolled back.
    if (isSame && (latest.status === 'RUNNING' || (latest.status === 'DECIDED' && latest.takeover !== 'applied'))) continue;
    await begin(tx, { tenantId, sequenceId, stepId, shares, afterMs: latest?.endedAt ?? latest?.startedAt ?? null });
  }
}

/** Begin a test with the first person who was assigned by these shares, after the one before. */
async function begin(
  tx: Tx,
  {
    tenantId,
    sequenceId,
    stepId,
    shares,
    afterMs,
  }: Pick<ExperimentRow, 'tenantId' | 'sequenceId' | 'stepId' | 'shares'> & { afterMs: number | null },
): Promise<void> {
  const [first] = await tx
    .select({ at: sql<number | null>`(extract(epoch from min(${variantAssignments.assignedAt})) * 1000)::float8` })
    .from(variantAssignments)
    .where(
      and(
        eq(variantAssignments.sequenceId, sequenceId),
        eq(variantAssignments.stepId, stepId),
        sql`${variantAssignments.shares} = ${JSON.stringify(shares)}::jsonb`,
        afterMs === null ? undefined : sql`${variantAssignments.assignedAt} >= to_timestamp(${afterMs}::float8 / 1000)`,
      ),
    );
  if (first?.at == null) return;
  await tx
    .insert(experiments)
    .values({ tenantId, id: uuidv7(), sequenceId, stepId, shares, startedAt: Math.floor(first.at) })
    .onConflictDoNothing();
}

/** End a test where that is certain. Its row is not read by anybody else meanwhile: the sequence is locked. */
async function examine(tx: Tx, deps: ExperimentDeps, row: ExperimentRow): Promise<void> {
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

async function standing(
  tx: Tx,
  deps: ExperimentDeps,
  row: ExperimentRow,
): Promise<{ ending: Ending; judgement: Judgement | null; arms: VariantFigures[] }> {
  const { sequenceId, stepId, shares, startedAt, endedAt } = row;
  const [found] = await tx
    .select({ timeScale: tenants.timeScale, versionId: sequences.currentVersionId })
    .from(sequences)
    .innerJoin(tenants, eq(tenants.id, sequences.tenantId))
    .where(eq(sequences.id, sequenceId));
  if (found === undefined || found.versionId === null) throw new Error('the sequence of a test is gone');
  const { definition } = await deps.versions.load(tx, found.versionId);
  const windowMs = scaled(definition.goal.withinMs, found.timeScale);
  const { variants } = await readArms(tx, { sequenceId, stepId, windowMs, test: { shares, fromMs: startedAt, untilMs: endedAt } });
  // An arm without anybody is an arm.
  const arms = Object.keys(shares)
    .toSorted()
    .map((id) => variants.find(({ variant }) => variant === id) ?? nobodyIn(id));
  const ratio = sampleRatio(
    arms.map(({ people }) => people),
    arms.map(({ expected }) => expected),
  );
  const judgement = ratio === null || ratio.mismatch ? null : judge(arms.map((arm) => ({ ...casesOf(arm), share: shares[arm.variant] ?? 0 })));
  const test = { startedAtMs: startedAt, judgement, windowMs, shortestMs: scaled(shortestTestMs, found.timeScale) };
  return { ending: endingOf(test, deps.clock.nowMs()), judgement, arms };
}

const nobodyIn = (variant: string): VariantFigures => ({
  ...{ variant, people: 0, expected: 0, sent: 0, opened: 0, clicked: 0, complete: 0, converted: 0, rate: null, interval: null },
});

/** The latest first. */
export function listExperiments(
  deps: ExperimentDeps,
  tenantId: string,
  search: { status?: ExperimentRow['status'] | undefined },
  { limit, after }: { limit: number; after: string | null },
): Promise<Page<ExperimentView>> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select({ experiment: experiments, sequence: sequences.slug })
      .from(experiments)
      .innerJoin(sequences, eq(sequences.id, experiments.sequenceId))
      .where(
        and(search.status === undefined ? undefined : eq(experiments.status, search.status), after === null ? undefined : lt(experiments.id, after)),
      )
      .orderBy(desc(experiments.id))
      .limit(limit + 1);
    const views: ExperimentView[] = [];
    for (const row of rows) views.push(await viewOf(tx, deps, row));
    return pageOf(views, limit, ({ experiment }) => experiment.id);
  });
}

/** @returns null where the tenant has no such test */
export function readExperiment(deps: ExperimentDeps, tenantId: string, id: string): Promise<ExperimentView | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select({ experiment: experiments, sequence: sequences.slug })
      .from(experiments)
      .innerJoin(sequences, eq(sequences.id, experiments.sequenceId))
      .where(eq(experiments.id, id));
    return row === undefined ? null : viewOf(tx, deps, row);
  });
}

async function viewOf(tx: Tx, deps: ExperimentDeps, row: { experiment: ExperimentRow; sequence: string }): Promise<ExperimentView> {
  const { ending, judgement, arms } = await standing(tx, deps, row.experiment);
  const goesOnBecause = row.experiment.status === 'RUNNING' && ending.kind === 'runs' ? ending.because : null;
  return { ...row, arms, judgement, goesOnBecause };
}

export type TakenOver =
  | { kind: 'applied'; version: number }
  /** It is not suggested: it runs, or somebody has decided about it. */
  | { kind: 'not_suggested'; takeover: ExperimentRow['takeover'] }
  /** The step has other variants by now, or is gone. */
  | { kind: 'outdated' }
  /** Somebody published meanwhile, or the version cannot be made. */
  | { kind: 'refused'; why: string };

/**
 * Let the winner of a test take over: a new version of its sequence, in which everybody gets it. Those who run stay on theirs, and the version before can be
 * published again (`rollback`).
 * @returns null where the tenant has no such test
 */
export async function takeOver(
  deps: ExperimentDeps,
  { tenantId, id, actor }: { tenantId: string; id: string; actor: string },
): Promise<TakenOver | null> {
  const found = await deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select({ experiment: experiments, slug: sequences.slug, version: sequenceVersions.version, definition: sequenceVersions.definition })
      .from(experiments)
      .innerJoin(sequences, eq(sequences.id, experiments.sequenceId))
      .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
      .where(eq(experiments.id, id));
    return row ?? null;
  });
  if (found === null) return null;
  const { experiment, slug, version, definition } = found;
  const { stepId, shares, winner, takeover } = experiment;
  if (takeover !== 'suggested' || winner === null) return { kind: 'not_suggested', takeover };
  const step = comparedSteps(definition).find((one) => one.stepId === stepId);
  if (step === undefined || !areSameArms(step.shares, shares)) return { kind: 'outdated' };
  const suggestion = and(eq(experiments.id, id), eq(experiments.takeover, 'suggested'));
  const published = await publishChange(
    deps,
    { tenantId, slug, baseVersion: version, running: null, actor },
    (before) => withWinner(before, stepId, winner),
    {
      stillWanted: async (tx) => (await tx.select({ id: experiments.id }).from(experiments).where(suggestion).for('update')).length > 0,
      published: async (tx, made) => {
        const resolved = { takeover: 'applied' as const, version: made, resolvedAt: deps.clock.nowMs(), resolvedBy: actor };
        await tx.update(experiments).set(resolved).where(eq(experiments.id, id));
      },
      noted: { experiment: id, winner },
    },
  );
  if (published.kind === 'published') return { kind: 'applied', version: published.version };
  return { kind: 'refused', why: published.kind };
}

/** Leave the variants as they are. @returns null where the tenant has no such test; false: there is no suggestion about it */
export function dismissWinner(
  deps: ExperimentDeps,
  { tenantId, id, actor }: { tenantId: string; id: string; actor: string },
): Promise<boolean | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx.select({ takeover: experiments.takeover }).from(experiments).where(eq(experiments.id, id)).for('update');
    if (row === undefined) return null;
    if (row.takeover !== 'suggested') return false;
    await tx.update(experiments).set({ takeover: 'dismissed', resolvedAt: deps.clock.nowMs(), resolvedBy: actor }).where(eq(experiments.id, id));
    await recordAudit(tx, { tenantId, actor, action: 'experiment.dismiss', subject: id, data: {} });
    return true;
  });
}
