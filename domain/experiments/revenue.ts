import type { Interval } from '../statistics/interval.ts';
import type { Moments } from '../statistics/means.ts';
import { differenceSequence } from '../statistics/sequence-of-differences.ts';

/** Net revenue of an arm’s people in one currency, minor units: of those whose window is over. */
export interface RevenueSums {
  currency: string;
  sum: number;
  /** Of each person’s sum, squared. */
  squares: number;
}

/** One arm beside the first, in one currency. */
export interface RevenueComparison {
  currency: string;
  /** Minor units per person, those who bought nothing counted as 0. */
  perPerson: { arm: number; against: number };
  /** The difference lies within it at every look and for all arms together, with 95 %, once there are some hundred people in each. */
  alwaysWithin: Interval;
}

/** A person’s revenue varies far more than whether they buy: below this an interval would claim more than is known. */
const fewestPeople = 100;

/**
 * What each arm brings beside the first, by a sequence of intervals that holds at every look. It names no winner: that is for conversions to say.
 * @param others - how many arms are compared with the first
 * @returns nothing for currencies in which nobody’s amount differs, or below 100 people in an arm
 * Source: docs/rules.md#rule-124; Waudby-Smith et al., 2024
 */
export function compareRevenue(
  first: { people: number; revenue: readonly RevenueSums[] },
  arm: { people: number; revenue: readonly RevenueSums[] },
  others: number,
): RevenueComparison[] {
  if (Math.min(first.people, arm.people) < fewestPeople) return [];
  const currencies = [...new Set([...first.revenue, ...arm.revenue].map(({ currency }) => currency))].toSorted();
  return currencies.flatMap((currency): RevenueComparison[] => {
    const [a, b] = [momentsIn(first, currency), momentsIn(arm, currency)];
    const sequence = differenceSequence(a, b, 0.05 / others);
    return sequence === null ? [] : [{ currency, perPerson: { arm: b.mean, against: a.mean }, alwaysWithin: sequence.interval }];
  });
}

function momentsIn({ people, revenue }: { people: number; revenue: readonly RevenueSums[] }, currency: string): Moments {
  const { sum, squares } = revenue.find((one) => one.currency === currency) ?? { sum: 0, squares: 0 };
  const mean = sum / people;
  return { n: people, mean, variance: Math.max(0, squares - people * mean * mean) / (people - 1) };
}
