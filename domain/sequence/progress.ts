import { backoffMs } from './backoff.ts';
import type { EpochMs, Progress, Snooze, StepId, StopReason } from './plan.ts';

/** The enrollment's own record of its progress. Times in epoch milliseconds. */
export interface EnrollmentRecord {
  /** What delays count from: the subject's last activity. */
  anchorAt: EpochMs;
  activatedAt: EpochMs | null;
  /** To when steps were put off. */
  notBefore: Record<StepId, EpochMs>;
  held: Progress['held'];
  stopped: StopReason | null;
  timeScale: number;
  /** In order of time; absent: none. */
  snoozes?: readonly Snooze[];
  /** When somebody asked by hand for a step to be due at once; absent: nobody has. */
  dueNow?: Readonly<Record<StepId, EpochMs>>;
}

/** A message of the send ledger, as far as progress is concerned (docs/fence.md). Times in epoch milliseconds. */
export interface LedgerRecord {
  stepId: StepId;
  state: 'claimed' | 'sent' | 'skipped' | 'unknown' | 'failed';
  /** Sends that certainly failed: refusals and outages. */
  failures: number;
  refusedForGood: boolean;
  claimedAt: EpochMs | null;
  settledAt: EpochMs | null;
  createdAt: EpochMs;
  /** Why it was left out. Absent: as null. */
  skipReason?: string | null;
  /** What counts: not what a scanner did. Absent: as null. */
  openedAt?: EpochMs | null;
  clickedAt?: EpochMs | null;
}

/** The record of a new enrollment. */
export function newEnrollment(anchorAt: EpochMs, timeScale: number): EnrollmentRecord {
  return { anchorAt, activatedAt: null, notBefore: {}, held: null, stopped: null, timeScale };
}

/**
 * Where an enrollment stands, derived from its record and the send ledger: there is no second copy that could disagree. A call in flight
 * settles nothing; `unknown` counts as sent; a step that failed waits for its back-off, unless its address was refused for good: then another
 * address or channel is tried at once, or the step is skipped.
 * Source: docs/rules.md#rule-8, docs/fence.md
 */
export function progressOf(enrollment: EnrollmentRecord, ledger: readonly LedgerRecord[]): Progress {
  const progress: Progress = {
    anchorMs: enrollment.anchorAt,
    activatedAtMs: enrollment.activatedAt,
    settled: {},
    notBeforeMs: { ...enrollment.notBefore },
    held: enrollment.held,
    stopped: enrollment.stopped,
  };
  if (enrollment.snoozes !== undefined && enrollment.snoozes.length > 0) progress.snoozes = enrollment.snoozes;
  if (enrollment.dueNow !== undefined && Object.keys(enrollment.dueNow).length > 0) progress.dueNow = enrollment.dueNow;
  for (const row of ledger) {
    const atMs = row.settledAt ?? row.claimedAt ?? row.createdAt;
    if (row.openedAt != null) progress.opened = { ...progress.opened, [row.stepId]: row.openedAt };
    if (row.clickedAt != null) progress.clicked = { ...progress.clicked, [row.stepId]: row.clickedAt };
    if (row.state === 'skipped' && row.skipReason === 'too_old') progress.settled[row.stepId] = { outcome: 'skipped', atMs, tooOld: true };
    else if (row.state === 'sent' || row.state === 'skipped') progress.settled[row.stepId] = { outcome: row.state, atMs };
    else if (row.state === 'unknown') progress.settled[row.stepId] = { outcome: 'unknown', atMs: row.claimedAt ?? atMs };
    else if (row.state === 'failed' && row.failures > 0 && !row.refusedForGood) {
      const retryAtMs = atMs + backoffMs(row.failures, enrollment.timeScale);
      progress.notBeforeMs[row.stepId] = Math.max(progress.notBeforeMs[row.stepId] ?? 0, retryAtMs);
    }
  }
  return progress;
}
