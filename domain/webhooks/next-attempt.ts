import type { EpochMs } from '../sequence/plan.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/**
 * How long after each attempt the next one comes: ten attempts in a little more than three days.
 * Source: the schedule that the Standard Webhooks specification recommends.
 */
export const pausesMs: readonly number[] = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
export const mostAttempts = pausesMs.length + 1;

/** A receiver may ask for a longer pause, up to this. */
export const longestRetryAfterMs = 24 * hour;
/** A pause is up to this share longer, so that what failed together does not come back together. */
const jitter = 0.2;
/** An endpoint that has taken nothing for this long, whatever it was sent, is disabled. */
const disabledAfterMs = 5 * 24 * hour;
/** Attempts whose outcome nobody recorded, because the worker ended while it made them, before the delivery is given up. */
export const mostLost = 20;

/** What came of an attempt. */
export type AttemptOutcome =
  | { kind: 'answered'; status: number; retryAfterMs: number | null }
  /** No answer: it could not be connected to, took too long, or the connection was lost. */
  | { kind: 'unanswered' };

export type NextAttempt =
  | { kind: 'delivered' }
  | { kind: 'retry'; atMs: EpochMs }
  /** No attempt is left: it is redelivered when somebody asks for it. */
  | { kind: 'given_up' }
  /** 410: the receiver wants nothing of this endpoint any more. The delivery is held. */
  | { kind: 'gone' };

/** Whether the receiver has taken it: any 2xx. A redirect is not followed, and counts as a failure. */
const isTaken = (outcome: AttemptOutcome): boolean => outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300;

/**
 * What follows an attempt. Pure.
 * @param attempts - how many of this delivery have been made, with this one: 1 to `mostAttempts`
 * @param random - from 0 to 1
 * @param nowMs - when the outcome was known
 */
export function nextAttempt(outcome: AttemptOutcome, { attempts, random, nowMs }: { attempts: number; random: number; nowMs: EpochMs }): NextAttempt {
  if (isTaken(outcome)) return { kind: 'delivered' };
  if (outcome.kind === 'answered' && outcome.status === 410) return { kind: 'gone' };
  const pauseMs = pausesMs[attempts - 1];
  if (pauseMs === undefined) return { kind: 'given_up' };
  const asked = outcome.kind === 'answered' ? Math.min(outcome.retryAfterMs ?? 0, longestRetryAfterMs) : 0;
  return { kind: 'retry', atMs: nowMs + Math.round(Math.max(pauseMs, asked) * (1 + jitter * random)) };
}

/** Whether an endpoint that has just failed is disabled. @param failingSinceMs - its first failure after the last delivery that it took */
export const isGivenUp = (failingSinceMs: EpochMs, nowMs: EpochMs): boolean => nowMs - failingSinceMs >= disabledAfterMs;

/**
 * What `Retry-After` asks for, in milliseconds from now.
 * @param value - seconds, or a date as HTTP writes it; null: the header is missing
 * @returns null where it says nothing that can be read
 */
export function retryAfterMsOf(value: string | null, nowMs: EpochMs): number | null {
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * second;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
