import { betaCdf, betaDensity } from './beta.ts';
import type { Cases } from './interval.ts';

/** Of the grid on which chances are added up. */
const cells = 4_000;

/** A rate before anything is seen: all are as likely. */
const posterior = ({ people, converted }: Cases) => ({ a: 1 + converted, b: 1 + people - converted });

/** The integral of a function over the rates that any of the arms may have. Simpson’s rule. */
function overRates(arms: readonly { a: number; b: number }[], of: (rate: number) => number): number {
  const bounds = arms.map(({ a, b }) => {
    const mean = a / (a + b);
    const reach = 12 * Math.sqrt((mean * (1 - mean)) / (a + b + 1));
    return { low: Math.max(0, mean - reach), high: Math.min(1, mean + reach) };
  });
  const low = Math.min(...bounds.map((bound) => bound.low));
  const width = (Math.max(...bounds.map((bound) => bound.high)) - low) / cells;
  let sum = 0;
  for (let cell = 0; cell <= cells; cell += 1) sum += (cell === 0 || cell === cells ? 1 : cell % 2 === 1 ? 4 : 2) * of(low + cell * width);
  return (sum * width) / 3;
}

/**
 * How likely each arm has the highest rate.
 * Source: Thompson, On the likelihood that one unknown probability exceeds another, 1933
 */
export function chancesToBeBest(arms: readonly Cases[]): number[] {
  const rates = arms.map(posterior);
  const chances = rates.map((rate, index) =>
    overRates(rates, (x) =>
      rates.reduce((product, other, at) => (at === index ? product : product * betaCdf(x, other.a, other.b)), betaDensity(x, rate.a, rate.b)),
    ),
  );
  const all = chances.reduce((sum, chance) => sum + chance, 0);
  return chances.map((chance) => chance / all);
}

/** How likely one rate is higher than another, each as a beta distribution. */
export function chanceHigher(one: { a: number; b: number }, than: { a: number; b: number }): number {
  return overRates([one, than], (x) => betaDensity(x, one.a, one.b) * betaCdf(x, than.a, than.b));
}

/** By how much, on average, a conversion rate is lower than it could be when `chosen` is taken and `other` might have been. */
export function expectedLoss(chosen: Cases, other: Cases): number {
  const [of, than] = [posterior(chosen), posterior(other)];
  return overRates([of, than], (x) => betaCdf(x, of.a, of.b) * (1 - betaCdf(x, than.a, than.b)));
}

/**
 * The shares by which a bandit assigns: as likely as each arm is the best, and never below a floor, so that every arm goes on to be known.
 * @param floor - 0 to 1 ÷ number of arms
 * Source: Russo, Van Roy, Kazerouni, Osband and Wen, A tutorial on Thompson sampling, 2018
 */
export function banditShares(arms: readonly Cases[], floor: number): number[] {
  const left = 1 - floor * arms.length;
  return chancesToBeBest(arms).map((chance) => floor + left * chance);
}
