import { createRequire } from 'node:module';
import type Holidays from 'date-holidays';

// Loading the library takes 400 ms, and a year of a region up to 50 ms: once for a process, and only where a law closes on holidays.
const loaded: { library: typeof Holidays | null } = { library: null };
const years = new Map<string, ReadonlySet<string>>();
const mostYears = 500;

/** Load the library before a decision needs it. */
export function prepareHolidays(): void {
  loaded.library ??= createRequire(import.meta.url)('date-holidays') as typeof Holidays;
}

/**
 * Whether a day is a public holiday, or the day off in place of one.
 * @param region - ISO 3166: `FR`, `US-LA`
 * @param date - `2026-02-17`, on the clock there
 */
export function isHoliday(region: string, date: string): boolean {
  const year = date.slice(0, 4);
  const key = `${region} ${year}`;
  let days = years.get(key);
  if (days === undefined) {
    if (years.size >= mostYears) years.clear();
    days = holidaysIn(region, Number(year));
    years.set(key, days);
  }
  return days.has(date);
}

function holidaysIn(region: string, year: number): ReadonlySet<string> {
  prepareHolidays();
  const { library } = loaded;
  const [country = '', state] = region.split('-');
  if (library === null) throw new Error('the holidays could not be loaded');
  const calendar = state === undefined ? new library(country) : new library(country, state);
  return new Set(calendar.getHolidays(year).flatMap(({ type, date }) => (type === 'public' ? [date.slice(0, 10)] : [])));
}
