import type { EpochMs } from '../sequence/plan.ts';

const minute = 60_000;
/** After each attempt that was certainly not taken. An escalation is due within an hour, so the first few come soon. */
const pausesMs: readonly number[] = [10_000, minute, 5 * minute, 15 * minute, 60 * minute, 4 * 60 * minute];
const longestRetryAfterMs = 24 * 60 * minute;

/** What came of handing a notification over. */
export type HandedOver =
  | { kind: 'accepted' }
  /** Certainly not taken. `hard`: it never will be. */
  | { kind: 'refused'; severity: 'hard' | 'soft'; retryAfterMs?: number | undefined }
  /** It may have been taken. `repeatable`: the receiver recognises a repeat. */
  | { kind: 'unknown'; repeatable: boolean };

export type NextNotification = { state: 'sent' } | { state: 'unknown' } | { state: 'parked' } | { state: 'waiting'; atMs: EpochMs };

/**
 * What follows an attempt. A notification that may have arrived is never sent again, except where the receiver recognises the repeat.
 * @param attempts - how many were made that were not taken, with this one
 */
export function nextNotification(outcome: HandedOver, attempts: number, nowMs: EpochMs): NextNotification {
  if (outcome.kind === 'accepted') return { state: 'sent' };
  if (outcome.kind === 'unknown' && !outcome.repeatable) return { state: 'unknown' };
  if (outcome.kind === 'refused' && outcome.severity === 'hard') return { state: 'parked' };
  const pauseMs = pausesMs[attempts - 1];
  // A receiver that never answers may have it all the same.
  if (pauseMs === undefined) return { state: outcome.kind === 'unknown' ? 'unknown' : 'parked' };
  const asked = outcome.kind === 'refused' ? Math.min(outcome.retryAfterMs ?? 0, longestRetryAfterMs) : 0;
  return { state: 'waiting', atMs: nowMs + Math.max(pauseMs, asked) };
}

const mostDoubtMs = 24 * 60 * minute;

/**
 * When a receiver is asked again that gave no answer: each time after twice as long, for a day.
 * @param sinceMs - from when on it was not known whether the notification had arrived
 * @returns null: not any more, and it stays unknown
 */
export function nextQuestionAt(sinceMs: EpochMs, nowMs: EpochMs): EpochMs | null {
  const ageMs = Math.max(0, nowMs - sinceMs);
  return ageMs >= mostDoubtMs ? null : nowMs + Math.max(minute, ageMs);
}
