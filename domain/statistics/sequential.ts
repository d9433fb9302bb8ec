import type { Cases } from './interval.ts';
import { normalCdf, normalDensity, normalQuantile } from './normal.ts';

/** What a test that may be looked at as often as anybody likes says of a difference. */
export interface AlwaysValid {
  /** How much better a difference fits than none; 20 or more: significant at 5 %. */
  likelihoodRatio: number;
  p: number;
  difference: number;
  /** The difference lies within this of the true one, at every look together, with 1 − alpha. */
  reach: number;
}

/**
 * The mixture sequential probability ratio test of two rates, the second less the first.
 * @param tau - the difference that is looked for, fixed beforehand
 * @returns null below 20 conversions in an arm: the normal approximation does not hold yet
 * Source: Johari, Koomen, Pekelis and Walsh, Always valid inference: continuous monitoring of A/B tests, 2022
 */
export function mixtureSprt(a: Cases, b: Cases, tau: number, alpha = 0.05): AlwaysValid | null {
  if (Math.min(a.converted, b.converted) < 20) return null;
  const [rateA, rateB] = [a.converted / a.people, b.converted / b.people];
  const v = (rateA * (1 - rateA)) / a.people + (rateB * (1 - rateB)) / b.people;
  const difference = rateB - rateA;
  const square = tau * tau;
  const likelihoodRatio = Math.sqrt(v / (v + square)) * Math.exp((square * difference * difference) / (2 * v * (v + square)));
  const reach = Math.sqrt(((2 * v * (v + square)) / square) * (Math.log(1 / alpha) + Math.log((v + square) / v) / 2));
  return { likelihoodRatio, p: Math.min(1, 1 / likelihoodRatio), difference, reach };
}

/** Where an asymptotic confidence sequence is narrowest: at `people` observations. */
export function tuning(people: number, alpha = 0.05): number {
  const log = -2 * Math.log(alpha);
  return Math.sqrt((log + Math.log(log + 1)) / people);
}

/**
 * Half the width of a confidence sequence of a mean: it holds at every look together, once there are enough observations for the normal approximation.
 * @param rho - of `tuning`
 * Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, 2024
 */
export function sequenceReach(deviation: number, people: number, rho: number, alpha = 0.05): number {
  const scaled = people * rho * rho + 1;
  return deviation * Math.sqrt(((2 * scaled) / (people * people * rho * rho)) * Math.log(Math.sqrt(scaled) / alpha));
}

/** Of the grid on which densities between two looks are carried on: finer changes no digit that is shown. */
const cells = 600;

/**
 * The |z| at which each of several planned looks, evenly spread, ends an experiment: hard at first, nearly the plain one at last.
 * Source: Lan and DeMets, Discrete sequential boundaries for clinical trials, 1983, with the spending function of O'Brien and Fleming; the integration of
 * Armitage, McPherson and Rowe, 1969
 */
export function obrienFlemingBounds(looks: number, alpha = 0.05): number[] {
  // Both sides spend half of alpha, each by the one-sided function.
  const spentBy = (share: number) => 4 * normalCdf(normalQuantile(alpha / 4) / Math.sqrt(share));
  const bounds: number[] = [];
  // The density of the sum of what came until now, in steps of variance 1, among those who go on.
  let grid: { at: number; weighted: number }[] = [{ at: 0, weighted: 1 }];
  for (let look = 1; look <= looks; look += 1) {
    const spend = spentBy(look / looks) - (look === 1 ? 0 : spentBy((look - 1) / looks));
    const beyond = (bound: number) => {
      const sum = bound * Math.sqrt(look);
      return grid.reduce((total, { at, weighted }) => total + weighted * (normalCdf(at - sum) + normalCdf(-at - sum)), 0);
    };
    let [low, high] = [0, 12];
    while (high - low > 1e-11) {
      const middle = (low + high) / 2;
      if (beyond(middle) > spend) low = middle;
      else high = middle;
    }
    bounds.push(high);
    if (look === looks) break;
    const edge = Math.min(high, 8) * Math.sqrt(look);
    const width = (2 * edge) / cells;
    const before = grid;
    grid = Array.from({ length: cells + 1 }, (_, cell) => {
      const at = -edge + cell * width;
      const simpson = (width / 3) * (cell === 0 || cell === cells ? 1 : cell % 2 === 1 ? 4 : 2);
      return { at, weighted: simpson * before.reduce((sum, one) => sum + one.weighted * normalDensity(at - one.at), 0) };
    });
  }
  return bounds;
}
