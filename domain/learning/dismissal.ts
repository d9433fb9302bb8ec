import type { Interval } from '../statistics/interval.ts';

/** What a suggestion rested on when somebody dismissed it. */
export interface DismissedEvidence {
  n: number;
  rate: number;
  interval: Interval;
  because: string;
}

/**
 * Whether a dismissed suggestion may be made again: it rests on something else now, as many people again have been there, or the rate has left the interval that was
 * stated then. The same figures a day later are not asked about twice.
 * Source: docs/rules.md#rule-132
 */
export function isNewEvidence(then: DismissedEvidence, now: DismissedEvidence): boolean {
  return now.because !== then.because || now.n >= 2 * then.n || now.rate < then.interval.low || now.rate > then.interval.high;
}
