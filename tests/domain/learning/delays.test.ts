import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareDelays, type DelayArm, delaySuggestion } from '../../../domain/learning/delays.ts';
import { largestDropOff } from '../../../domain/learning/drop-off.ts';
import { leaderboard } from '../../../domain/learning/leaderboard.ts';

const hourMs = 3_600_000;
const arm = (hours: number, people: number, converted: number, share = 0.5): DelayArm => ({
  ...{ id: `after-${hours}`, delayMs: hours * hourMs, assigned: people, people, converted, share },
});

describe('delays that were drawn by chance (docs/rules.md#rule-114)', () => {
  test('a later delay that does significantly better is suggested with both delays, the effect and p', () => {
    const analysis = compareDelays([arm(36, 2_400, 156), arm(24, 2_400, 120)]);
    expect(analysis.state).toBe('enough');
    const [own, later] = analysis.arms;
    expect(own?.arm.delayMs).toBe(24 * hourMs);
    expect(later?.z).toBeCloseTo(2.232_067, 6);
    expect(later?.p).toBeCloseTo(0.025_610_52, 8);
    expect(later?.difference?.interval.low).toBeCloseTo(0.001_814_12, 8);
    expect(delaySuggestion('cart', 'nudge', analysis)).toBe(
      'Move step nudge of cart from 24 h to 36 h: +30 % conversions (6.5 % instead of 5.0 %, p = 0.026).',
    );
  });

  test('four delays of the worked example show no trend and no suggestion', () => {
    const analysis = compareDelays([60, 75, 82, 70].map((converted, index) => arm(12 * (index + 1), 1_500, converted, 0.25)));
    expect(analysis.trend?.z).toBeCloseTo(1.000_966, 6);
    expect(delaySuggestion('cart', 'nudge', analysis)).toBeNull();
  });

  test('too few say what is missing; arms that are not as large as they should be say nothing', () => {
    expect(compareDelays([arm(1, 30, 4), arm(2, 60, 12)])).toMatchObject({
      state: 'not_enough',
      missing: { people: 20, conversions: 6 },
      better: null,
    });
    expect(compareDelays([arm(1, 5_000, 200), arm(2, 5_500, 400)])).toMatchObject({ state: 'unsound', better: null });
  });

  test('nothing is suggested that does worse, and never without enough', () => {
    const counts = fc.record({ people: fc.integer({ min: 0, max: 3_000 }), rate: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(counts, { minLength: 2, maxLength: 5 }), (arms) => {
        const analysis = compareDelays(arms.map(({ people, rate }, index) => arm(index + 1, people, Math.floor(people * rate), 1 / arms.length)));
        if (analysis.better === null) return;
        expect(analysis.state).toBe('enough');
        expect(analysis.better.rate ?? 0).toBeGreaterThan(analysis.arms[0]?.rate ?? 1);
        expect(analysis.better.p ?? 1).toBeLessThan(0.05);
      }),
    );
  });
});

describe('the largest drop-off (docs/rules.md#rule-115)', () => {
  const step = (name: string, executed: number, left: number, more = {}) => ({
    ...{ step: name, order: 0, channels: ['sms'], executed, converted: 0, left },
    ...more,
  });

  test('is the one that is largest for certain, not the one with most luck', () => {
    expect(largestDropOff([step('small', 20, 12), step('large', 4_000, 2_000)])?.step).toBe('large');
    expect(largestDropOff([step('few', 19, 19)])).toBeNull();
    expect(largestDropOff([step('nobody', 500, 0)])).toBeNull();
  });

  test('has advice for what it depends on', () => {
    expect(largestDropOff([step('a', 400, 100, { channels: ['email'] })])?.because).toBe('email');
    expect(largestDropOff([step('a', 400, 100, { channels: ['email'], order: 3 })])?.because).toBe('late_in_the_sequence');
    const byHours = [
      { from: 6, to: 12, people: 200, converted: 20 },
      { from: 18, to: 24, people: 200, converted: 80 },
    ];
    const found = largestDropOff([step('a', 400, 100, { byHours })]);
    expect(found?.because).toBe('time_of_day');
    expect(found?.advice).toBe('Change the schedule: fewest leave where it goes out from 6:00 to 12:00 (10 %), most from 18:00 to 24:00 (40 %).');
    const alike = [
      { from: 6, to: 12, people: 200, converted: 48 },
      { from: 18, to: 24, people: 200, converted: 52 },
    ];
    expect(largestDropOff([step('a', 400, 100, { byHours: alike })])?.because).toBe('other');
  });
});

describe('leaderboards (docs/rules.md#rule-116)', () => {
  test('stand in the order of the worked example, small samples behind', () => {
    const entrants = [
      [8, 60],
      [95, 1_000],
      [30, 250],
      [410, 5_000],
    ].map(([converted = 0, people = 0], index) => ({ key: `${index + 1}`, name: `${index + 1}`, people, converted }));
    const placed = leaderboard(entrants);
    expect(placed.map(({ key }) => key)).toEqual(['3', '2', '4', '1']);
    expect(placed[0]?.atLeast).toBeCloseTo(0.080_233_56, 7);
    expect(placed.map(({ place }) => place)).toEqual([1, 2, 3, 4]);
  });

  test('whoever has nobody has no place, and nothing is divided by nothing', () => {
    expect(leaderboard([{ key: 'a', name: 'a', people: 0, converted: 0 }])).toEqual([]);
    const all = leaderboard([
      { key: 'a', name: 'a', people: 3, converted: 3 },
      { key: 'b', name: 'b', people: 300, converted: 300 },
    ]);
    expect(all.map(({ key }) => key)).toEqual(['b', 'a']);
    expect(all.every(({ atLeast }) => atLeast >= 0 && atLeast <= 1)).toBe(true);
  });
});
