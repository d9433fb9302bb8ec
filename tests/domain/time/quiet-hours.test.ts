import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstOutside, firstOutsideAll, isInWindow } from '../../../domain/time/quiet-hours.ts';
import { zonesOfCountry } from '../../../domain/people/country-zones.ts';
import { canonicalTimeZone, offsetMsAt, stretchAt } from '../../../domain/time/zones.ts';
import { localMs, usualQuietHours } from '../../helpers/sequence-dsl.ts';

const minutes = (hours: number, rest = 0) => hours * 60 + rest;

const formats = new Map<string, Intl.DateTimeFormat>();
const minuteOfDay = (timeZone: string, atMs: number) => {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  formats.set(timeZone, format);
  const [hour, minute] = format.format(atMs).split(':').map(Number);
  return (hour ?? 0) * 60 + (minute ?? 0);
};

// Half of the instants lie around the clock changes of 2026, where the mistakes would be.
const changes = ['2026-03-08T07:00Z', '2026-03-29T01:00Z', '2026-04-04T15:00Z', '2026-10-03T15:30Z', '2026-10-25T01:00Z', '2026-11-01T06:00Z'].map(
  (iso) => Date.parse(iso),
);
const instants = fc.oneof(
  fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-12-31') }),
  fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -86_400_000, max: 86_400_000 })).map(([changeMs, aroundMs]) => changeMs + aroundMs),
);

describe('quiet hours across midnight', () => {
  test.each([
    ['20:59', '2026-03-10T20:59'],
    ['21:00', '2026-03-11T08:00'],
    ['23:59', '2026-03-11T08:00'],
  ])('at %s end at %s', (time, end) => {
    expect(firstOutside(usualQuietHours, 'Europe/Berlin', localMs('Europe/Berlin', `2026-03-10T${time}`))).toBe(localMs('Europe/Berlin', end));
  });

  test('end the same morning after midnight, and eight sharp is day', () => {
    const early = localMs('Asia/Kathmandu', '2026-03-10T03:17');
    const eight = localMs('Asia/Kathmandu', '2026-03-10T08:00');
    expect(firstOutside(usualQuietHours, 'Asia/Kathmandu', early)).toBe(eight);
    expect(firstOutside(usualQuietHours, 'Asia/Kathmandu', eight)).toBe(eight);
    expect(firstOutside(usualQuietHours, 'Asia/Kathmandu', eight - 1)).toBe(eight);
  });
});

test('a window within a day, and none at all', () => {
  const atMs = localMs('UTC', '2026-03-10T12:30');
  expect(firstOutside({ fromMinute: minutes(12), toMinute: minutes(15) }, 'UTC', atMs)).toBe(localMs('UTC', '2026-03-10T15:00'));
  expect(firstOutside({ fromMinute: 0, toMinute: 0 }, 'UTC', atMs)).toBe(atMs);
});

describe('when the clocks change', () => {
  test('the night is an hour shorter or longer, eight stays eight', () => {
    const spring = firstOutside(usualQuietHours, 'Europe/Berlin', localMs('Europe/Berlin', '2026-03-28T22:00'));
    expect(spring - localMs('Europe/Berlin', '2026-03-28T22:00')).toBe(9 * 3_600_000);
    const autumn = firstOutside(usualQuietHours, 'Europe/Berlin', localMs('Europe/Berlin', '2026-10-24T22:00'));
    expect(autumn - localMs('Europe/Berlin', '2026-10-24T22:00')).toBe(11 * 3_600_000);
  });

  test('an end that the clock jumps over is the jump', () => {
    const end = firstOutside({ fromMinute: minutes(22), toMinute: minutes(2, 30) }, 'Europe/Berlin', localMs('Europe/Berlin', '2026-03-28T23:00'));
    expect(end).toBe(Date.parse('2026-03-29T01:00Z'));
  });

  test('an end that comes twice counts the first time, and the hour that repeats is quiet again', () => {
    const window = { fromMinute: minutes(22), toMinute: minutes(2, 30) };
    const end = firstOutside(window, 'Europe/Berlin', localMs('Europe/Berlin', '2026-10-24T23:00'));
    expect(end).toBe(Date.parse('2026-10-25T00:30Z'));
    expect(firstOutside(window, 'Europe/Berlin', Date.parse('2026-10-25T01:15Z'))).toBe(Date.parse('2026-10-25T01:30Z'));
  });
});

describe('quiet hours in several zones', () => {
  const coasts = ['America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles', 'America/Anchorage', 'Pacific/Honolulu'];
  const russia = zonesOfCountry('RU');

  test('are over when they are over in the last, and begin when they begin in the first', () => {
    const opensMs = localMs('Pacific/Honolulu', '2026-01-15T08:00');
    expect(firstOutsideAll(usualQuietHours, coasts, localMs('America/New_York', '2026-01-14T21:00'))).toEqual({ atMs: opensMs, timeZones: coasts });
    expect(firstOutsideAll(usualQuietHours, coasts, localMs('America/New_York', '2026-01-15T08:00')).atMs).toBe(opensMs);
    const lastMs = localMs('America/New_York', '2026-01-15T21:00') - 1;
    expect(firstOutsideAll(usualQuietHours, coasts, lastMs).atMs).toBe(lastMs);
    expect(firstOutsideAll(usualQuietHours, coasts, lastMs + 1).atMs).toBe(localMs('Pacific/Honolulu', '2026-01-16T08:00'));
  });

  test('leave three hours a day in the eleven zones of Russia', () => {
    const { atMs, timeZones } = firstOutsideAll(usualQuietHours, russia, localMs('Europe/Moscow', '2026-01-15T12:00'));
    expect([timeZones, atMs]).toEqual([russia, localMs('Europe/Kaliningrad', '2026-01-16T08:00')]);
  });

  test('that leave no hour together are kept where most people live, and say where', () => {
    const longNight = { fromMinute: minutes(20), toMinute: minutes(10) };
    const { atMs, timeZones } = firstOutsideAll(longNight, russia, localMs('Europe/Moscow', '2026-01-15T21:00'));
    expect(timeZones).toContain('Europe/Moscow');
    expect(timeZones).not.toContain('Asia/Kamchatka');
    expect(atMs).toBeLessThan(localMs('Europe/Moscow', '2026-01-16T21:00'));
    // Of three that are eight hours apart one is always asleep.
    expect(firstOutsideAll(usualQuietHours, ['Europe/London', 'Asia/Tokyo', 'America/Los_Angeles'], atMs).timeZones).toEqual([
      'Europe/London',
      'Asia/Tokyo',
    ]);
  });
});

