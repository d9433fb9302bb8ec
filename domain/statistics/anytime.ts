import type { Cases } from './interval.ts';
import { logGamma } from './log-gamma.ts';

/**
 * How certain the shares of conversions are assumed to be beforehand: with 100, arms that convert about 20 % more or less than each other are what is looked
 * for. Fixed before anything is seen.
 */
const concentration = 100;

/**
 * ln E of an experiment in which everybody's arm was drawn with fixed shares: how much better the conversions fit arms that differ than arms that do not. It may
 * be looked at as often as anybody likes: arms that do not differ reach E ≥ 20 in fewer than one of twenty experiments, however long they run.
 * @param conversions - of each arm
 * @param shares - with which people were assigned to each arm, in the same order; they add up to 1
 * Source: Lindon & Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022
 */
export function logEvidence(conversions: readonly number[], shares: readonly number[]): number {
  const total = conversions.reduce((sum, count) => sum + count, 0);
  return conversions.reduce(
    (sum, count, arm) => {
      const share = shares[arm] ?? 0;
      const before = concentration * share;
      return sum + logGamma(before + count) - logGamma(before) - count * Math.log(share);
    },
    logGamma(concentration) - logGamma(concentration + total),
  );
}

/**
 * The z of two rates by their pooled rate. It is right for one look that was planned beforehand: who stops at the first |z| ≥ 1.96 finds differences that are none
 * in every third experiment.
 * @returns positive where the second rate is higher; null where nobody, or everybody, has converted
 */
export function pooledZ(a: Cases, b: Cases): number | null {
  const pooled = (a.converted + b.converted) / (a.people + b.people);
  const variance = pooled * (1 - pooled) * (1 / a.people + 1 / b.people);
  return variance > 0 && Number.isFinite(variance) ? (b.converted / b.people - a.converted / a.people) / Math.sqrt(variance) : null;
}
