import type { EpochMs } from '../sequence/plan.ts';
import { stretchAt } from './zones.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

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

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
