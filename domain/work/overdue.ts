import type { EpochMs } from '../sequence/plan.ts';

/** What is done about a task that nobody does. */
export interface OverduePolicy {
  /** Minutes after which its owner is reminded, each once. */
  remindMinutes: readonly number[];
  /** Minutes after which it goes to the next one; null: it stays. */
  passOnMinutes: number | null;
}

export interface OverdueFacts {
  dueMs: EpochMs;
  /** When its present owner was notified of the assignment. */
  givenMs: EpochMs;
  /** Its owner has accepted it, so it is not reassigned. */
  isAccepted: boolean;
  /** Steps that were made since it was due or given. */
  made: number;
}

export interface OverdueMove {
  does: 'remind' | 'pass_on' | null;
  /** Steps that are made with this one. Several that are late at once are one. */
  made: number;
  /** When there is something to do again; null: never. */
  nextMs: EpochMs | null;
}

/**
 * What is done now about an open task. Minutes count from its time, or from when its owner got it where that is later: whoever gets a late task has as long
 * as the one before, and what just told them is no reminder.
 * Source: docs/rules.md#rule-119
 */
export function nextOverdueMove({ dueMs, givenMs, isAccepted, made }: OverdueFacts, policy: OverduePolicy, nowMs: EpochMs): OverdueMove {
  const fromMs = Math.max(dueMs, givenMs);
  const at = (minutes: number) => fromMs + minutes * 60_000;
  const passOnMs = policy.passOnMinutes === null || isAccepted ? null : at(policy.passOnMinutes);
  const reminders = policy.remindMinutes
    .map(at)
    .toSorted((a, b) => a - b)
    .filter((ms) => ms > givenMs && (passOnMs === null || ms < passOnMs));
  if (passOnMs !== null && passOnMs <= nowMs) return { does: 'pass_on', made, nextMs: null };
  const due = reminders.filter((ms) => ms <= nowMs).length;
  const nextMs = reminders[due] ?? passOnMs;
  return due > made ? { does: 'remind', made: due, nextMs } : { does: null, made, nextMs };
}
