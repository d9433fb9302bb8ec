import type { enrollments, messages } from '../../db/schema/index.ts';
import type { Progress, StopReason } from '../../domain/sequence/plan.ts';
import { type LedgerRecord, progressOf } from '../../domain/sequence/progress.ts';

export type EnrollmentRow = typeof enrollments.$inferSelect;
export type MessageRow = typeof messages.$inferSelect;
/** A row of the ledger without the pinned call. */
export type LedgerRow = Omit<MessageRow, 'payload'>;
/** Where a stored enrollment stands. */
export function readProgress(enrollment: EnrollmentRow, ledger: readonly LedgerRecord[]): Progress {
  return progressOf({ ...enrollment, stopped: stoppedAs(enrollment) }, ledger);
}

function stoppedAs(enrollment: EnrollmentRow): StopReason | null {
  if (enrollment.endedAt === null || enrollment.status === 'COMPLETED') return null;
  return enrollment.stopReason ?? 'manual';
}
