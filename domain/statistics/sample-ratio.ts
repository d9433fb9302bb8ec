import { logGamma } from './log-gamma.ts';

/** How well the arms of an experiment hold as many people as they should. */
export interface SampleRatio {
  /** Pearson's χ² of the counts against the shares. */
  chiSquared: number;
  /** How likely so large a deviation is by chance. */
  p: number;
  /** So unlikely that the assignment, or what is counted, is at fault: no result of the experiment may be believed. */
  mismatch: boolean;
}

/** Below this, chance is no explanation. One in a thousand sound experiments is suspected wrongly. */
const mismatchBelow = 0.001;

/**
 * The sample-ratio check, made before any result is looked at.
 * @param expected - how many people each arm should hold, in the same order
 * @returns null where there is nothing to compare: fewer than two arms that should hold anybody
 */
export function sampleRatio(counts: readonly number[], expected: readonly number[]): SampleRatio | null {
  const arms = counts.map((count, index) => ({ count, expected: expected[index] ?? 0 })).filter((arm) => arm.expected > 0);
  if (arms.length < 2) return null;
  const chiSquared = arms.reduce((sum, arm) => sum + (arm.count - arm.expected) ** 2 / arm.expected, 0);
  const p = upperTail(chiSquared, arms.length - 1);
  return { chiSquared, p, mismatch: p < mismatchBelow };
}

/** The probability that χ² with so many degrees of freedom is larger: the regularised upper incomplete gamma function Q(df/2, x/2). */
function upperTail(chiSquared: number, degrees: number): number {
  const [a, x] = [degrees / 2, chiSquared / 2];
  if (x <= 0) return 1;
  return x < a + 1 ? 1 - lowerSeries(a, x) : upperFraction(a, x);
}

/** P(a, x) by its series, which converges quickly below a + 1. */
function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < 1_000 && Math.abs(term) > Math.abs(sum) * Number.EPSILON; n += 1) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * scaleOf(a, x);
}

/** Q(a, x) by its continued fraction (Lentz), which converges quickly above a + 1. */
function upperFraction(a: number, x: number): number {
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < 1_000; n += 1) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / nonZero(an * d + b, tiny);
    c = nonZero(b + an / c, tiny);
    const factor = d * c;
    fraction *= factor;
    if (Math.abs(factor - 1) < Number.EPSILON) break;
  }
  return fraction * scaleOf(a, x);
}

const nonZero = (value: number, tiny: number) => (Math.abs(value) < tiny ? tiny : value);
const scaleOf = (a: number, x: number) => Math.exp(-x + a * Math.log(x) - logGamma(a));
