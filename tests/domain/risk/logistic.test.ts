import { describe, expect, test } from 'vitest';
import { fitLogistic } from '../../../domain/risk/logistic.ts';

describe('ridge logistic regression', () => {
  // scipy 1.17 and scikit-learn 1.9.1 (`C = 1 / ridge`).
  test('has the coefficients of other implementations', () => {
    const line = fitLogistic([[0], [1], [2], [3], [4], [5], [6], [7]], [0, 0, 0, 1, 0, 1, 1, 1], 1);
    expect(line.intercept).toBeCloseTo(-3.037_325_94, 8);
    expect(line.weights[0]).toBeCloseTo(0.867_807_41, 8);
    const rows = [
      [0.5, 2],
      [1.5, -1],
      [-0.3, 0],
      [2, 1],
      [-1, 3],
      [0, -2],
      [0.7, 0.7],
      [-2, 1],
    ];
    const plane = fitLogistic(rows, [1, 0, 0, 1, 1, 0, 1, 0], 0.5);
    expect(plane.intercept).toBeCloseTo(-1.168_471_35, 8);
    expect(plane.weights[0]).toBeCloseTo(0.963_456_21, 8);
    expect(plane.weights[1]).toBeCloseTo(1.561_962_28, 8);
  });

  test('stays finite where a line separates both outcomes', () => {
    const fit = fitLogistic([[-1e3], [-1], [1], [1e3]], [0, 0, 1, 1], 1);
    expect(fit.converged).toBe(true);
    expect(fit.weights[0]).toBeGreaterThan(0);
    expect(Number.isFinite(fit.weights[0])).toBe(true);
  });

  test('gives a column that is always 0 no weight', () => {
    const fit = fitLogistic(
      [
        [0, 1],
        [0, 2],
        [0, 3],
        [0, 4],
      ],
      [0, 1, 0, 1],
      0,
    );
    expect(fit.weights[0]).toBe(0);
    expect(fit.converged).toBe(true);
  });
});