test('the answer is outside, never early, and nothing between is outside, on a clock read by other means', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'Africa/Casablanca',
    'America/Santiago',
    'Pacific/Apia',
  ];
  const minute = fc.integer({ min: 0, max: 1439 });
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      instants,
      minute,
      minute,
      fc.integer({ min: 1, max: 999 }),
      (timeZone, atMs, fromMinute, toMinute, share) => {
        const window = { fromMinute, toMinute };
        const openMs = firstOutside(window, timeZone, atMs);
        expect(openMs).toBeGreaterThanOrEqual(atMs);
        expect(isInWindow(window, minuteOfDay(timeZone, openMs))).toBe(false);
        if (openMs > atMs) {
          expect(isInWindow(window, minuteOfDay(timeZone, openMs - 1))).toBe(true);
          expect(isInWindow(window, minuteOfDay(timeZone, atMs + Math.floor(((openMs - 1 - atMs) * share) / 1000)))).toBe(true);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

test('in several zones the answer is outside in all that are kept, the first instant that is, and leaves none out without need', () => {
  const zones = [
    'Europe/Berlin',
    'America/New_York',
    'America/Los_Angeles',
    'Australia/Lord_Howe',
    'America/Santiago',
    'Asia/Kolkata',
    'Pacific/Kiritimati',
  ];
  const minute = fc.integer({ min: 0, max: 1439 });
  const someZones = fc.shuffledSubarray(zones, { minLength: 1, maxLength: 5 });
  let restricted = 0;
  fc.assert(
    fc.property(someZones, instants, minute, minute, fc.nat(999), (timeZones, atMs, fromMinute, toMinute, share) => {
      const window = { fromMinute, toMinute };
      const isQuiet = (ms: number, among: readonly string[]) => among.some((zone) => isInWindow(window, minuteOfDay(zone, ms)));
      const opening = firstOutsideAll(window, timeZones, atMs);
      expect(opening.timeZones[0]).toBe(timeZones[0]);
      expect(opening.atMs).toBeGreaterThanOrEqual(atMs);
      expect(opening.atMs).toBeLessThan(atMs + 49 * 3_600_000);
      expect(isQuiet(opening.atMs, opening.timeZones)).toBe(false);
      if (opening.atMs > atMs) expect(isQuiet(atMs + Math.floor(((opening.atMs - 1 - atMs) * share) / 1000), opening.timeZones)).toBe(true);
      if (opening.timeZones.length === timeZones.length) return;
      restricted += 1;
      // However it is turned, no hour of the coming day is outside in all of them; clock changes move an hour at most.
      const changes = timeZones.some((zone) => stretchAt(zone, atMs).untilMs < atMs + 49 * 3_600_000);
      if (changes) return;
      const nowMinutes = timeZones.map((zone) => minuteOfDay(zone, atMs));
      let open = 0;
      for (let later = 0; later < 48 * 60; later += 1) {
        open = nowMinutes.some((now) => isInWindow(window, (now + later) % 1_440)) ? 0 : open + 1;
        if (open > 60) throw new Error('an hour of the day would have suited all');
      }
    }),
    { numRuns: 400 },
  );
  expect(restricted).toBeGreaterThan(10);
});

describe('zones', () => {
  // A zone that no other test asks about: what is remembered of a zone depends on what was asked first.
  test('a stretch knows where its offset begins and ends', () => {
    const summer = stretchAt('Europe/Prague', Date.parse('2026-07-01'));
    expect(summer).toEqual({ fromMs: Date.parse('2026-03-29T01:00Z'), untilMs: Date.parse('2026-10-25T01:00Z'), offsetMs: 7_200_000 });
    expect(stretchAt('Europe/Prague', summer.fromMs)).toEqual(summer);
    expect(stretchAt('Europe/Prague', summer.untilMs).offsetMs).toBe(3_600_000);
    expect(stretchAt('Asia/Tokyo', Date.now())).toMatchObject({ untilMs: Number.POSITIVE_INFINITY, offsetMs: 32_400_000 });
  });

  test('the instant of a change belongs to the new offset, also when it is asked about first', () => {
    const changeMs = Date.parse('2031-03-09T07:00Z');
    expect(stretchAt('America/New_York', changeMs)).toMatchObject({ fromMs: changeMs, offsetMs: -4 * 3_600_000 });
  });

  test('names are known in any spelling, and a wrong one counts as UTC', () => {
    expect(canonicalTimeZone('europe/berlin')).toBe('Europe/Berlin');
    expect([canonicalTimeZone('Mars/Olympus'), canonicalTimeZone(''), canonicalTimeZone('x'.repeat(65))]).toEqual([null, null, null]);
    expect(offsetMsAt('Mars/Olympus', 0)).toBe(0);
  });
});
