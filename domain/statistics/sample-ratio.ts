import { chiSquaredP } from './incomplete-gamma.ts';

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
  const p = chiSquaredP(chiSquared, arms.length - 1);
  return { chiSquared, p, mismatch: p < mismatchBelow };
}
