import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { zonesOfCountry } from '../../../domain/people/country-zones.ts';
import { firstInsideAll, type WeeklyWindow, weekdays } from '../../../domain/time/weekly-window.ts';

const minuteMs = 60_000;
const office: WeeklyWindow = { fromMinute: 9 * 60, toMinute: 17 * 60, days: ['mon', 'tue', 'wed', 'thu', 'fri'] };
const utc = (text: string) => Date.parse(`${text}Z`);
const first = (window: WeeklyWindow, zones: string[], from: string) => {
  const { atMs, untilMs, timeZones } = firstInsideAll(window, zones, utc(from));
  return { at: new Date(atMs).toISOString().slice(0, 16), until: new Date(untilMs).toISOString().slice(0, 16), timeZones };
};

describe('in one zone', () => {
  test.each([
    ['on a Saturday, the next Monday', office, 'Europe/Vienna', '2026-03-14T12:00', '2026-03-16T08:00', '2026-03-16T16:00'],
    ['inside, at once', office, 'Europe/Vienna', '2026-03-16T12:34', '2026-03-16T12:34', '2026-03-16T16:00'],
    ['at its end, the next day', office, 'Europe/Vienna', '2026-03-16T16:00', '2026-03-17T08:00', '2026-03-17T16:00'],
    ['after Friday, Monday', office, 'UTC', '2026-03-20T17:00', '2026-03-23T09:00', '2026-03-23T17:00'],
    [
      'whole days that touch are one',
      { fromMinute: 0, toMinute: 1440, days: ['sat', 'sun'] },
      'UTC',
      '2026-03-18T00:00',
      '2026-03-21T00:00',
      '2026-03-23T00:00',
    ],
    [
      'a night belongs to the day on which it begins',
      { fromMinute: 22 * 60, toMinute: 120, days: ['sat'] },
      'UTC',
      '2026-03-22T01:00',
      '2026-03-22T01:00',
      '2026-03-22T02:00',
    ],
    ['and not to the next', { fromMinute: 22 * 60, toMinute: 120, days: ['sat'] }, 'UTC', '2026-03-21T01:00', '2026-03-21T22:00', '2026-03-22T02:00'],
    [
      'where clocks jump over its begin, the jump',
      { fromMinute: 150, toMinute: 240, days: ['sun'] },
      'Europe/Vienna',
      '2026-03-28T12:00',
      '2026-03-29T01:00',
      '2026-03-29T02:00',
    ],
    ['a local hour stays a local hour across the change', office, 'America/New_York', '2026-10-30T21:00', '2026-11-02T14:00', '2026-11-02T22:00'],
  ] as [string, WeeklyWindow, string, string, string, string][])('%s', (_, window, zone, from, at, until) => {
    expect(first(window, [zone], from)).toMatchObject({ at, until });
  });
});

describe('in several zones', () => {
  test('it must be open in each', () => {
    expect(first(office, ['America/New_York', 'America/Los_Angeles'], '2026-03-16T08:00')).toEqual({
      at: '2026-03-16T16:00',
      until: '2026-03-16T21:00',
      timeZones: ['America/New_York', 'America/Los_Angeles'],
    });
  });

  test('where they leave no common hour of the week, the first ones count', () => {
    const short = { ...office, toMinute: 10 * 60 };
    expect(first(short, ['America/New_York', 'America/Los_Angeles'], '2026-03-16T08:00')).toMatchObject({
      at: '2026-03-16T13:00',
      timeZones: ['America/New_York'],
    });
  });
});

const formats = new Map<string, Intl.DateTimeFormat>();
/** Read by other means than the code under test. */
function localOf(timeZone: string, atMs: number): { day: (typeof weekdays)[number]; before: (typeof weekdays)[number]; minute: number } {
  const format =
    formats.get(timeZone) ?? new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  formats.set(timeZone, format);
  const parts = Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const index = weekdays.findIndex((day) => day === parts['weekday']?.toLowerCase());
  return { day: weekdays[index] ?? 'sun', before: weekdays[(index + 6) % 7] ?? 'sun', minute: Number(parts['hour']) * 60 + Number(parts['minute']) };
}
function isOpen({ fromMinute, toMinute, days }: WeeklyWindow, timeZone: string, atMs: number): boolean {
  const { day, before, minute } = localOf(timeZone, atMs);
  if (fromMinute < toMinute) return days.includes(day) && fromMinute <= minute && minute < toMinute;
  return (days.includes(day) && minute >= fromMinute) || (days.includes(before) && minute < toMinute);
}

const windows = fc
  .record({
    fromMinute: fc.integer({ min: 0, max: 1439 }),
    toMinute: fc.integer({ min: 1, max: 1440 }),
    days: fc.subarray([...weekdays], { minLength: 1 }),
  })
  .filter(({ fromMinute, toMinute }) => fromMinute !== toMinute);
const zoneLists = fc.oneof(
  fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Chatham').map((zone) => [zone]),
  fc.constantFrom('US', 'ES', 'RU', 'AU').map((country) => [...zonesOfCountry(country)]),
);
// Around clock changes too.
const instants = fc
  .integer({ min: Date.parse('2026-01-01T00:00Z') / minuteMs, max: Date.parse('2027-01-01T00:00Z') / minuteMs })
  .map((m) => m * minuteMs);

test('the answer is open in every zone that counts, stays open until it closes, and nothing before it is open in all of them', () => {
  fc.assert(
    fc.property(windows, zoneLists, instants, (window, zones, fromMs) => {
      const { atMs, untilMs, timeZones } = firstInsideAll(window, zones, fromMs);
      expect(timeZones[0]).toBe(zones[0]);
      expect(atMs).toBeGreaterThanOrEqual(fromMs);
      expect(untilMs).toBeGreaterThan(atMs);
      const inAll = (ms: number) => timeZones.every((zone) => isOpen(window, zone, ms));
      expect(inAll(atMs)).toBe(true);
      expect(inAll(untilMs - minuteMs)).toBe(true);
      for (let ms = fromMs; ms < atMs; ms += 17 * minuteMs) expect(inAll(ms), new Date(ms).toISOString()).toBe(false);
      if (atMs > fromMs) expect(inAll(atMs - minuteMs)).toBe(false);
    }),
    { numRuns: 400 },
  );
});
