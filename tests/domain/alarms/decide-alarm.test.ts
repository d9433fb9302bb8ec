import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AlarmStanding, decideAlarm } from '../../../domain/alarms/decide-alarm.ts';

// An alarm is raised by trouble that lasts and cleared by calm that lasts, whatever the figures in between.

const holdMs = 300_000;
const minuteMs = 60_000;
const threshold = { limit: 100, trouble: 'above' as const };
const run = (figures: readonly (number | null)[], given: { limit: number | null; trouble: 'above' | 'below' } = threshold) => {
  let standing: AlarmStanding = { raised: false, crossedAtMs: null };
  return figures.map((figure, minute) => {
    const next = decideAlarm(standing, figure, given, { nowMs: minute * minuteMs, holdMs });
    standing = next;
    return next;
  });
};
const changesOf = (figures: readonly (number | null)[], given = threshold) => run(figures, given).map(({ change }) => change);
const minutes = (count: number, figure: number | null) => Array.from({ length: count }, () => figure);

test('what lasts five minutes is raised, once; a tenth of the way back for five minutes clears it', () => {
  const changes = changesOf([...minutes(8, 101), ...minutes(8, 95), ...minutes(8, 90)]);
  expect(changes.indexOf('raised')).toBe(5);
  expect(changes.indexOf('cleared')).toBe(21);
  expect(changes.filter((change) => change !== null)).toEqual(['raised', 'cleared']);
});

test('a peak, a figure that goes to and fro and one at its threshold raise nothing', () => {
  expect(changesOf([...minutes(4, 500), ...minutes(10, 0)])).not.toContain('raised');
  expect(changesOf(Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? 101 : 99)))).not.toContain('raised');
  expect(changesOf(minutes(20, 100))).not.toContain('raised');
});

test('below a threshold is trouble where the figure should be high', () => {
  const changes = run([...minutes(8, 0.94), ...minutes(8, 0.951), ...minutes(8, 0.96)], { limit: 0.95, trouble: 'below' }).map(
    ({ change }) => change,
  );
  expect([changes.indexOf('raised'), changes.indexOf('cleared')]).toEqual([5, 21]);
});

test('without a threshold, or where there is nothing to measure, an alarm ends', () => {
  expect(changesOf([...minutes(8, 101), ...minutes(8, null)])).toContain('cleared');
  expect(run(minutes(20, 1_000_000), { limit: null, trouble: 'above' }).every(({ raised }) => !raised)).toBe(true);
});

test('over any history: raised and cleared take turns, and each follows five minutes of trouble or of calm', () => {
  const figure = fc.option(fc.integer({ min: 50, max: 150 }), { freq: 10 });
  fc.assert(
    fc.property(fc.array(fc.tuple(figure, fc.integer({ min: 1, max: 8 })), { maxLength: 30 }), (parts) => {
      const figures = parts.flatMap(([value, times]) => minutes(times, value));
      const seen = run(figures);
      let raised = false;
      for (const [at, { change, raised: now }] of seen.entries()) {
        const span = figures.slice(Math.max(0, at - 5), at + 1);
        if (change === 'raised') expect(raised || span.length < 6 || span.some((one) => one === null || one <= 100)).toBe(false);
        if (change === 'cleared') expect(!raised || span.some((one) => one !== null && one > 90)).toBe(false);
        // Six minutes of trouble leave no doubt.
        if (span.length === 6 && span.every((one) => one !== null && one > 100)) expect(now).toBe(true);
        raised = now;
      }
    }),
  );
});
