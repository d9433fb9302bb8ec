import type { EpochMs } from '../sequence/plan.ts';
import { accountFeatures } from './account-features.ts';
import type { Behaviour } from './behaviour.ts';
import type { BuyingModel } from './buy-till-you-die.ts';
import type { Example } from './example.ts';

const dayMs = 86_400_000;

/** What is predicted, as a store has chosen it. It is stated wherever a chance is shown. */
export interface Prediction {
  /** `no_answer`: they neither write nor take a call. */
  what: 'no_purchase' | 'no_answer';
  withinDays: number;
}

/** The prediction in words, to stand beside a chance. */
export function predictionInWords({ what, withinDays }: Prediction): string {
  return `${what === 'no_purchase' ? 'no purchase' : 'no answer'} within ${withinDays} days`;
}

/**
 * Whether what is predicted has come true.
 * @param knownUntilMs - until when everything that happened is known
 * @returns null while it is open: the days are not over, and nothing has happened yet
 */
export function outcomeOf(history: readonly Behaviour[], atMs: EpochMs, { what, withinDays }: Prediction, knownUntilMs: EpochMs): boolean | null {
  const endMs = atMs + withinDays * dayMs;
  const isSign = (one: Behaviour) =>
    what === 'no_purchase' ? one.kind === 'order' : one.kind === 'message' || (one.kind === 'call' && one.answered === true);
  if (history.some((one) => one.atMs > atMs && one.atMs <= Math.min(endMs, knownUntilMs) && isSign(one))) return false;
  return endMs <= knownUntilMs ? true : null;
}

/** Whether an account did anything in the days before: chances are for those who are active; who is silent already is ranked. */
export function isActive(history: readonly Behaviour[], atMs: EpochMs, withinDays: number = 90): boolean {
  return history.some((one) => one.atMs <= atMs && atMs - one.atMs < withinDays * dayMs && one.kind !== 'support');
}

/**
 * The examples that an account's history gives: it at the moments of the past whose outcome is known, a horizon apart so that no outcome counts twice.
 * Moments at which it was silent already are left out.
 */
export function examplesOf(
  history: readonly Behaviour[],
  prediction: Prediction,
  { knownUntilMs, sinceMs, buying = null }: { knownUntilMs: EpochMs; sinceMs: EpochMs; buying?: BuyingModel | null },
): Example[] {
  const stepMs = prediction.withinDays * dayMs;
  const firstMs = history.reduce((first, one) => Math.min(first, one.atMs), Number.POSITIVE_INFINITY);
  const examples: Example[] = [];
  for (let atMs = knownUntilMs - stepMs; atMs >= Math.max(firstMs, sinceMs); atMs -= stepMs) {
    const lost = isActive(history, atMs) ? outcomeOf(history, atMs, prediction, knownUntilMs) : null;
    if (lost !== null) examples.push({ atMs, features: accountFeatures(history, atMs, buying), lost });
  }
  return examples;
}
