import { and, desc, eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import {
  experimentModes,
  experiments,
  experimentStatuses,
  sequences,
  sequenceVersions,
  takeovers,
  tenants,
  variantAssignments,
} from '../../db/schema/index.ts';
import type { GuardrailReading } from '../../domain/experiments/guardrails.ts';
import { areSameArms, comparedIn, withoutVariant, withWinner } from '../../domain/experiments/take-over.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import { recordAudit } from '../audit.ts';
import { classifyFailure } from '../classify-failure.ts';
import type { Deps } from '../deps.ts';
import { publishChange } from '../versions/publish.ts';
import { applyWinner, examineCampaignTests } from './campaign-tests.ts';
import { byItself, closeWinnerTask, endIfDecided, type ExperimentRow, isStepTest, type StepTest } from './standing.ts';

// For code that may not import `db/`.
export { experimentModes, experimentStatuses, takeovers };

type ExperimentDeps = Pick<Deps, 'db' | 'clock' | 'versions' | 'log' | 'subjects' | 'kickRelay'>;

/**
 * Begin the tests of steps whose variants are compared, end those that are decided, of campaigns too, and let winners take over where the store's setting says so. Several
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
  const { inUse, takesOver, stopsHarm } = await deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    const rows = await tx
      .select({ sequenceId: sequences.id, versionId: sequences.currentVersionId })
      .from(sequences)
      .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
      .leftJoin(experiments, and(eq(experiments.sequenceId, sequences.id), eq(experiments.status, 'RUNNING')))
      .where(sql`${experiments.id} is not null or ${sequenceVersions.definition} @? '$.steps[*].variants' or ${sequenceVersions.definition} ? 'arms'`)
      .groupBy(sequences.id, sequences.tenantId);
    return {
      inUse: rows,
      takesOver: tenant !== undefined && settingsOf(tenant).winnersTakeOver,
      stopsHarm: tenant !== undefined && settingsOf(tenant).guardrailsStop,
    };
  });
  for (const { sequenceId, versionId } of inUse)
    if (versionId !== null) {
      const harms = await deps.db.withTenant(tenantId, (tx) => examineSequence(tx, deps, { tenantId, sequenceId, versionId }));
      for (const harm of stopsHarm ? harms : []) await takeOut(deps, tenantId, harm);
    }
  await examineCampaignTests(deps, tenantId, stopsHarm);
  if (!takesOver) return;
  const suggested = await deps.db.withTenant(tenantId, (tx) =>
    tx.select({ id: experiments.id }).from(experiments).where(eq(experiments.takeover, 'suggested')).orderBy(experiments.id),
  );
  for (const { id } of suggested) {
    const taken = await takeOver(deps, { tenantId, id, actor: byItself });
    deps.log.info({ tenantId, experiment: id, outcome: taken?.kind ?? 'unknown' }, 'the winner of a test was to take over');
  }
}

interface Harm {
  experiment: StepTest;
  reading: GuardrailReading;
}

interface Where {
  tenantId: string;
  sequenceId: string;
  versionId: string;
}

/** @returns arms that do harm for certain */
async function examineSequence(tx: Tx, deps: ExperimentDeps, { tenantId, sequenceId, versionId }: Where): Promise<Harm[]> {
  const { definition } = await deps.versions.load(tx, versionId);
  const compared = comparedIn(definition);
  // Somebody else publishes or examines it now: the next pass finds what they did.
  const locked = await tx.select({ id: sequences.id }).from(sequences).where(eq(sequences.id, sequenceId)).for('no key update', { skipLocked: true });
  if (locked.length === 0) return [];
  const harms: Harm[] = [];
  const rows = await tx
    .select()
    .from(experiments)
    .where(eq(experiments.sequenceId, sequenceId))
    .orderBy(desc(experiments.startedAt), desc(experiments.id));
  const known = rows.filter(isStepTest);
  for (const row of known) {
    if (row.status !== 'RUNNING') continue;
    const step = compared.find(({ stepId }) => stepId === row.stepId);
    if (step !== undefined && step.mode === row.mode && areSameArms(step.shares, row.shares)) {
      const reading = await endIfDecided(tx, deps, row);
      if (reading !== null) harms.push({ experiment: row, reading });
    } else await tx.update(experiments).set({ status: 'STOPPED', endedAt: deps.clock.nowMs() }).where(eq(experiments.id, row.id));
  }
  for (const { stepId, shares, mode } of compared) {
    const latest = known.find((row) => row.stepId === stepId);
    const isSame = latest !== undefined && latest.mode === mode && areSameArms(latest.shares, shares);
    // What is decided stays decided, until a winner that took over was rolled back.
    if (isSame && (latest.status === 'RUNNING' || (latest.status === 'DECIDED' && latest.takeover !== 'applied'))) continue;
    // Of the other mode, with the same shares: nothing else tells its people apart, and it has been stopped just now.
    const wasStopped = latest?.status === 'RUNNING' && latest.mode !== mode;
    const afterMs = wasStopped ? deps.clock.nowMs() : (latest?.endedAt ?? latest?.startedAt ?? null);
    await begin(tx, { tenantId, sequenceId, stepId, shares, mode, afterMs });
  }
  return harms;
}

/** Begin a test with the first person who was assigned by these shares, after the one before. */
async function begin(
  tx: Tx,
  {
    tenantId,
    sequenceId,
    stepId,
    shares,
    mode,
    afterMs,
  }: Pick<StepTest, 'tenantId' | 'sequenceId' | 'stepId' | 'shares' | 'mode'> & { afterMs: number | null },
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
    .values({ tenantId, id: uuidv7(), sequenceId, stepId, shares, mode, startedAt: Math.floor(first.at) })
    .onConflictDoNothing();
}

/** Publish the sequence without an arm that does harm, for new enrollments. The test ends by it, and what is left of it is another one. */
async function takeOut(deps: ExperimentDeps, tenantId: string, { experiment, reading }: Harm): Promise<void> {
  const { id, sequenceId, stepId } = experiment;
  const { metric, arm, people, cases, others } = reading;
  const [inUse] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select({ slug: sequences.slug, version: sequenceVersions.version })
      .from(sequences)
      .innerJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
      .where(eq(sequences.id, sequenceId)),
  );
  if (inUse === undefined) return;
  const running = and(eq(experiments.id, id), eq(experiments.status, 'RUNNING'));
  const noted = { experiment: id, arm, metric, people, cases, others };
  const published = await publishChange(
    deps,
    { tenantId, slug: inUse.slug, baseVersion: inUse.version, running: 'stay', actor: byItself },
    (before) => withoutVariant(before, stepId, arm),
    {
      stillWanted: async (tx) => (await tx.select({ id: experiments.id }).from(experiments).where(running).for('update')).length > 0,
      published: async (tx) => {
        await tx.update(experiments).set({ status: 'STOPPED', endedAt: deps.clock.nowMs() }).where(running);
        await recordAudit(tx, { tenantId, actor: byItself, action: 'experiment.harm', subject: id, data: noted });
      },
      noted,
    },
  );
  deps.log.warn({ tenantId, ...noted, outcome: published.kind }, 'an arm of a test does harm and was to be taken out');
}

