import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AttemptOutcome,
  isGivenUp,
  longestRetryAfterMs,
  mostAttempts,
  nextAttempt,
  pausesMs,
  retryAfterMsOf,
} from '../../../domain/webhooks/next-attempt.ts';

const nowMs = Date.UTC(2026, 0, 15, 12);
const anOutcome: fc.Arbitrary<AttemptOutcome> = fc.oneof(
  fc.constant({ kind: 'unanswered' as const }),
  fc.record({
    kind: fc.constant('answered' as const),
    status: fc.integer({ min: 100, max: 599 }),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 30 * 86_400_000 })),
  }),
);
const random = fc.double({ min: 0, max: 1, noNaN: true });

test('what is not taken is attempted ten times in three to five days, and then given up', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anOutcome, random), { minLength: mostAttempts, maxLength: mostAttempts }), (history) => {
      let atMs = nowMs;
      for (const [index, [outcome, chance]] of history.entries()) {
        const attempts = index + 1;
        const next = nextAttempt(outcome, { attempts, random: chance, nowMs: atMs });
        const taken = outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300;
        const gone = outcome.kind === 'answered' && outcome.status === 410;
        if (taken || gone || attempts === mostAttempts) {
          expect(next).toEqual({ kind: taken ? 'delivered' : gone ? 'gone' : 'given_up' });
          return;
        }
        if (next.kind !== 'retry') throw new Error(`attempt ${attempts}: ${next.kind}`);
        const pause = pausesMs[index] ?? 0;
        expect(next.atMs - atMs).toBeGreaterThanOrEqual(pause);
        expect(next.atMs - atMs).toBeLessThanOrEqual(1.2 * Math.max(pause, longestRetryAfterMs) + 1);
        atMs = next.atMs;
      }
    }),
  );
});

test('the schedule takes about three days, with and without jitter', () => {
  const hours = (chance: number) => {
    let atMs = nowMs;
    for (let attempts = 1; attempts < mostAttempts; attempts++) {
      const next = nextAttempt({ kind: 'unanswered' }, { attempts, random: chance, nowMs: atMs });
      if (next.kind === 'retry') atMs = next.atMs;
    }
    return (atMs - nowMs) / 3_600_000;
  };
  expect(hours(0)).toBeCloseTo(75.58, 1);
  expect(hours(1)).toBeCloseTo(90.7, 1);
});

test('a receiver may ask for a longer pause, but not for a shorter one, nor for more than a day', () => {
  const asked = (seconds: number) => {
    const next = nextAttempt({ kind: 'answered', status: 429, retryAfterMs: seconds * 1_000 }, { attempts: 2, random: 0, nowMs });
    return next.kind === 'retry' ? (next.atMs - nowMs) / 1_000 : null;
  };
  expect(asked(10)).toBe(300);
  expect(asked(900)).toBe(900);
  expect(asked(30 * 86_400)).toBe(86_400);
});

test('Retry-After is read as seconds or as a date', () => {
  expect(retryAfterMsOf('120', nowMs)).toBe(120_000);
  expect(retryAfterMsOf('Thu, 15 Jan 2026 12:01:00 GMT', nowMs)).toBe(60_000);
  expect(retryAfterMsOf('Thu, 15 Jan 2026 11:00:00 GMT', nowMs)).toBe(0);
  expect(retryAfterMsOf('soon', nowMs)).toBe(null);
  expect(retryAfterMsOf(null, nowMs)).toBe(null);
});

test('an endpoint is disabled after five days without a success', () => {
  expect(isGivenUp(nowMs - 5 * 86_400_000 + 1, nowMs)).toBe(false);
  expect(isGivenUp(nowMs - 5 * 86_400_000, nowMs)).toBe(true);
});
