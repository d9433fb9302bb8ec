/** A share and how sure we can be of it, each from 0 to 1. */
export interface Interval {
  low: number;
  high: number;
}

/** Two-sided 95 %. */
const z = 1.959_963_984_540_054;

/**
 * The 95 % interval of a share by Wilson's score: honest also for a handful of cases, where the plain formula claims certainty.
 * @returns null without cases: nothing is known
 * Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927
 */
export function wilsonInterval(successes: number, cases: number): Interval | null {
  if (cases === 0) return null;
  const share = successes / cases;
  const square = z * z;
  const centre = share + square / (2 * cases);
  const reach = z * Math.sqrt((share * (1 - share) + square / (4 * cases)) / cases);
  const scale = 1 + square / cases;
  return { low: Math.max(0, (centre - reach) / scale), high: Math.min(1, (centre + reach) / scale) };
}
