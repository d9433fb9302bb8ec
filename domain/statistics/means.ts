import type { Interval } from './interval.ts';
import { z95 } from './normal.ts';
import { studentBound, studentP } from './student.ts';

/** What is kept of the amounts of an arm: they are not needed one by one. */
export interface Moments {
  n: number;
  mean: number;
  /** With n − 1. */
  variance: number;
}

/** @returns null for fewer than two values */
export function momentsOf(values: readonly number[]): Moments | null {
  const n = values.length;
  if (n < 2) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  return { n, mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1) };
}

/** A difference of two means, second less first, with its 95 % interval. */
export interface MeanDifference {
  difference: number;
  error: number;
  degrees: number;
  t: number;
  p: number;
  interval: Interval;
}

/**
 * Two means whose variances differ.
 * @returns null where neither varies: there is nothing to judge by
 * Source: Welch, The generalization of Student's problem when several different population variances are involved, 1947
 */
export function welch(a: Moments, b: Moments): MeanDifference | null {
  const [ofA, ofB] = [a.variance / a.n, b.variance / b.n];
  const error = Math.sqrt(ofA + ofB);
  if (!(error > 0)) return null;
  const difference = b.mean - a.mean;
  const degrees = (ofA + ofB) ** 2 / (ofA ** 2 / (a.n - 1) + ofB ** 2 / (b.n - 1));
  const t = difference / error;
  const reach = error * studentBound(0.05, degrees);
  return { difference, error, degrees, t, p: studentP(t, degrees), interval: { low: difference - reach, high: difference + reach } };
}

/**
 * The relative lift of the second mean over the first, on the logarithm of the ratio.
 * @returns null where a mean is not above 0
 * Source: the delta method; docs/adr/0092-relative-lift.md
 */
export function relativeLiftOfMeans(a: Moments, b: Moments): { lift: number; interval: Interval } | null {
  if (!(a.mean > 0 && b.mean > 0)) return null;
  const ratio = b.mean / a.mean;
  const reach = z95 * Math.sqrt(a.variance / a.n / a.mean ** 2 + b.variance / b.n / b.mean ** 2);
  return { lift: ratio - 1, interval: { low: ratio * Math.exp(-reach) - 1, high: ratio * Math.exp(reach) - 1 } };
}

/**
 * The 95 % percentile interval of a difference of means, second less first, over resamples of both arms.
 * @param real - the next number 0 ≤ x < 1
 * Source: Efron, Bootstrap methods: another look at the jackknife, 1979
 */
export function bootstrapDifference(a: readonly number[], b: readonly number[], resamples: number, real: () => number): Interval {
  const meanOf = (values: readonly number[]) => {
    let sum = 0;
    for (let drawn = 0; drawn < values.length; drawn += 1) sum += values[Math.floor(real() * values.length)] ?? 0;
    return sum / values.length;
  };
  const differences = Float64Array.from({ length: resamples }, () => meanOf(b) - meanOf(a)).sort();
  const at = (share: number) => differences[Math.min(resamples - 1, Math.max(0, Math.round(share * (resamples - 1))))] ?? Number.NaN;
  return { low: at(0.025), high: at(0.975) };
}

/** One person of an experiment: what is measured, and what was known of it before. */
export interface WithBefore {
  value: number;
  before: number;
}

/**
 * The difference of means, less what differences from before explain of it. `before` must be from before the assignment: anything later may be an effect.
 * @returns null where nothing varies
 * Source: Deng, Xu, Kohavi and Walker, Improving the sensitivity of online controlled experiments by utilizing pre-experiment data, 2013
 */
export function cuped(a: readonly WithBefore[], b: readonly WithBefore[]): (MeanDifference & { theta: number }) | null {
  const all = [...a, ...b];
  const mean = (of: (one: WithBefore) => number) => all.reduce((sum, one) => sum + of(one), 0) / all.length;
  const [value, before] = [mean((one) => one.value), mean((one) => one.before)];
  const spread = all.reduce((sum, one) => sum + (one.before - before) ** 2, 0);
  if (!(spread > 0)) return null;
  const theta = all.reduce((sum, one) => sum + (one.before - before) * (one.value - value), 0) / spread;
  const adjusted = (arm: readonly WithBefore[]) => momentsOf(arm.map((one) => one.value - theta * (one.before - before)));
  const [ofA, ofB] = [adjusted(a), adjusted(b)];
  const found = ofA === null || ofB === null ? null : welch(ofA, ofB);
  return found === null ? null : { ...found, theta };
}
