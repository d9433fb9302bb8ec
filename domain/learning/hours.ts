import type { EpochMs } from '../sequence/plan.ts';
import type { Cases } from '../statistics/interval.ts';
import { type ShrunkCell, type WeekCell, weekMap } from '../statistics/shrinkage.ts';
import { chanceHigher } from '../statistics/thompson.ts';

/** The hour that messages of a channel prefer on one day of the week. */
export interface PreferredHour {
  /** 0 (Monday) to 6, on the person’s clock. */
  day: number;
  /** 0 to 23. */
  hour: number;
  movedAtMs: EpochMs;
}

/** What an hour of the week came to, and whether it is the preferred one of its day. */
export interface HourRule extends Omit<ShrunkCell, 'posterior'> {
  /** When it became the preferred one; null: it is not. */
  preferredAtMs: EpochMs | null;
}

const weekMs = 7 * 86_400_000;
const certainAbove = 0.9;
/** Of an hour on all days together, before it may be preferred: what fewer of them come to is chance. */
const fewestSends = 100;

/**
 * Which hour of each day is preferred from now on. One moves once in a week at most, and only where another is better with a chance above 90 %; the first one of a day
 * has to be better than the mean of the day in the same way.
 * @param cells - sends and conversions by local day and hour; an hour with fewer than a hundred sends is not preferred anew
 * @param preferred - as it was decided before
 * @returns one rule for each cell with sends; none where nobody, or everybody, converted. A preferred hour stays although nothing was sent at it.
 * Source: docs/rules.md#rule-117
 */
export function hourRules(cells: readonly WeekCell[], preferred: readonly PreferredHour[], nowMs: EpochMs): HourRule[] {
  const map = weekMap(cells);
  if (map === null) return preferred.map(kept);
  const days = new Set([...map.map(({ day }) => day), ...preferred.map(({ day }) => day)]);
  const sendsAt = (hour: number) => map.reduce((sum, cell) => sum + (cell.hour === hour ? cell.people : 0), 0);
  const known = new Set(map.map(({ hour }) => hour).filter((hour) => sendsAt(hour) >= fewestSends));
  const chosen = [...days].flatMap((day) =>
    nextHour(
      map.filter((cell) => cell.day === day),
      known,
      preferred.find((one) => one.day === day) ?? null,
      nowMs,
    ),
  );
  const rules = map.map(({ day, hour, people, converted, expected, rate, chanceBetter }): HourRule => {
    const slot = chosen.find((one) => one.day === day && one.hour === hour);
    return { day, hour, people, converted, expected, rate, chanceBetter, preferredAtMs: slot?.movedAtMs ?? null };
  });
  return [...rules, ...chosen.filter(({ day, hour }) => !map.some((cell) => cell.day === day && cell.hour === hour)).map(kept)];
}

const kept = ({ day, hour, movedAtMs }: PreferredHour): HourRule => ({
  ...{ day, hour, people: 0, converted: 0, expected: 0, rate: 0, chanceBetter: 0.5, preferredAtMs: movedAtMs },
});

function nextHour(ofDay: readonly ShrunkCell[], known: ReadonlySet<number>, now: PreferredHour | null, nowMs: EpochMs): PreferredHour[] {
  const stays = now === null ? [] : [now];
  if (now !== null && nowMs < now.movedAtMs + weekMs) return stays;
  const [best] = ofDay.filter(({ hour }) => known.has(hour)).toSorted((a, b) => b.rate - a.rate || a.hour - b.hour);
  if (best === undefined || best.hour === now?.hour) return stays;
  const converted = ofDay.reduce((sum, cell) => sum + cell.converted, 0);
  const people = ofDay.reduce((sum, cell) => sum + cell.people, 0);
  const current = now === null ? null : ofDay.find(({ hour }) => hour === now.hour);
  const against = current?.posterior ?? { a: 1 + converted, b: 1 + people - converted };
  return chanceHigher(best.posterior, against) > certainAbove ? [{ day: best.day, hour: best.hour, movedAtMs: nowMs }] : stays;
}

/** The hour that most days of a channel prefer, of those that are certain still. */
export interface SellingHour extends Cases {
  hour: number;
  /** 0 (Monday) to 6, on which it is preferred. */
  days: number[];
  /** Of the least certain of these days. */
  chanceBetter: number;
}

/** @returns null: no hour is preferred with a chance above 90 % */
export function sellingHour(rules: readonly HourRule[]): SellingHour | null {
  const certain = rules.filter(({ preferredAtMs, chanceBetter }) => preferredAtMs !== null && chanceBetter > certainAbove);
  const hours = [...new Set(certain.map(({ hour }) => hour))].map((hour): SellingHour => {
    const own = certain.filter((rule) => rule.hour === hour);
    return {
      ...{ hour, days: own.map(({ day }) => day).toSorted((a, b) => a - b), chanceBetter: Math.min(...own.map((rule) => rule.chanceBetter)) },
      people: own.reduce((sum, { people }) => sum + people, 0),
      converted: own.reduce((sum, { converted }) => sum + converted, 0),
    };
  });
  return hours.toSorted((a, b) => b.days.length - a.days.length || b.people - a.people || a.hour - b.hour)[0] ?? null;
}

/** The share of people whose hours are drawn at random, so that the map does not only confirm itself. */
export const randomHoursShare = 0.12;
