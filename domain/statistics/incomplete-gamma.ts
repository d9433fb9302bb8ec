import { logGamma } from './log-gamma.ts';

/** The regularised lower incomplete gamma function P(a, x). Source: Abramowitz and Stegun, 6.5.29 and 6.5.31 */
export function lowerGamma(a: number, x: number): number {
  if (x <= 0) return 0;
  return x < a + 1 ? lowerSeries(a, x) : 1 - upperFraction(a, x);
}

/** The regularised upper incomplete gamma function Q(a, x). Small values keep their digits. */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  return x < a + 1 ? 1 - lowerSeries(a, x) : upperFraction(a, x);
}

/** How likely χ² with so many degrees of freedom is larger. */
export const chiSquaredP = (chiSquared: number, degrees: number): number => upperGamma(degrees / 2, chiSquared / 2);

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
