import { Temporal } from 'temporal-polyfill';
import type { EpochMs } from '../sequence/plan.ts';

/** A stretch of time in which a zone keeps one offset from UTC: from `fromMs`, which need not be a change, to before `untilMs`, which is one. */
export interface Stretch {
  fromMs: EpochMs;
  untilMs: EpochMs;
  offsetMs: number;
}

// Zone data is constant while a process runs, so remembering it changes no answer; asking for a transition takes up to a millisecond.
const stretchesByZone = new Map<string, Stretch[]>();
const mostZones = 2_000;

/**
 * The stretch of constant offset around an instant. A zone that this Node does not know counts as UTC: a wrong name in a row
 * must not make a decision fail for ever.
 * @param timeZone - IANA name
 */
export function stretchAt(timeZone: string, atMs: EpochMs): Stretch {
  let stretches = stretchesByZone.get(timeZone);
  if (stretches === undefined) {
    if (stretchesByZone.size >= mostZones) stretchesByZone.clear();
    stretches = [];
    stretchesByZone.set(timeZone, stretches);
  }
  for (const stretch of stretches) if (stretch.fromMs <= atMs && atMs < stretch.untilMs) return stretch;
  const found = readStretch(canonicalTimeZone(timeZone) ?? 'UTC', atMs);
  stretches.push(found);
  return found;
}

/** Milliseconds to add to UTC for local time. */
export function offsetMsAt(timeZone: string, atMs: EpochMs): number {
  return stretchAt(timeZone, atMs).offsetMs;
}

/** The stretch of time around an instant in which none of some zones changes its offset. */
export function steadyAround(timeZones: readonly string[], atMs: EpochMs): Pick<Stretch, 'fromMs' | 'untilMs'> {
  const stretches = timeZones.map((timeZone) => stretchAt(timeZone, atMs));
  return { fromMs: Math.max(...stretches.map(({ fromMs }) => fromMs)), untilMs: Math.min(...stretches.map(({ untilMs }) => untilMs)) };
}

// For the same reason: each decision asks for a few of these.
const canonicalNames = new Map<string, string | null>();

/** The zone's name in its usual spelling (`europe/berlin` → `Europe/Berlin`), or null where there is no such zone. */
export function canonicalTimeZone(name: string): string | null {
  if (name.length === 0 || name.length > 64) return null;
  const remembered = canonicalNames.get(name);
  if (remembered !== undefined) return remembered;
  if (canonicalNames.size >= mostZones) canonicalNames.clear();
  const found = readName(name);
  canonicalNames.set(name, found);
  return found;
}

function readName(name: string): string | null {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

// Searching backwards takes 25 ms in a zone without a change for decades, so a decision with all zones of a country would hold its transaction for
// half a second; searching forwards takes less than 1 ms.
const lookBackMs = 200 * 24 * 3_600_000;

function readStretch(timeZone: string, atMs: EpochMs): Stretch {
  const at = (ms: EpochMs) => Temporal.Instant.fromEpochMilliseconds(Math.floor(ms)).toZonedDateTimeISO(timeZone);
  const offsetMs = at(atMs).offsetNanoseconds / 1e6;
  let fromMs = Math.floor(atMs) - lookBackMs;
  for (;;) {
    const untilMs = at(fromMs).getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
    if (untilMs > atMs) return { fromMs, untilMs, offsetMs };
    fromMs = untilMs;
  }
}

/** The hour of the local week at an instant: the day (0: Monday) times 24, and the hour. @param timeZone - IANA name */
export function slotAt(timeZone: string, atMs: EpochMs): number {
  const hours = Math.floor((atMs + offsetMsAt(timeZone, atMs)) / 3_600_000);
  // The first day of the epoch was a Thursday.
  return modulo(hours + 3 * 24, 168);
}

/** Of whole numbers, at least 0 also where `value` is less. The operator `%` takes several times as long for numbers beyond 2³¹, as times are. */
export function modulo(value: number, by: number): number {
  return value - Math.floor(value / by) * by;
}
