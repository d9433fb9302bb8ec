import { chiSquaredP } from './incomplete-gamma.ts';
import type { Cases, Interval } from './interval.ts';
import { normalQuantile, twoSidedP, z95 } from './normal.ts';

/**
 * The 95 % interval of a share by Wilson's score: honest also for a handful of cases, where the plain formula claims certainty.
 * @returns null without cases: nothing is known
 * Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927
 */
export function wilsonInterval(successes: number, cases: number): Interval | null {
  if (cases === 0) return null;
  const share = successes / cases;
  const square = z95 * z95;
  const centre = share + square / (2 * cases);
  const reach = z95 * Math.sqrt((share * (1 - share) + square / (4 * cases)) / cases);
  const scale = 1 + square / cases;
  return { low: Math.max(0, (centre - reach) / scale), high: Math.min(1, (centre + reach) / scale) };
}

/**
 * The 95 % interval of p_b − p_a, from Wilson's intervals of both.
 * @returns null where an arm has nobody
 * Source: R. G. Newcombe, Interval estimation for the difference between independent proportions, 1998, method 10
 */
export function differenceInterval(a: Cases, b: Cases): Interval | null {
  const [ofA, ofB] = [wilsonInterval(a.converted, a.people), wilsonInterval(b.converted, b.people)];
  if (ofA === null || ofB === null) return null;
  const [rateA, rateB] = [a.converted / a.people, b.converted / b.people];
  const difference = rateB - rateA;
  return { low: difference - Math.hypot(rateB - ofB.low, ofA.high - rateA), high: difference + Math.hypot(ofB.high - rateB, rateA - ofA.low) };
}

/** p_b ÷ p_a − 1 with its 95 % interval. */
export interface Lift {
  lift: number;
  interval: Interval;
}

/**
 * The relative lift of the second rate over the first. Its interval is symmetric on the logarithm of the ratio: it never goes below −100 %, and both directions of the
 * comparison say the same. It is right for one look that was planned beforehand.
 * @returns null where an arm has no conversion: the ratio has no bound then
 * Source: Katz, Baptista, Azen and Pike, Obtaining confidence intervals for the risk ratio, 1978; docs/adr/0092-relative-lift.md
 */
export function relativeLift(a: Cases, b: Cases): Lift | null {
  if (a.converted === 0 || b.converted === 0) return null;
  const ratio = b.converted / b.people / (a.converted / a.people);
  const reach = z95 * Math.sqrt(1 / a.converted - 1 / a.people + 1 / b.converted - 1 / b.people);
  return { lift: ratio - 1, interval: { low: ratio * Math.exp(-reach) - 1, high: ratio * Math.exp(reach) - 1 } };
}

/** How large an experiment has to be, two-sided at 95 %. */
export interface Plan {
  /** The rates to tell apart: of the smaller arm, where there is one, and of the other. */
  from: number;
  to: number;
  /** The chance to find the difference; 0.8 is usual. */
  power: number;
}

/**
 * How many people each of two equal arms needs for the pooled z test. Not rounded.
 * Source: Fleiss, Levin and Paik, Statistical methods for rates and proportions, 2003, 4.14
 */
export function peoplePerArm({ from, to, power }: Plan): number {
  const pooled = (from + to) / 2;
  const both = from * (1 - from) + to * (1 - to);
  return ((z95 * Math.sqrt(2 * pooled * (1 - pooled)) + normalQuantile(power) * Math.sqrt(both)) / (to - from)) ** 2;
}

/**
 * How many people an experiment needs in all, where `share` of them are in the arm with the rate `from` (a holdout). Rounded up.
 * Source: the same without pooling; exact enough for unequal arms
 */
export function peopleInAll({ from, to, power }: Plan, share: number): number {
  const variance = (from * (1 - from)) / share + (to * (1 - to)) / (1 - share);
  return Math.ceil(((z95 + normalQuantile(power)) ** 2 * variance) / (to - from) ** 2);
}

/** Pearson's χ² of conversions in several arms. */
export function homogeneity(arms: readonly Cases[]): { chiSquared: number; p: number } | null {
  const people = arms.reduce((sum, arm) => sum + arm.people, 0);
  const rate = arms.reduce((sum, arm) => sum + arm.converted, 0) / people;
  if (arms.length < 2 || !(rate > 0 && rate < 1)) return null;
  const chiSquared = arms.reduce((sum, arm) => sum + (arm.converted - arm.people * rate) ** 2 / (arm.people * rate * (1 - rate)), 0);
  return { chiSquared, p: chiSquaredP(chiSquared, arms.length - 1) };
}

/**
 * Whether a rate rises or falls with something that the arms have more and more of, such as a delay.
 * @param scores - of that, one for each arm
 * Source: Armitage, Tests for linear trends in proportions and frequencies, 1955
 */
export function trend(arms: readonly Cases[], scores: readonly number[]): { z: number; p: number } | null {
  const people = arms.reduce((sum, arm) => sum + arm.people, 0);
  const rate = arms.reduce((sum, arm) => sum + arm.converted, 0) / people;
  const mean = arms.reduce((sum, arm, index) => sum + arm.people * (scores[index] ?? 0), 0) / people;
  const spread = arms.reduce((sum, arm, index) => sum + arm.people * ((scores[index] ?? 0) - mean) ** 2, 0);
  if (!(rate > 0 && rate < 1) || !(spread > 0)) return null;
  const along = arms.reduce((sum, arm, index) => sum + (arm.converted - arm.people * rate) * ((scores[index] ?? 0) - mean), 0);
  const z = along / Math.sqrt(rate * (1 - rate) * spread);
  return { z, p: twoSidedP(z) };
}
