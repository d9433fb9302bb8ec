import { describe, expect, test } from 'vitest';
import { armOf } from '../../../domain/experiments/arm.ts';
import { sampleRatio } from '../../../domain/statistics/sample-ratio.ts';

describe('the sample-ratio check', () => {
  test('finds 5000 against 5300 suspicious, and not more than that (χ² = 8.737864, p = 0.003116694)', () => {
    const ratio = sampleRatio([5000, 5300], [5150, 5150]);
    expect(ratio?.chiSquared).toBeCloseTo(8.737_864, 6);
    expect(ratio?.p).toBeCloseTo(0.003_116_694, 9);
    expect(ratio?.mismatch).toBe(false);
  });

  // Upper tails of χ² from tables: Abramowitz and Stegun, 26.8.
  test.each([
    [3.841_458_820_694_124, 1, 0.05],
    [10.827_566_170_662_733, 1, 0.001],
    [5.991_464_547_107_979, 2, 0.05],
    [16.266_236_196_238_13, 3, 0.001],
    [0.454_936_423_119_572_7, 1, 0.5],
  ])('χ² = %d with %d degrees of freedom', (chiSquared, degrees, p) => {
    // Counts that lead to this χ²: the first arm is off, the others are as they should be, and each is expected to hold 100.
    const off = Math.sqrt((chiSquared * 100) / 2);
    const counts = [100 + off, 100 - off, ...Array.from({ length: degrees - 1 }, () => 100)];
    expect(
      sampleRatio(
        counts,
        counts.map(() => 100),
      )?.p,
    ).toBeCloseTo(p, 10);
  });

  test('a mismatch is named', () => {
    expect(sampleRatio([880, 120], [900, 100])?.mismatch).toBe(false);
    expect(sampleRatio([850, 150], [900, 100])?.mismatch).toBe(true);
  });

  test('with one arm there is nothing to compare', () => {
    expect(sampleRatio([10, 0], [10, 0])).toBeNull();
    expect(sampleRatio([], [])).toBeNull();
  });
});

test('a point below the share is held out, and none at 0 %', () => {
  expect([0, 0.0999, 0.1, 0.9999].map((point) => armOf(point, 10))).toEqual(['holdout', 'holdout', 'treated', 'treated']);
  expect(armOf(0, 0)).toBe('treated');
  expect(armOf(0.4999, 50)).toBe('holdout');
});
