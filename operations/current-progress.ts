import { eq, getTableColumns } from 'drizzle-orm';
import type { Tx } from '../db/client.ts';
import { campaigns, enrollments, messages, versionMoves } from '../db/schema/index.ts';
import { compilePlan } from '../domain/sequence/compile-plan.ts';
import type { FinishReason, Plan, Progress } from '../domain/sequence/plan.ts';
import type { Deps } from './deps.ts';
import type { VersionMove } from './dispatch/facts.ts';
import { lockStep } from './dispatch/fence.ts';
import { followMove } from './dispatch/follow-move.ts';
import { type EnrollmentRow, type LedgerRow, readProgress } from './dispatch/progress.ts';
import { addToStory, endEnrollment, endOf } from './dispatch/records.ts';

export interface CurrentProgress {
  progress: Progress;
  ended: FinishReason | null;
  /** Of the version that it is in, where that is another one than the workflow knows. */
  plan?: Plan;
}

type CurrentDeps = Pick<Deps, 'db' | 'clock' | 'versions'>;

/**
 * Where an enrollment stands, for a workflow that was woken. Read without the person's lock: every dispatch decides on what it reads itself. Where a
 * publisher decided that it moves or exits, that is carried out first, under the lock.
 * @param input.version - of the plan that the workflow has; absent: the workflow is an older build's
 * @returns null: Postgres does not know the enrollment
 */
export async function currentProgress(
  deps: CurrentDeps,
  input: { tenantId: string; enrollmentId: string; version?: number },
): Promise<CurrentProgress | null> {
  return deps.db.withTenant(input.tenantId, async (tx) => {
    const { payload: _, ...columns } = getTableColumns(messages);
    const [[known], ledger] = await Promise.all([
      tx
        .select({
          enrollment: enrollments,
          move: { versionId: versionMoves.versionId, to: versionMoves.toVersionId, reason: versionMoves.reason },
          campaign: campaigns.status,
        })
        .from(enrollments)
        .leftJoin(campaigns, eq(campaigns.id, enrollments.campaignId))
        .leftJoin(versionMoves, eq(versionMoves.versionId, enrollments.versionId))
        .where(eq(enrollments.id, input.enrollmentId)),
      tx.select(columns).from(messages).where(eq(messages.enrollmentId, input.enrollmentId)),
    ]);
    if (known === undefined) return null;
    const move: VersionMove | null = known.campaign === 'ENDED' ? { to: null, reason: 'campaign_ended' } : known.move;
    if (move === null || known.enrollment.endedAt !== null) return answer(tx, deps, { enrollment: known.enrollment, ledger }, input.version);
    return follow(tx, deps, input, move);
  });
}

async function follow(tx: Tx, deps: CurrentDeps, { enrollmentId, version }: { enrollmentId: string; version?: number }, move: VersionMove) {
  const locked = await lockStep(tx, enrollmentId, '');
  if (locked === null) return null;
  const { enrollment } = locked;
  if (move.reason !== null && (await endEnrollment(tx, enrollment, move.reason))) {
    addToStory(tx, enrollment, 'stopped', { reason: move.reason });
    return answer(tx, deps, (await lockStep(tx, enrollmentId, '')) ?? locked, version);
  }
  const moved = await followMove(tx, deps.versions, locked, move, deps.clock.nowMs());
  return answer(tx, deps, moved?.locked ?? locked, version);
}

async function answer(
  tx: Tx,
  { versions }: CurrentDeps,
  { enrollment, ledger }: { enrollment: EnrollmentRow; ledger: LedgerRow[] },
  known: number | undefined,
): Promise<CurrentProgress> {
  const current = { progress: readProgress(enrollment, ledger), ended: endOf(enrollment) };
  const version = await versions.load(tx, enrollment.versionId);
  if (known === undefined || known === version.version) return current;
  return { ...current, plan: compilePlan(version.definition, version.version, enrollment.timeScale) };
}
