/** A day of a calendar, wherever that is. The same object for the same day, as long as it is remembered. */
export interface LocalDay {
  /** `2026-02-17` */
  date: string;
  /** 0: Sunday */
  weekday: number;
}

const dayMs = 24 * 3_600_000;

// A rehearsal of thirty days asks for the same few days again and again, and writing out a date costs more than the rest of a search.
const days = new Map<number, LocalDay>();
const mostDays = 1_000;

/** @param localMs - a local time, in milliseconds since the epoch as if it were UTC */
export function dayOf(localMs: number): LocalDay {
  const index = Math.floor(localMs / dayMs);
  const known = days.get(index);
  if (known !== undefined) return known;
  if (days.size >= mostDays) days.clear();
  const midnight = new Date(index * dayMs);
  const day = { date: midnight.toISOString().slice(0, 10), weekday: midnight.getUTCDay() };
  days.set(index, day);
  return day;
}
