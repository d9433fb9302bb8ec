import { expect, test } from 'vitest';
import { isNewEvidence } from '../../../domain/learning/dismissal.ts';

const then = { n: 100, rate: 0.5, interval: { low: 0.4, high: 0.6 }, because: 'email' as const };

test('the same figures with a few people more are no news', () => {
  expect(isNewEvidence(then, then)).toBe(false);
  expect(isNewEvidence(then, { ...then, n: 199, rate: 0.59, interval: { low: 0.5, high: 0.65 } })).toBe(false);
});

test('another cause, twice the people, or a rate outside of what was known is news', () => {
  expect(isNewEvidence(then, { ...then, because: 'time_of_day' })).toBe(true);
  expect(isNewEvidence(then, { ...then, n: 200 })).toBe(true);
  expect(isNewEvidence(then, { ...then, n: 120, rate: 0.61 })).toBe(true);
  expect(isNewEvidence(then, { ...then, n: 120, rate: 0.39 })).toBe(true);
});
