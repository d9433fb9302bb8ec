import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../domain/sequence/duration.ts';

test.each([
  ['45s', 45_000],
  ['30m', 1_800_000],
  ['24h', 86_400_000],
  ['3d', 259_200_000],
  ['0s', 0],
  ['366d', 366 * 86_400_000],
])('%s is %d ms', (text, spanMs) => {
  expect(parseDuration(text)).toBe(spanMs);
});

test.each(['', '1', 'h', '1 h', '1.5h', '-1h', '1w', '1H', '1h30m', '367d', '99999999999d', '1h\n', '１h'])('%j is no span', (text) => {
  expect(parseDuration(text)).toBeNull();
});

test('a span is written in the largest unit that divides it', () => {
  expect([90_000, 5_400_000, 7_200_000, 172_800_000, 0].map(formatDuration)).toEqual(['90s', '90m', '2h', '2d', '0s']);
});

test('what is written can be read again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 366 * 86_400 }), (seconds) => {
      expect(parseDuration(formatDuration(seconds * 1_000))).toBe(seconds * 1_000);
    }),
  );
});
