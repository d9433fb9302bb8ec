import { betaCdf, betaQuantile } from './beta.ts';
import { grouped } from './grouped.ts';
import type { Cases } from './interval.ts';

/** How alike the rates of many small cells are, as a prior for each of them. */
export interface SharedPrior {
  mean: number;
  /** How many cases the mean counts for; infinite: nothing shows that the cells differ. */
  strength: number;
}

/**
 * Source: Kleinman, Proportions with extraneous variance, 1973
 * @returns null where nobody, or everybody, converted
 */
export function sharedPrior(cells: readonly Cases[]): SharedPrior | null {
  const among = cells.filter(({ people }) => people > 0);
  const people = among.reduce((sum, cell) => sum + cell.people, 0);
  const mean = among.reduce((sum, cell) => sum + cell.converted, 0) / people;
  if (!(mean > 0 && mean < 1)) return null;
  const binomial = mean * (1 - mean);
  const spread = among.reduce((sum, cell) => sum + cell.people * (cell.converted / cell.people - mean) ** 2, 0);
  const fewer = among.length - 1;
  const room = (people - among.reduce((sum, cell) => sum + cell.people ** 2, 0) / people - fewer) * binomial;
  const alike = room > 0 ? (spread - fewer * binomial) / room : 0;
  return { mean, strength: alike > 0 ? Math.max(0, 1 / alike - 1) : Number.POSITIVE_INFINITY };
}

/** A rate drawn towards what is expected of it, the more the fewer cases it rests on. */
export function shrunk({ people, converted }: Cases, mean: number, strength: number): number {
  return strength === Number.POSITIVE_INFINITY ? mean : (converted + mean * strength) / (people + strength);
}

/** The posterior of a rate as a beta distribution. */
const posterior = ({ people, converted }: Cases, mean: number, strength: number) => {
  // A strength without end would be a certainty that no data give.
  const weight = Math.min(strength, 1e6);
  return { a: converted + mean * weight, b: people - converted + (1 - mean) * weight };
};

/** What a rate is at least, with 95 %: leaderboards go by it, so that small samples cannot win by luck. */
export function lowerBound(cell: Cases, { mean, strength }: SharedPrior): number {
  const { a, b } = posterior(cell, mean, strength);
  return betaQuantile(0.05, a, b);
}

/** Sends in one hour of the local week. */
export interface WeekCell extends Cases {
  /** 0 to 6. */
  day: number;
  /** 0 to 23. */
  hour: number;
}

/** A cell of the map with what is believed of it. */
export interface ShrunkCell extends WeekCell {
  /** What day and hour, each by itself, would make it. */
  expected: number;
  rate: number;
  /** How likely it is better than the mean of all. */
  chanceBetter: number;
  /** The rate as a beta distribution, no surer than the sends of its hour on all days make it. */
  posterior: { a: number; b: number };
}

/**
 * The rates of an hourly week, each drawn towards what its day and its hour say by themselves. Of cells without any sends nothing is returned.
 * @returns null where nobody, or everybody, converted
 * Source: Efron and Morris, Data analysis using Stein’s estimator and its generalizations, 1975
 */
export function weekMap(cells: readonly WeekCell[]): ShrunkCell[] | null {
  const among = cells.filter(({ people }) => people > 0);
  const all = sharedPrior(among);
  if (all === null) return null;
  const effect = (keyOf: (cell: WeekCell) => number) => {
    const groups = [...grouped(among, keyOf)].map(([key, own]) => ({
      key,
      people: own.reduce((sum, { people }) => sum + people, 0),
      converted: own.reduce((sum, { converted }) => sum + converted, 0),
    }));
    const prior = sharedPrior(groups) ?? all;
    return new Map(groups.map((group) => [group.key, shrunk(group, prior.mean, prior.strength) - all.mean]));
  };
  const [days, hours] = [effect(({ day }) => day), effect(({ hour }) => hour)];
  const expectedOf = ({ day, hour }: WeekCell) => Math.min(1 - 1e-9, Math.max(1e-9, all.mean + (days.get(day) ?? 0) + (hours.get(hour) ?? 0)));
  const strength = strengthAround(among, expectedOf);
  const sendsAt = new Map([...grouped(among, ({ hour }) => hour)].map(([hour, own]) => [hour, own.reduce((sum, { people }) => sum + people, 0)]));
  return among.map((cell) => {
    const expected = expectedOf(cell);
    // What is expected rests on the other days of the hour: it weighs no more than they do.
    const weight = Math.min(strength, Math.max(1, (sendsAt.get(cell.hour) ?? 0) - cell.people));
    const beta = posterior(cell, expected, weight);
    return { ...cell, expected, rate: shrunk(cell, expected, strength), chanceBetter: 1 - betaCdf(all.mean, beta.a, beta.b), posterior: beta };
  });
}

/** How far cells stray from what is expected of each, as the number of cases that the expectation counts for. */
function strengthAround(cells: readonly WeekCell[], expectedOf: (cell: WeekCell) => number): number {
  let [spread, chance, room] = [0, 0, 0];
  for (const cell of cells) {
    const expected = expectedOf(cell);
    const binomial = expected * (1 - expected);
    spread += cell.people * (cell.converted / cell.people - expected) ** 2;
    chance += binomial;
    room += (cell.people - 1) * binomial;
  }
  const alike = room > 0 ? (spread - chance) / room : 0;
  return alike > 0 ? Math.max(0, 1 / alike - 1) : Number.POSITIVE_INFINITY;
}

/** How likely one person opens at each hour: what they did, drawn towards what everybody does. */
export function hoursOfPerson(hours: readonly { opens: number; sends: number; usual: number }[], strength: number): number[] {
  return hours.map(({ opens, sends, usual }) => shrunk({ people: sends, converted: opens }, usual, strength));
}
