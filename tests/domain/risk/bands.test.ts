import { describe, expect, test } from 'vitest';
import {
  bandOf,
  daysLeft,
  isHigher,
  quantileRanks,
  riskLevelOf,
  riskStages,
  usualThresholds,
  wrongWithThresholds,
} from '../../../domain/risk/bands.ts';
import { rankByRules } from '../../../domain/risk/rules.ts';

describe('bands', () => {
  test.each([
    [0, 'none'],
    [0.299_999, 'none'],
    [0.3, 'early'],
    [0.599_999, 'early'],
    [0.6, 'active'],
    [0.799_999, 'active'],
    [0.8, 'critical'],
    [1, 'critical'],
  ] as const)('%d is %s', (chance, band) => expect(bandOf(chance, usualThresholds)).toBe(band));

  test('are of chances only, and begin in their order', () => {
    for (const wrong of [-0.1, 1.1, Number.NaN]) expect(() => bandOf(wrong, usualThresholds)).toThrow('from 0 to 1');
    expect(wrongWithThresholds(usualThresholds)).toBeNull();
    expect(wrongWithThresholds({ early: 0.6, active: 0.6, critical: 0.8 })).toContain('0.6, 0.6 and 0.8');
    expect(wrongWithThresholds({ early: 0.3, active: Number.NaN, critical: 0.8 })).not.toBeNull();
    expect(isHigher('critical', 'active')).toBe(true);
    expect(isHigher('early', 'early')).toBe(false);
    expect(daysLeft.critical).toEqual({ atLeast: null, below: 7 });
  });

  test('of those who are silent are quantiles: whoever is lost nearly for certain, three of ten are in no band', () => {
    const chances = Array.from({ length: 100 }, (_, index) => 0.85 + index / 1_000);
    const bands = quantileRanks(chances).map((rank) => bandOf(rank, usualThresholds));
    const share = (band: string) => bands.filter((one) => one === band).length;
    expect([share('none'), share('early'), share('active'), share('critical')]).toEqual([30, 30, 20, 20]);
    expect(quantileRanks([5, 5, 5])).toEqual([0.5, 0.5, 0.5]);
    expect(quantileRanks([2, 1])).toEqual([0.75, 0.25]);
    expect(quantileRanks([])).toEqual([]);
  });
});

describe('rules', () => {
  const rules = [
    { feature: 'idleDays', from: 10, to: 30, points: 60 },
    { feature: 'ordersIn90Days', from: 3, to: 0, points: 40 },
  ];

  test('rank by the points of what they say, and name what gave them', () => {
    expect(rankByRules(rules, { idleDays: 20, ordersIn90Days: 0 })).toEqual({
      score: 0.7,
      factors: [
        { features: ['ordersIn90Days'], weight: 0.4 },
        { features: ['idleDays'], weight: 0.3 },
      ],
    });
    expect(rankByRules(rules, { idleDays: 400, ordersIn90Days: 9 }).score).toBe(0.6);
  });

  test('give no points for what is not known', () => {
    expect(rankByRules(rules, { idleDays: null })).toEqual({ score: 0, factors: [] });
    expect(rankByRules(rules, { idleDays: Number.NaN, ordersIn90Days: 'none' })).toEqual({ score: 0, factors: [] });
    expect(() => rankByRules([], {})).toThrow('a rule with points');
  });
});

test.each([
  [0.299, null, null],
  [0.3, 'Early Warning', 'Low'],
  [0.449, 'Early Warning', 'Low'],
  [0.45, 'Early Warning', 'Medium'],
  [0.6, 'Active Risk', 'High'],
  [0.8, 'Critical Risk', 'Critical'],
])('a score of %d is the stage %s and the risk level %s', (score, stage, level) => {
  const band = bandOf(score, usualThresholds);
  expect([riskStages[band], riskLevelOf(band, score, usualThresholds)]).toEqual([stage, level]);
});
