import type { EpochMs } from '../sequence/plan.ts';
import { modulo, offsetMsAt, steadyAround, stretchAt } from './zones.ts';

const minuteMs = 60_000;
const minutesOfDay = 24 * 60;
const dayMs = minutesOfDay * minuteMs;

/** A daily window on the wall clock, minutes since local midnight: from `fromMinute` to before `toMinute`, across midnight where `fromMinute` is the later. Equal: no window. */
export interface DailyWindow {
  fromMinute: number;
  toMinute: number;
}

/** Whether a local minute of the day lies in the window. */
export function isInWindow({ fromMinute, toMinute }: DailyWindow, minuteOfDay: number): boolean {
  return fromMinute <= toMinute ? fromMinute <= minuteOfDay && minuteOfDay < toMinute : minuteOfDay >= fromMinute || minuteOfDay < toMinute;
}

/**
 * The first instant at or after `fromMs` that lies outside the window on the wall clock of that zone. Where clocks jump over
 * the window's end, that is the jump itself; where an hour repeats, the window's end may come twice and the first one counts.
 * @returns epoch ms; `fromMs` itself when it is outside already
 */
export function firstOutside(window: DailyWindow, timeZone: string, fromMs: EpochMs): EpochMs {
  let atMs = fromMs;
  for (;;) {
    const { offsetMs, untilMs } = stretchAt(timeZone, atMs);
    const msOfDay = modulo(atMs + offsetMs, dayMs);
    if (!isInWindow(window, Math.floor(msOfDay / minuteMs))) return atMs;
    const endMs = atMs + modulo(window.toMinute * minuteMs - msOfDay, dayMs);
    if (endMs < untilMs) return endMs;
    // The offset changes first: read the clock again on the other side.
    atMs = untilMs;
  }
}

/** When the windows of several zones are over, and which of the zones that respects. */
export interface CommonOpening {
  atMs: EpochMs;
  timeZones: readonly string[];
}

/**
 * A common opening shorter than this counts as none: a step that misses it, since a worker was restarted, waits for another day,
 * and is too old before long.
 */
const shortestOpeningMinutes = 60;

/**
 * The first instant at or after `fromMs` that lies outside the window in every zone of a list. Where their windows leave no hour of the
 * day together (eleven zones of Russia and a night of fourteen hours), the zones are taken in their order as long as they do.
 * @param timeZones - not empty, the most important first
 */
export function firstOutsideAll(window: DailyWindow, timeZones: readonly string[], fromMs: EpochMs): CommonOpening {
  let heeded = compatibleZones(window, timeZones, fromMs);
  for (;;) {
    const atMs = commonOpening(window, heeded, fromMs);
    if (atMs !== null) return { atMs, timeZones: heeded };
    // A clock change closed the common opening: rare, and with one zone there always is one.
    heeded = heeded.slice(0, -1);
  }
}

/** @returns null where they have no common opening within two days, which more than one zone may not have */
function commonOpening(window: DailyWindow, timeZones: readonly string[], fromMs: EpochMs): EpochMs | null {
  let atMs = fromMs;
  for (let settled = false; !settled; ) {
    settled = true;
    for (const timeZone of timeZones) {
      const opensMs = firstOutside(window, timeZone, atMs);
      if (opensMs === atMs) continue;
      atMs = opensMs;
      settled = false;
    }
    if (!settled && timeZones.length > 1 && atMs > fromMs + 2 * dayMs) return null;
  }
  return atMs;
}

/** What was found for a list of zones, and the time for which it holds: until one of them changes its offset. */
interface Compatible extends DailyWindow {
  fromMs: EpochMs;
  untilMs: EpochMs;
  timeZones: readonly string[];
}

// One decision asks several times about a person's zones, and a rehearsal hundreds of times.
const lastCompatible = new WeakMap<readonly string[], Compatible>();

/** The zones, in their order, whose windows leave an hour of the day together, by their offsets at an instant. */
function compatibleZones(window: DailyWindow, timeZones: readonly string[], atMs: EpochMs): readonly string[] {
  if (timeZones.length === 1) return timeZones;
  const { fromMinute, toMinute } = window;
  const last = lastCompatible.get(timeZones);
  if (last !== undefined && last.fromMs <= atMs && atMs < last.untilMs && last.fromMinute === fromMinute && last.toMinute === toMinute)
    return last.timeZones;
  const found = findCompatible(window, timeZones, atMs);
  lastCompatible.set(timeZones, { fromMinute, toMinute, ...steadyAround(timeZones, atMs), timeZones: found });
  return found;
}

function findCompatible(window: DailyWindow, timeZones: readonly string[], atMs: EpochMs): readonly string[] {
  const offsets: number[] = [];
  const left = (others: readonly number[]) => longestOpening(window, others);
  const heeded = timeZones.filter((timeZone) => {
    const offset = offsetMsAt(timeZone, atMs) / minuteMs;
    if (offsets.includes(offset)) return true;
    const fits = offsets.length === 0 || left([...offsets, offset]) >= Math.min(shortestOpeningMinutes, left([offset]));
    if (fits) offsets.push(offset);
    return fits;
  });
  return heeded.length === timeZones.length ? timeZones : heeded;
}

/** The longest stretch of a day, in minutes, that lies outside the window at all of these offsets from UTC (minutes). */
function longestOpening({ fromMinute, toMinute }: DailyWindow, offsets: readonly number[]): number {
  const length = modulo(toMinute - fromMinute, minutesOfDay);
  if (length === 0) return minutesOfDay;
  const starts = offsets.map((offset) => modulo(fromMinute - offset, minutesOfDay)).sort((a, b) => a - b);
  const gaps = starts.map((start, index) => (starts[index + 1] ?? (starts[0] ?? 0) + minutesOfDay) - start - length);
  return Math.max(...gaps);
}
