import type { EpochMs } from '../sequence/plan.ts';
import { dayOf } from './local-day.ts';
import { modulo, stretchAt } from './zones.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Beyond this, something counts as never open. */
const furthestMs = 60 * dayMs;

/**
 * The stretches of a local day at which something is open, in order, minutes since midnight, the end excluded.
 * @param date - `2026-02-17`
 * @param weekday - 0: Sunday
 */
export type HoursOf = (date: string, weekday: number) => readonly (readonly [number, number])[];

/**
 * The first instant at or after `fromMs` that lies in the open hours on the clock of every zone of a list: none is left out, however many there are.
 * @returns infinity where no day is open for two months
 */
export function firstOpenEverywhere(hoursOf: HoursOf, timeZones: readonly string[], fromMs: EpochMs): EpochMs {
  let atMs = fromMs;
  for (let settled = false; !settled; ) {
    settled = true;
    for (const timeZone of timeZones) {
      const opensMs = firstOpenIn(hoursOf, timeZone, atMs, fromMs + furthestMs);
      if (opensMs === atMs) continue;
      if (opensMs === Number.POSITIVE_INFINITY) return opensMs;
      atMs = opensMs;
      settled = false;
    }
  }
  return atMs;
}

function firstOpenIn(hoursOf: HoursOf, timeZone: string, fromMs: EpochMs, lastMs: EpochMs): EpochMs {
  let atMs = fromMs;
  while (atMs <= lastMs) {
    const { offsetMs, untilMs } = stretchAt(timeZone, atMs);
    const { date, weekday } = dayOf(atMs + offsetMs);
    const midnightMs = atMs - modulo(atMs + offsetMs, dayMs);
    const minute = (atMs - midnightMs) / minuteMs;
    const open = nextOpen(hoursOf(date, weekday), minute);
    if (open !== undefined && open[0] <= minute) return atMs;
    const nextMs = midnightMs + (open === undefined ? dayMs : open[0] * minuteMs);
    // Where the offset changes first, the clock is read again on the other side.
    atMs = Math.min(nextMs, untilMs);
  }
  return Number.POSITIVE_INFINITY;
}

function nextOpen(hours: ReturnType<HoursOf>, minute: number): readonly [number, number] | undefined {
  for (const stretch of hours) if (minute < stretch[1]) return stretch;
  return undefined;
}
