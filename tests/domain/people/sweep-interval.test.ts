import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSweepDue } from '../../../domain/people/sweep-interval.ts';

const minuteMs = 60_000;

test('passes that come a little early or late examine a store once in its interval, to the nearest pass', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 240 }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.array(fc.double({ min: -0.1, max: 0.1, noNaN: true }), { minLength: 50, maxLength: 200 }),
      (passMinutes, minutes, jitter) => {
        const [passEveryMs, intervalMs] = [passMinutes * minuteMs, minutes * minuteMs];
        let lastMs: number | null = null;
        jitter.forEach((part, pass) => {
          const nowMs = (pass + part) * passEveryMs;
          const sinceMs = lastMs === null ? null : nowMs - lastMs;
          const due = isSweepDue({ intervalMs, passEveryMs, sinceMs });
          // Never before the interval is over, but for half a pass; and never a whole pass after it.
          if (sinceMs !== null && intervalMs > passEveryMs) {
            if (due) expect(sinceMs).toBeGreaterThanOrEqual(intervalMs - passEveryMs / 2);
            else expect(sinceMs).toBeLessThan(intervalMs);
          } else expect(due).toBe(true);
          if (due) lastMs = nowMs;
        });
      },
    ),
  );
});

test('without an interval of its own, or with one below the installation’s, every pass examines the store', () => {
  expect(isSweepDue({ intervalMs: null, passEveryMs: minuteMs, sinceMs: 0 })).toBe(true);
  expect(isSweepDue({ intervalMs: minuteMs, passEveryMs: 10 * minuteMs, sinceMs: 0 })).toBe(true);
  expect(isSweepDue({ intervalMs: 60 * minuteMs, passEveryMs: 10 * minuteMs, sinceMs: 54 * minuteMs })).toBe(false);
  expect(isSweepDue({ intervalMs: 60 * minuteMs, passEveryMs: 10 * minuteMs, sinceMs: 55 * minuteMs })).toBe(true);
  expect(isSweepDue({ intervalMs: 60 * minuteMs, passEveryMs: 10 * minuteMs, sinceMs: null })).toBe(true);
});
