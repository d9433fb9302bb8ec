import type { enrollments, messages } from '../../db/schema/index.ts';
import { backoffMs } from '../../domain/sequence/backoff.ts';
import type { Progress, StopReason } from '../../domain/sequence/plan.ts';

export type EnrollmentRow = typeof enrollments.$inferSelect;
export type MessageRow = typeof messages.$inferSelect;
/** A row of the ledger without the pinned call. */
export type LedgerRow = Omit<MessageRow, 'payload'>;
/** What a message says about progress. */
type SettledRow = Pick<MessageRow, 'stepId' | 'state' | 'failures' | 'refusedForGood' | 'claimedAt' | 'settledAt' | 'createdAt'>;

/**
 * Where an enrollment stands, derived from its row and the send ledger: there is no second copy that could disagree. A call in flight
 * settles nothing; `unknown` counts as sent; a step that failed waits for its back-off, unless its address was refused for good: then another
 * address or channel is tried at once, or the step is skipped.
 */
export function readProgress(enrollment: EnrollmentRow, ledger: readonly SettledRow[]): Progress {
  const progress: Progress = {
    anchorMs: enrollment.anchorAt,
    activatedAtMs: enrollment.activatedAt,
    settled: {},
    notBeforeMs: { ...enrollment.notBefore },
    held: enrollment.held,
    stopped: stoppedAs(enrollment),
  };
  for (const row of ledger) {
    const atMs = row.settledAt ?? row.claimedAt ?? row.createdAt;
    if (row.state === 'sent' || row.state === 'skipped') progress.settled[row.stepId] = { outcome: row.state, atMs };
    else if (row.state === 'unknown') progress.settled[row.stepId] = { outcome: 'unknown', atMs: row.claimedAt ?? atMs };
    else if (row.state === 'failed' && row.failures > 0 && !row.refusedForGood) {
      const retryAtMs = atMs + backoffMs(row.failures, enrollment.timeScale);
      progress.notBeforeMs[row.stepId] = Math.max(progress.notBeforeMs[row.stepId] ?? 0, retryAtMs);
    }
  }
  return progress;
}

function stoppedAs(enrollment: EnrollmentRow): StopReason | null {
  if (enrollment.endedAt === null || enrollment.status === 'COMPLETED') return null;
  return enrollment.stopReason ?? 'manual';
}
