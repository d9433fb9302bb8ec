import type { Cases, Interval } from '../statistics/interval.ts';
import type { Moments } from '../statistics/means.ts';
import { differenceInterval, type Lift, relativeLift } from '../statistics/proportions.ts';
import { differenceSequence } from '../statistics/sequence-of-differences.ts';

/** One arm of an experiment beside its first one. */
export interface Comparison {
  id: string;
  against: string;
  /** In shares of people; its interval is for one look that was planned beforehand. */
  difference: { value: number; interval: Interval } | null;
  lift: Lift | null;
  /** The difference lies within it at every look and for all arms together, with 95 %; null: nothing varies yet. */
  alwaysWithin: Interval | null;
  /** The difference is no larger than this, either way, for certain; null: nothing varies yet. */
  atMost: number | null;
}

/** @param arms - the first one is what the others are compared with. Source: docs/rules.md#rule-105 */
export function compareArms(arms: readonly (Cases & { id: string })[]): Comparison[] {
  const [first, ...others] = arms;
  if (first === undefined) return [];
  return others.map((arm) => {
    const interval = differenceInterval(first, arm);
    const sequence = Math.min(first.people, arm.people) < 2 ? null : differenceSequence(momentsOf(first), momentsOf(arm), 0.05 / others.length);
    return {
      ...{ id: arm.id, against: first.id },
      difference: interval === null ? null : { value: arm.converted / arm.people - first.converted / first.people, interval },
      lift: relativeLift(first, arm),
      alwaysWithin: sequence?.interval ?? null,
      atMost: sequence === null ? null : Math.max(Math.abs(sequence.interval.low), Math.abs(sequence.interval.high)),
    };
  });
}

const momentsOf = ({ people, converted }: Cases) => momentsOfShare({ people, cases: converted });

/** Of people to whom something happened, 1, or did not, 0. @param people - two at least */
export function momentsOfShare({ people, cases }: { people: number; cases: number }): Moments {
  const mean = cases / people;
  return { n: people, mean, variance: (mean * (1 - mean) * people) / (people - 1) };
}