export type TakenOver =
  /** `version`: of the sequence, with the winner; null: it is a campaign's test, and versions stay. */
  | { kind: 'applied'; version: number | null }
  /** It is not suggested: it runs, or somebody has decided about it. */
  | { kind: 'not_suggested'; takeover: ExperimentRow['takeover'] }
  /** The step has other variants by now, or is gone; or the campaign has ended, or the winner's script is out of use. */
  | { kind: 'outdated' }
  /** Somebody published meanwhile, or the version cannot be made. */
  | { kind: 'refused'; why: string };

/**
 * Let the winner of a test take over. Of a step: a new version of its sequence, in which everybody gets it; those who run stay on theirs, and the version
 * before can be published again (`rollback`). Of a campaign: whoever begins from now on gets its script, until it is dismissed.
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
      .leftJoin(sequences, eq(sequences.id, experiments.sequenceId))
      .leftJoin(sequenceVersions, eq(sequenceVersions.id, sequences.currentVersionId))
      .where(eq(experiments.id, id));
    return row ?? null;
  });
  if (found === null) return null;
  const { experiment, slug, version, definition } = found;
  if (!isStepTest(experiment) || slug === null || version === null || definition === null) {
    const taken = await applyWinner(deps, { tenantId, id, actor });
    return taken?.kind === 'applied' ? { kind: 'applied', version: null } : taken;
  }
  const { stepId, shares, winner, takeover } = experiment;
  if (takeover !== 'suggested' || winner === null) return { kind: 'not_suggested', takeover };
  const step = comparedIn(definition).find((one) => one.stepId === stepId);
  if (step === undefined || !areSameArms(step.shares, shares)) return { kind: 'outdated' };
  const suggestion = and(eq(experiments.id, id), eq(experiments.takeover, 'suggested'));
  const published = await publishChange(
    deps,
    { tenantId, slug, baseVersion: version, running: 'stay', actor },
    (before) => withWinner(before, stepId, winner),
    {
      stillWanted: async (tx) => (await tx.select({ id: experiments.id }).from(experiments).where(suggestion).for('update')).length > 0,
      published: async (tx, made) => {
        const resolved = { takeover: 'applied' as const, version: made, resolvedAt: deps.clock.nowMs(), resolvedBy: actor };
        await tx.update(experiments).set(resolved).where(eq(experiments.id, id));
        await closeWinnerTask(tx, deps, { tenantId, id, actor, result: `took over as version ${made}` });
      },
      noted: { experiment: id, winner },
    },
  );
  if (published.kind === 'published') return { kind: 'applied', version: published.version };
  return { kind: 'refused', why: published.kind };
}

/**
 * Leave the variants of a step as they are. The test of a campaign is over by this, also where its winner had taken over: the campaign's own script goes out
 * again.
 * @returns null where the tenant has no such test; false: there is nothing to be dismissed
 */
export function dismissWinner(
  deps: ExperimentDeps,
  { tenantId, id, actor }: { tenantId: string; id: string; actor: string },
): Promise<boolean | null> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select({ takeover: experiments.takeover, campaignId: experiments.campaignId })
      .from(experiments)
      .where(eq(experiments.id, id))
      .for('update');
    if (row === undefined) return null;
    if (row.takeover !== 'suggested' && !(row.takeover === 'applied' && row.campaignId !== null)) return false;
    await tx.update(experiments).set({ takeover: 'dismissed', resolvedAt: deps.clock.nowMs(), resolvedBy: actor }).where(eq(experiments.id, id));
    await recordAudit(tx, { tenantId, actor, action: 'experiment.dismiss', subject: id, data: {} });
    await closeWinnerTask(tx, deps, { tenantId, id, actor, result: 'dismissed' });
    return true;
  });
}
