import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hourRules, type PreferredHour } from '../../../domain/learning/hours.ts';
import { slotAt } from '../../../domain/time/zones.ts';
import { chanceHigher } from '../../../domain/statistics/thompson.ts';

// Hours that are learned: docs/rules.md#rule-117

const dayMs = 86_400_000;
const week = (sends: number, rateOf: (day: number, hour: number) => number) =>
  Array.from({ length: 7 * 24 }, (_, slot) => {
    const [day, hour] = [Math.floor(slot / 24), slot % 24];
    return { day, hour, people: sends, converted: Math.round(sends * rateOf(day, hour)) };
  });
const preferredOf = (rules: ReturnType<typeof hourRules>) =>
  rules.flatMap(({ day, hour, preferredAtMs }) => (preferredAtMs === null ? [] : [{ day, hour, movedAtMs: preferredAtMs }]));

describe('hourRules', () => {
  test('prefers the hour that is better for certain, on each day', () => {
    const rules = hourRules(
      week(400, (_, hour) => (hour === 19 ? 0.12 : 0.03)),
      [],
      1_000,
    );
    expect(rules).toHaveLength(168);
    expect(preferredOf(rules)).toEqual(Array.from({ length: 7 }, (_, day) => ({ day, hour: 19, movedAtMs: 1_000 })));
  });

  test('does not move within a week, and moves after it', () => {
    const before = week(400, (_, hour) => (hour === 19 ? 0.12 : 0.03));
    const after = week(400, (_, hour) => (hour === 8 ? 0.12 : 0.03));
    const first = preferredOf(hourRules(before, [], 0));
    expect(preferredOf(hourRules(after, first, 7 * dayMs - 1))).toEqual(first);
    expect(preferredOf(hourRules(after, first, 7 * dayMs)).map(({ hour }) => hour)).toEqual(Array.from({ length: 7 }, () => 8));
  });

  test('does not prefer what a handful of messages came to', () => {
    const few = week(3, (_, hour) => (hour === 19 ? 1 : 0));
    expect(preferredOf(hourRules(few, [], 0))).toEqual([]);
  });

  test('where nobody converted, or nothing was sent, what is preferred stays', () => {
    const preferred: PreferredHour[] = [{ day: 2, hour: 9, movedAtMs: 5 }];
    expect(preferredOf(hourRules([], preferred, 100 * dayMs))).toEqual(preferred);
    expect(
      preferredOf(
        hourRules(
          week(10, () => 0),
          preferred,
          100 * dayMs,
        ),
      ),
    ).toEqual(preferred);
  });

  test('one hour of a day at most is preferred, and none moves twice in a week, whatever the counts are', () => {
    const cell = fc.record({
      ...{ day: fc.integer({ min: 0, max: 6 }), hour: fc.integer({ min: 0, max: 23 }) },
      ...{ people: fc.integer({ min: 1, max: 500 }), share: fc.double({ min: 0, max: 1, noNaN: true }) },
    });
    const map = fc
      .uniqueArray(cell, { maxLength: 60, selector: ({ day, hour }) => day * 24 + hour })
      .map((cells) => cells.map(({ share, ...one }) => ({ ...one, converted: Math.floor(one.people * share) })));
    fc.assert(
      fc.property(fc.array(fc.tuple(map, fc.integer({ min: 1, max: 10 })), { minLength: 1, maxLength: 5 }), (nights) => {
        let [nowMs, preferred] = [0, [] as PreferredHour[]];
        for (const [cells, days] of nights) {
          nowMs += days * dayMs;
          const next = preferredOf(hourRules(cells, preferred, nowMs));
          expect(new Set(next.map(({ day }) => day)).size).toBe(next.length);
          for (const { day, hour, movedAtMs } of preferred) {
            const now = next.find((one) => one.day === day);
            expect(now).toBeDefined();
            if (now?.hour !== hour) expect(nowMs - movedAtMs).toBeGreaterThanOrEqual(7 * dayMs);
          }
          preferred = next;
        }
      }),
      { numRuns: 100 },
    );
  });

  test('where no hour is better, few days come to prefer one', () => {
    let state = 12_345;
    const draw = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    let chosen = 0;
    for (let store = 0; store < 30; store += 1) {
      const cells = week(60, () => 0).map((cell) => ({
        ...cell,
        converted: Array.from({ length: cell.people }, draw).filter((x) => x < 0.04).length,
      }));
      chosen += preferredOf(hourRules(cells, [], 0)).length;
    }
    // Of 210 days. The rawest hour is above the mean on every one of them.
    expect(chosen).toBeLessThan(21);
  });
});

test('the chance that one rate is higher than another agrees with the worked example', () => {
  expect(chanceHigher({ a: 4, b: 2 }, { a: 2, b: 3 })).toBeCloseTo(0.833_333_33, 7);
});

test('the local hour of the week begins on Monday', () => {
  expect(slotAt('UTC', Date.parse('2026-03-09T00:30Z'))).toBe(0);
  expect(slotAt('UTC', Date.parse('2026-03-15T23:59Z'))).toBe(167);
  expect(slotAt('America/New_York', Date.parse('2026-03-09T03:00Z'))).toBe(6 * 24 + 23);
  expect(slotAt('Asia/Kolkata', Date.parse('1969-12-31T20:00Z'))).toBe(3 * 24 + 1);
});
