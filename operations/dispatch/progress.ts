import type { enrollments, messages } from '../../db/schema/index.ts';
import type { Progress, StopReason } from '../../domain/sequence/plan.ts';
import { type LedgerRecord, progressOf } from '../../domain/sequence/progress.ts';

export type EnrollmentRow = typeof enrollments.$inferSelect;
export type MessageRow = typeof messages.$inferSelect;
/** A row of the ledger without the pinned call. */
export type LedgerRow = Omit<MessageRow, 'payload'>;

/** A row of the ledger before anything has happened to it: what backtests and shadows begin with. */
export const unsettledRow: LedgerRow = {
  tenantId: '',
  id: '',
  enrollmentId: '',
  stepId: '',
  contactId: '',
  state: 'skipped',
  claim: null,
  claimedAt: null,
  live: false,
  leaseMs: 0,
  deadLeaseMs: 0,
  inDoubt: false,
  doubtSince: null,
  connectionId: null,
  account: null,
  channel: null,
  variant: null,
  experimentId: null,
  language: null,
  scriptId: null,
  localSlot: null,
  hourBy: null,
  refusals: 0,
  failures: 0,
  refusedForGood: false,
  findFrom: null,
  response: null,
  providerMessageId: null,
  skipReason: null,
  dueAt: null,
  settledAt: null,
  openedAt: null,
  clickedAt: null,
  suspectedOpenAt: null,
  suspectedClickAt: null,
  createdAt: 0,
};

/** Where a stored enrollment stands. */
export function readProgress(enrollment: EnrollmentRow, ledger: readonly LedgerRecord[]): Progress {
  // Written out, not spread: this is the hot path of backtests.
  const { anchorAt, activatedAt, notBefore, held, timeScale, snoozes, dueNow } = enrollment;
  return progressOf({ anchorAt, activatedAt, notBefore, held, timeScale, snoozes, dueNow, stopped: stoppedAs(enrollment) }, ledger);
}

function stoppedAs(enrollment: EnrollmentRow): StopReason | null {
  if (enrollment.endedAt === null || enrollment.status === 'COMPLETED') return null;
  return enrollment.stopReason ?? 'manual';
}
