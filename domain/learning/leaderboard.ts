import type { Cases, Interval } from '../statistics/interval.ts';
import { wilsonInterval } from '../statistics/proportions.ts';
import { lowerBound, sharedPrior, type SharedPrior, shrunk } from '../statistics/shrinkage.ts';

export interface Entrant extends Cases {
  key: string;
  name: string;
}

export interface Placed extends Entrant {
  /** Counted from 1. */
  place: number;
  rate: number;
  interval: Interval | null;
  /** Drawn towards what all of them have in common, the more the fewer people it has. */
  shrunkRate: number;
  /** What the rate is at least, with 95 %: they stand in its order. */
  atLeast: number;
}

/** By the lower 5 % bound, so that a small sample does not lead by luck. Without people there is no place. Source: docs/rules.md#rule-116 */
export function leaderboard(entrants: readonly Entrant[]): Placed[] {
  const among = entrants.filter(({ people }) => people > 0);
  // Where nobody or everybody converted nothing is shared: each stands for itself, before a rate of which nothing is known.
  const prior: SharedPrior = sharedPrior(among) ?? { mean: 0.5, strength: 2 };
  return among
    .map((one) => ({
      ...one,
      rate: one.converted / one.people,
      interval: wilsonInterval(one.converted, one.people),
      shrunkRate: shrunk(one, prior.mean, prior.strength),
      atLeast: lowerBound(one, prior),
    }))
    .toSorted((a, b) => b.atLeast - a.atLeast || b.people - a.people || a.key.localeCompare(b.key))
    .map((one, index) => ({ ...one, place: index + 1 }));
}
