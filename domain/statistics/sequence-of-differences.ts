import type { Interval } from './interval.ts';
import type { Moments } from './means.ts';
import { sequenceReach, tuning } from './sequential.ts';

/** At so many people in both arms together the sequence is narrowest. Fixed beforehand. */
const narrowestAt = 5_000;

/**
 * The interval of a difference of means, second less first, that holds at every look together, once there are some hundred people in each arm: for revenue, which no e-process of counts
 * can judge.
 * @returns null where nothing varies
 * Source: docs/rules.md#rule-104; Waudby-Smith et al., 2024, equation 9
 */
export function differenceSequence(a: Moments, b: Moments, alpha = 0.05): { difference: number; interval: Interval } | null {
  const variance = a.variance / a.n + b.variance / b.n;
  if (!(variance > 0)) return null;
  const people = a.n + b.n;
  const reach = sequenceReach(Math.sqrt(variance * people), people, tuning(narrowestAt, alpha), alpha);
  const difference = b.mean - a.mean;
  return { difference, interval: { low: difference - reach, high: difference + reach } };
}
