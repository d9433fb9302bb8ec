import type { EpochMs } from '../sequence/plan.ts';
import { offsetMsAt, stretchAt } from './zones.ts';

const minuteMs = 60_000;
const minutesOfDay = 24 * 60;
const weekMinutes = 7 * minutesOfDay;
const dayMs = minutesOfDay * minuteMs;

/** In the order of `Date.getUTCDay`. */
export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof weekdays)[number];

/**
 * Hours of some days of the week on the wall clock, minutes since local midnight: from `fromMinute` to before `toMinute`, which is 1440 at most. Where
 * `fromMinute` is the later, it runs across midnight and belongs to the day on which it begins.
 */
export interface WeeklyWindow {
  fromMinute: number;
  toMinute: number;
  days: readonly Weekday[];
}

/** A stretch of the week, minutes since Sunday 00:00, `toMinute` excluded; it may reach beyond the week's end. */
interface Opening {
  fromMinute: number;
  toMinute: number;
}

/** When the window is open in several zones at once, and which of the zones that respects. */
export interface CommonWindow {
  atMs: EpochMs;
  /** When it closes again in the first of these zones. */
  untilMs: EpochMs;
  timeZones: readonly string[];
}

/** A common opening shorter than this counts as none: a step that misses it, since a worker was restarted, waits for another week. */
const shortestOpeningMinutes = 60;

/**
 * The first instant at or after `fromMs` at which the window is open in every zone of a list. Where the zones leave no common hour of the week, they are
 * taken in their order as long as they do.
 * @param timeZones - not empty, the most important first
 * @throws RangeError for a window without days or hours
 */
export function firstInsideAll(window: WeeklyWindow, timeZones: readonly string[], fromMs: EpochMs): CommonWindow {
  const openings = openingsOf(window);
  let heeded = timeZones.length === 1 ? timeZones : compatibleZones(openings, timeZones, fromMs);
  for (;;) {
    const atMs = commonOpening(openings, heeded, fromMs);
    if (atMs !== null) return { atMs, untilMs: Math.min(...heeded.map((zone) => closesAt(openings, zone, atMs))), timeZones: heeded };
    // A clock change closed the common opening: rare, and with one zone there always is one.
    heeded = heeded.slice(0, -1);
  }
}

/** @returns null where they have no common opening within two weeks, which more than one zone may not have */
function commonOpening(openings: readonly Opening[], timeZones: readonly string[], fromMs: EpochMs): EpochMs | null {
  let atMs = fromMs;
  for (let settled = false; !settled; ) {
    settled = true;
    for (const timeZone of timeZones) {
      const opensMs = firstInside(openings, timeZone, atMs);
      if (opensMs === atMs) continue;
      atMs = opensMs;
      settled = false;
    }
    if (!settled && timeZones.length > 1 && atMs > fromMs + 14 * dayMs) return null;
  }
  return atMs;
}

/** Where clocks jump over the opening's begin, the answer is the jump itself; where an hour repeats, it may open twice. */
function firstInside(openings: readonly Opening[], timeZone: string, fromMs: EpochMs): EpochMs {
  let atMs = fromMs;
  for (;;) {
    const { offsetMs, untilMs } = stretchAt(timeZone, atMs);
    const minute = minuteOfWeek(atMs + offsetMs);
    const waits = openings.map((opening) => (isIn(opening, minute) ? 0 : modulo(opening.fromMinute - minute, weekMinutes)));
    const opensMs = atMs + Math.min(...waits) * minuteMs;
    if (opensMs < untilMs) return opensMs;
    // The offset changes first: read the clock again on the other side.
    atMs = untilMs;
  }
}

/** @param insideMs - an instant at which it is open */
function closesAt(openings: readonly Opening[], timeZone: string, insideMs: EpochMs): EpochMs {
  let atMs = insideMs;
  for (let changes = 0; changes < 10; changes += 1) {
    const { offsetMs, untilMs } = stretchAt(timeZone, atMs);
    const minute = minuteOfWeek(atMs + offsetMs);
    const open = openings.find((opening) => isIn(opening, minute));
    if (open === undefined) return atMs;
    const closesMs = atMs + modulo(open.toMinute - minute, weekMinutes) * minuteMs;
    if (closesMs < untilMs) return closesMs;
    atMs = untilMs;
  }
  return atMs;
}

/** The zones, in their order, whose openings leave a common hour of the week, by their offsets at an instant. */
function compatibleZones(openings: readonly Opening[], timeZones: readonly string[], atMs: EpochMs): readonly string[] {
  const needed = Math.min(shortestOpeningMinutes, longest(openings));
  let common: readonly Opening[] | null = null;
  const heeded = timeZones.filter((timeZone) => {
    const own = shifted(openings, -offsetMsAt(timeZone, atMs) / minuteMs);
    const left = common === null ? own : intersection(common, own);
    if (common !== null && longest(left) < needed) return false;
    common = left;
    return true;
  });
  return heeded.length === timeZones.length ? timeZones : heeded;
}

/** The openings of a week, those that touch joined. */
function openingsOf({ fromMinute, toMinute, days }: WeeklyWindow): readonly Opening[] {
  const lasts = modulo(toMinute - fromMinute, minutesOfDay) || minutesOfDay;
  const inOrder = weekdays.flatMap((day, index) =>
    days.includes(day) ? [{ fromMinute: index * minutesOfDay + fromMinute, toMinute: index * minutesOfDay + fromMinute + lasts }] : [],
  );
  const [first] = inOrder;
  if (first === undefined) throw new RangeError('a window without days is never open');
  const joined: Opening[] = [];
  for (const opening of inOrder) {
    const last = joined.at(-1);
    if (last !== undefined && last.toMinute >= opening.fromMinute) last.toMinute = opening.toMinute;
    else joined.push({ ...opening });
  }
  const last = joined.at(-1);
  // Saturday's hours run into Sunday's.
  if (joined.length > 1 && last !== undefined && last.toMinute - weekMinutes >= first.fromMinute) {
    last.toMinute = (joined[0]?.toMinute ?? 0) + weekMinutes;
    joined.shift();
  }
  return joined;
}

/** The openings moved along the week. */
function shifted(openings: readonly Opening[], byMinutes: number): Opening[] {
  return openings.map(({ fromMinute, toMinute }) => {
    const from = modulo(fromMinute + byMinutes, weekMinutes);
    return { fromMinute: from, toMinute: from + toMinute - fromMinute };
  });
}

function intersection(some: readonly Opening[], others: readonly Opening[]): Opening[] {
  const common = some.flatMap((one) =>
    others.flatMap((other) =>
      // Each may reach beyond the week's end, and so meet the other's next week.
      [-weekMinutes, 0, weekMinutes].flatMap((by) => {
        const fromMinute = Math.max(one.fromMinute, other.fromMinute + by);
        const toMinute = Math.min(one.toMinute, other.toMinute + by);
        return fromMinute < toMinute ? [{ fromMinute, toMinute }] : [];
      }),
    ),
  );
  return shifted(common, 0);
}

const longest = (openings: readonly Opening[]) => Math.max(0, ...openings.map(({ fromMinute, toMinute }) => toMinute - fromMinute));

function isIn({ fromMinute, toMinute }: Opening, minute: number): boolean {
  return (fromMinute <= minute && minute < toMinute) || minute + weekMinutes < toMinute;
}

/** Of a local time given as if it were UTC; with its fraction. */
function minuteOfWeek(localMs: number): number {
  // The epoch began on a Thursday.
  return modulo(localMs / minuteMs + 4 * minutesOfDay, weekMinutes);
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
