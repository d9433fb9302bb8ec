import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { brierParts, calibrate, calibratedChance, qualityOf } from '../../../domain/risk/quality.ts';

const chances = [0.1, 0.2, 0.35, 0.4, 0.65, 0.7, 0.85, 0.9];
const outcomes = [0, 0, 1, 0, 1, 0, 1, 1].map(Boolean);
const logits = chances.map((chance) => Math.log(chance / (1 - chance)));

describe('the quality of chances', () => {
  test('is that of other implementations', () => {
    const quality = qualityOf(chances, outcomes);
    expect(quality.brier).toBeCloseTo(0.159_687_5, 10);
    expect(quality.brierSkill).toBeCloseTo(0.361_25, 10);
    expect(quality.logLoss).toBeCloseTo(0.473_973_37, 8);
    expect(quality.auc).toBe(0.8125);
    expect(quality.calibrationSlope).toBeCloseTo(1.221_967_71, 8);
    expect(quality.calibrationIntercept).toBeCloseTo(-0.109_195_29, 8);
    const parts = brierParts(chances, outcomes, [0.3, 0.6, 0.8]);
    expect(parts.reliability).toBeCloseTo(0.021_093_75, 10);
    expect(parts.resolution).toBeCloseTo(0.125, 10);
    expect(parts.uncertainty).toBeCloseTo(0.25, 10);
  });

  test('has no figure where none exists', () => {
    expect(qualityOf([0.2, 0.4], [false, false])).toMatchObject({ brierSkill: null, auc: null, calibrationSlope: null, calibrationIntercept: null });
    expect(qualityOf([0.1, 0.2, 0.8], [false, false, true])).toMatchObject({ auc: 1, calibrationSlope: null });
    expect(qualityOf([0.5, 0.5], [false, true])).toMatchObject({ auc: 0.5, brierSkill: 0, calibrationSlope: null });
    expect(Number.isFinite(qualityOf([0, 1], [true, false]).logLoss)).toBe(true);
    expect(() => qualityOf([], [])).toThrow('one example at least');
    expect(() => qualityOf([0.5], [])).toThrow('1 chances and 0 outcomes');
  });

  test('of a pair in the wrong order counts it, and of a tie half', () => {
    expect(qualityOf([0.9, 0.1], [false, true]).auc).toBe(0);
    expect(qualityOf([0.3, 0.3, 0.1], [false, true, false]).auc).toBe(0.75);
  });
});

describe('calibration', () => {
  // Newton's method in numpy, on Platt's targets.
  test('is that of another implementation', () => {
    const calibration = calibrate(logits, outcomes);
    expect(calibration?.intercept).toBeCloseTo(-0.068_931_93, 8);
    expect(calibration?.slope).toBeCloseTo(0.657_921_63, 8);
  });

  test('keeps the order of any scores, and makes chances of them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double({ min: -30, max: 30, noNaN: true }), fc.boolean()), { minLength: 2, maxLength: 40 }), (rows) => {
        const scores = rows.map(([score]) => score);
        const calibration = calibrate(
          scores,
          rows.map(([, lost]) => lost),
        );
        if (calibration === null) return;
        const calibrated = scores.toSorted((a, b) => a - b).map((score) => calibratedChance(calibration, score));
        for (const [index, chance] of calibrated.entries()) {
          expect(chance).toBeGreaterThanOrEqual(calibrated[index - 1] ?? 0);
          expect(chance).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('is refused where an outcome is missing, or higher scores were lost less often', () => {
    expect(calibrate([1, 2], [true, true])).toBeNull();
    expect(calibrate([], [])).toBeNull();
    expect(calibrate([1, 2, 3, 4], [true, true, false, false])).toBeNull();
  });
});
