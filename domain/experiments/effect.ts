import type { Cases, Interval } from '../statistics/interval.ts';
import { type MeanDifference, type Moments, relativeLiftOfMeans, welch } from '../statistics/means.ts';
import { differenceInterval, type Lift, peopleInAll, relativeLift } from '../statistics/proportions.ts';

/** In each arm, before an effect is stated: people, and of them who converted and who did not. */
const fewestPeople = 50;
const fewestOfEither = 10;
/** The lift that has to be found, where it is said how many people that takes. */
const liftToFind = 0.2;
const usualPower = 0.8;

/** What an arm lacks before an effect is stated. */
export interface Missing {
  people: number;
  conversions: number;
}

/** What the messages caused: those who were to get them beside those who were held out, whatever became of either. */
export interface Effect {
  /** `not_enough`: an arm lacks people or conversions; its intervals are shown all the same, and nothing is claimed. `unsound`: the arms hold not as many people as they should. */
  state: 'enough' | 'not_enough' | 'unsound';
  missing: { treated: Missing; holdout: Missing };
  /** In both arms together, to find a lift of 20 % with a chance of 80 %; null: nobody held out has converted. */
  peopleToFindLift: number | null;
  /** In shares of people. */
  difference: { value: number; interval: Interval } | null;
  lift: Lift | null;
  /** Conversions that would not have come: the difference times the people treated. */
  conversions: { value: number; interval: Interval } | null;
}

/** @param isSound - whether the sample-ratio check passed. Source: docs/rules.md#rule-104 */
export function effectOf(treated: Cases, holdout: Cases, isSound: boolean): Effect {
  const [ofTreated, ofHoldout] = [missingOf(treated), missingOf(holdout)];
  const lacks = [ofTreated, ofHoldout].some(({ people, conversions }) => people > 0 || conversions > 0);
  const interval = differenceInterval(holdout, treated);
  const value = interval === null ? 0 : treated.converted / treated.people - holdout.converted / holdout.people;
  const usual = holdout.people === 0 ? 0 : holdout.converted / holdout.people;
  const share = holdout.people / (holdout.people + treated.people);
  const to = usual * (1 + liftToFind);
  return {
    state: isSound ? (lacks ? 'not_enough' : 'enough') : 'unsound',
    missing: { treated: ofTreated, holdout: ofHoldout },
    peopleToFindLift: usual > 0 && to < 1 && share < 1 ? peopleInAll({ from: usual, to, power: usualPower }, share) : null,
    difference: interval === null ? null : { value, interval },
    lift: relativeLift(holdout, treated),
    conversions: interval === null ? null : { value: value * treated.people, interval: times(interval, treated.people) },
  };
}

function missingOf({ people, converted }: Cases): Missing {
  const others = people - converted;
  return { people: Math.max(0, fewestPeople - people, fewestOfEither - others), conversions: Math.max(0, fewestOfEither - converted) };
}

const times = ({ low, high }: Interval, by: number): Interval => ({ low: low * by, high: high * by });

/** What the messages brought in one currency, with those who bought nothing counted as 0. */
export interface RevenueEffect {
  perPerson: MeanDifference;
  lift: { lift: number; interval: Interval } | null;
  /** The difference times the people treated. */
  total: { value: number; interval: Interval };
}

/** @returns null where nobody’s amount differs, or an arm has fewer than two people */
export function revenueEffectOf(treated: Moments, holdout: Moments): RevenueEffect | null {
  if (Math.min(treated.n, holdout.n) < 2) return null;
  const perPerson = welch(holdout, treated);
  if (perPerson === null) return null;
  return {
    perPerson,
    lift: relativeLiftOfMeans(holdout, treated),
    total: { value: perPerson.difference * treated.n, interval: times(perPerson.interval, treated.n) },
  };
}
