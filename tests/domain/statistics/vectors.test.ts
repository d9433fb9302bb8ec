import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shareOut, weightsOf, attributionModels } from '../../../domain/attribution/models.ts';
import { competingRisks, incidenceInterval, restrictedMean, stepFunnel, timeByWhich } from '../../../domain/statistics/competing-risks.ts';
import { adjustedP } from '../../../domain/statistics/false-discovery.ts';
import { bootstrapDifference, cuped, momentsOf, relativeLiftOfMeans, welch } from '../../../domain/statistics/means.ts';
import { normalCdf, normalQuantile, twoSidedP } from '../../../domain/statistics/normal.ts';
import { logOdds } from '../../../domain/statistics/phrases.ts';
import {
  differenceInterval,
  homogeneity,
  peopleInAll,
  peoplePerArm,
  relativeLift,
  trend,
  wilsonInterval,
} from '../../../domain/statistics/proportions.ts';
import { mixtureSprt, obrienFlemingBounds, sequenceReach, tuning } from '../../../domain/statistics/sequential.ts';
import { hoursOfPerson, lowerBound, sharedPrior, shrunk } from '../../../domain/statistics/shrinkage.ts';
import { banditShares, chancesToBeBest, expectedLoss } from '../../../domain/statistics/thompson.ts';
import { seededRandom } from '../../chaos/random.ts';

// Worked by other implementations: scipy, R's survival, the papers that the functions name.

const cases = (people: number, converted: number) => ({ people, converted });
const [control, better] = [cases(2_400, 120), cases(2_400, 156)];
const close = (found: number | undefined | null, expected: number, digits = 8): void => {
  expect(found).toBeCloseTo(expected, digits);
};

test('the normal distribution, also deep in its tail', () => {
  expect(normalCdf(-5) / 2.866_515_718_791_939e-7).toBeCloseTo(1, 12);
  expect(normalCdf(-9) / 1.128_588_405_953_84e-19).toBeCloseTo(1, 12);
  close(normalCdf(1.959_963_984_540_054), 0.975, 14);
  close(normalQuantile(0.975), 1.959_963_984_540_054, 13);
  close(twoSidedP(2.232_067), 0.025_610_52, 7);
  fc.assert(fc.property(fc.double({ min: 1e-12, max: 1 - 1e-9, noNaN: true }), (p) => close(normalCdf(normalQuantile(p)) / p, 1)));
});

describe('rates', () => {
  test('their intervals', () => {
    const known = (x: number, n: number, low: number, high: number) => {
      const found = wilsonInterval(x, n);
      close(found?.low, low);
      close(found?.high, high);
    };
    known(120, 2_400, 0.041_977_01, 0.059_461_23);
    known(156, 2_400, 0.055_815_64, 0.075_574_66);
    known(3, 10, 0.107_791_27, 0.603_221_85);
    known(0, 50, 0, 0.071_347_6);
    expect(wilsonInterval(0, 0)).toBeNull();
  });

  test('what differs, and by how much', () => {
    const difference = differenceInterval(control, better);
    close(difference?.low, 0.001_814_12);
    close(difference?.high, 0.028_273_73);
    const lift = relativeLift(control, better);
    close(lift?.lift, 0.3);
    close(lift?.interval.low, 0.031_694_59);
    close(lift?.interval.high, 0.638_081_68);
    expect(relativeLift(cases(10, 0), better)).toBeNull();
  });

  test('how many people it takes', () => {
    close(peoplePerArm({ from: 0.05, to: 0.06, power: 0.8 }), 8_157.73, 2);
    close(peoplePerArm({ from: 0.03, to: 0.036, power: 0.8 }), 13_913.58, 2);
    expect([0.1, 0.2, 0.5].map((share) => peopleInAll({ from: 0.05, to: 0.06, power: 0.8 }, share))).toEqual([42_201, 24_175, 16_310]);
  });

  test('of several arms', () => {
    const arms = [60, 75, 82, 70].map((converted) => cases(1_500, converted));
    close(trend(arms, [12, 24, 36, 48])?.z, 1.000_966, 6);
    close(trend(arms, [12, 24, 36, 48])?.p, 0.316_843, 6);
    close(homogeneity(arms)?.chiSquared, 3.758_163, 6);
    close(homogeneity(arms)?.p, 0.288_79, 6);
  });
});

describe('looked at as often as anybody likes', () => {
  test('mSPRT', () => {
    const found = mixtureSprt(control, better, 0.01);
    close(found?.likelihoodRatio, 3.108_815_94);
    close(found?.p, 0.321_665_87);
    close(found?.reach, 0.021_650_3);
    expect(mixtureSprt(cases(100, 19), better, 0.01)).toBeNull();
  });

  test('confidence sequences of a mean', () => {
    close(tuning(5_000), 0.039_840_07);
    close(sequenceReach(0.5, 4_800, tuning(5_000)), 0.021_907_16);
  });

  test('five planned looks', () => {
    const bounds = obrienFlemingBounds(5);
    for (const [look, bound] of [4.876_885, 3.357_012, 2.680_28, 2.289_817, 2.031_032].entries()) close(bounds[look], bound, 6);
  });
});

test('bandits', () => {
  close(chancesToBeBest([control, better])[1], 0.987_147_03);
  // Beta(2, 3) and Beta(4, 2).
  close(chancesToBeBest([cases(3, 1), cases(4, 3)])[1], 0.833_333_33);
  for (const [arm, chance] of [0.036_715_98, 0.222_264_51, 0.741_019_51].entries())
    close(chancesToBeBest([10, 14, 18].map((converted) => cases(200, converted)))[arm], chance);
  close(expectedLoss(better, control), 3.020_32e-5, 10);
  const shares = banditShares([cases(2_000, 20), cases(2_000, 200)], 0.1);
  close(shares[0], 0.1);
  close(shares[1], 0.9);
});

describe('means', () => {
  test('revenue of everybody who was assigned, zeros included', () => {
    const found = welch({ n: 1_000, mean: 5.2, variance: 36 ** 2 }, { n: 9_000, mean: 6.5, variance: 40 ** 2 });
    close(found?.error, 1.213_992_49);
    close(found?.degrees, 1_289.179_1, 4);
    close(found?.interval.low, -1.081_617_55);
    close(found?.interval.high, 3.681_617_55);
    close(found?.p, 0.284_438_747, 9);
    expect(relativeLiftOfMeans({ n: 1_000, mean: 5.2, variance: 36 ** 2 }, { n: 9_000, mean: 6.5, variance: 40 ** 2 })?.lift).toBeCloseTo(0.25, 12);
  });

  const [treated, held] = [
    [0, 12, 0, 30, 5, 0, 18, 7],
    [0, 8, 0, 15, 2, 0, 9, 4],
  ];
  test('of raw values', () => {
    const [a, b] = [momentsOf(held ?? []), momentsOf(treated ?? [])];
    const found = a === null || b === null ? null : welch(a, b);
    close(found?.difference, 4.25);
    close(found?.t, 1.003_978_14);
    close(found?.degrees, 10.453_524_17);
    close(found?.p, 0.338_062_83);
  });

  test('less what was known before', () => {
    const before = [
      [2, 10, 1, 22, 4, 3, 15, 6],
      [1, 9, 2, 20, 3, 4, 11, 5],
    ];
    const arm = (values: number[] | undefined, of: number) => (values ?? []).map((value, index) => ({ value, before: before[of]?.[index] ?? 0 }));
    const found = cuped(arm(held, 1), arm(treated, 0));
    close(found?.theta, 1.205_515_68);
    close(found?.difference, 3.044_484_32);
    close(found?.t, 2.596_777_87);
    close(found?.p, 0.021_671_27);
  });

  test('a bootstrap agrees with theory where theory holds', () => {
    const random = seededRandom(3);
    const arm = (mean: number) => Array.from({ length: 400 }, () => mean + normalQuantile(random.real() * 0.999_998 + 1e-6));
    const [a, b] = [arm(0), arm(1)];
    const [ofA, ofB] = [momentsOf(a), momentsOf(b)];
    const theory = ofA === null || ofB === null ? null : welch(ofA, ofB);
    const found = bootstrapDifference(a, b, 2_000, random.real);
    expect(Math.abs(found.low - (theory?.interval.low ?? 0))).toBeLessThan(0.03);
    expect(Math.abs(found.high - (theory?.interval.high ?? 0))).toBeLessThan(0.03);
  });
});

describe('competing ends', () => {
  const times = [1, 1, 2, 3, 3, 4, 5, 7, 7, 10, 14, 30];
  const causes = ['converted', 'opted_out', 'converted', null, 'converted', 'opted_out', 'converted', null, 'opted_out', 'converted', null, null];
  const rows = competingRisks(times.map((time, index) => ({ time, cause: causes[index] ?? null })));
  const last = rows.at(-1);

  test('by Aalen and Johansen, with their errors', () => {
    close(last?.ended['converted']?.share, 0.472_222_22);
    close(last?.ended['converted']?.error, 0.158_808_68);
    close(last?.ended['opted_out']?.share, 0.273_809_52);
    close(last?.ended['opted_out']?.error, 0.134_868_52);
    close(last?.free, 0.253_968_25);
    close(restrictedMean(rows, 30), 10.996_031_75);
  });

  test('people with the same course may be counted together', () => {
    const twice = times.map((time, index) => ({ time, cause: causes[index] ?? null }));
    const counted = competingRisks(twice.map((course) => ({ ...course, people: 2 })));
    expect(counted).toEqual(competingRisks([...twice, ...twice]));
  });

  test('the interval of a share lies around it, between 0 and 1', () => {
    const interval = incidenceInterval(last?.ended['converted'] ?? { share: 0, error: 0 });
    expect(interval?.low).toBeGreaterThan(0.1);
    expect(interval?.low).toBeLessThan(0.4722);
    expect(interval?.high).toBeGreaterThan(0.4722);
    expect(interval?.high).toBeLessThan(0.8);
    expect(incidenceInterval({ share: 0, error: 0 })).toBeNull();
  });

  test('1 − Kaplan–Meier would claim more', () => {
    const alone = competingRisks(times.map((time, index) => ({ time, cause: causes[index] === 'converted' ? 'converted' : null })));
    close(alone.at(-1)?.ended['converted']?.share, 0.592_592_59);
  });

  test('the time by which a share had converted', () => {
    expect(timeByWhich(rows, 'converted', 0.25)).toBe(3);
    expect(timeByWhich(rows, 'converted', 0.5)).toBeNull();
  });

  test('whatever happens, the shares of all ends and of those without one add up to 1', () => {
    const course = fc.record({ time: fc.nat({ max: 20 }), cause: fc.constantFrom(null, 'converted', 'opted_out', 'completed') });
    fc.assert(
      fc.property(fc.array(course, { minLength: 1, maxLength: 80 }), (courses) => {
        for (const { free, ended } of competingRisks(courses)) close(free + Object.values(ended).reduce((sum, { share }) => sum + share, 0), 1, 10);
      }),
    );
  });

  test('a funnel step by step', () => {
    const funnel = stepFunnel([
      { entered: 10_000, converted: 380, left: 100 },
      { entered: 9_520, converted: 290, left: 180 },
      { entered: 9_050, converted: 140, left: 110 },
      { entered: 8_800, converted: 210, left: 100 },
    ]);
    for (const [step, hazard] of [0.038, 0.030_462_18, 0.015_469_61, 0.023_863_64].entries()) close(funnel[step]?.hazard, hazard);
    close(funnel.at(-1)?.cumulative, 0.102);
    expect(funnel.at(-1)?.remaining).toBe(8_490);
  });
});

test('many hypotheses at once', () => {
  const values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1];
  const adjusted = adjustedP(values);
  expect(adjusted.filter((p) => p <= 0.05)).toHaveLength(4);
  close(adjusted[3], 0.035_625);
  close(adjusted[4], 0.0603);
  expect(adjustedP(values.toReversed())).toEqual(adjusted.toReversed());
});

test('words of winners against words of losers', () => {
  const z = logOdds({ free: 30, today: 20, cart: 50, hurry: 4 }, { free: 12, today: 22, cart: 55, hurry: 15 });
  const known = { free: 3.198_723, today: -0.369_179, cart: -0.940_88, hurry: -2.482_989 };
  for (const [word, expected] of Object.entries(known)) close(z[word], expected, 6);
});

test('small cells are drawn towards what is usual', () => {
  const cells = [2, 1, 30, 45, 12, 0].map((converted, index) => cases([10, 40, 600, 700, 400, 20][index] ?? 0, converted));
  const prior = sharedPrior(cells);
  close(prior?.strength, 158.838_098, 5);
  const expected = [0.059_681_51, 0.045_647_76, 0.050_177_39, 0.061_800_37, 0.035_925_46, 0.045_161_03];
  for (const [index, cell] of cells.entries()) close(shrunk(cell, prior?.mean ?? 0, prior?.strength ?? 0), expected[index] ?? 0);
});

test('a leaderboard goes by what a rate is at least', () => {
  const entries = [8, 95, 30, 410].map((converted, index) => cases([60, 1_000, 250, 5_000][index] ?? 0, converted));
  const prior = sharedPrior(entries);
  close(prior?.strength, 490.145_335, 6);
  const bounds = entries.map((entry) => (prior === null ? 0 : lowerBound(entry, prior)));
  for (const [index, bound] of [0.071_915_91, 0.080_061_18, 0.080_233_56, 0.076_347_24].entries()) close(bounds[index], bound);
});

test('the hours of one person', () => {
  const hours = [
    { opens: 5, sends: 8, usual: 0.12 },
    { opens: 0, sends: 6, usual: 0.1 },
    { opens: 1, sends: 10, usual: 0.2 },
    { opens: 0, sends: 2, usual: 0.15 },
  ];
  for (const [index, rate] of [0.242_424_24, 0.080_645_16, 0.171_428_57, 0.138_888_89].entries()) close(hoursOfPerson(hours, 25)[index], rate);
});

describe('attribution', () => {
  const dayMs = 86_400_000;
  test('by a half-life of seven days', () => {
    expect(shareOut(12_000, weightsOf('time_decay', [10 * dayMs, 4 * dayMs, dayMs], 7))).toEqual([2_286, 4_141, 5_573]);
  });

  test('by position: 40 % for the first and for the last, 20 % between them', () => {
    expect(shareOut(100, weightsOf('position', [4, 3, 2, 1], 7))).toEqual([40, 10, 10, 40]);
    expect(shareOut(100, weightsOf('position', [2, 1], 7))).toEqual([50, 50]);
    expect(shareOut(100, weightsOf('position', [1], 7))).toEqual([100]);
    expect(shareOut(100, weightsOf('last', [3, 2, 1], 7))).toEqual([0, 0, 100]);
    expect(shareOut(100, weightsOf('linear', [3, 2, 1], 7))).toEqual([33, 33, 34]);
  });

  test('adds up to the cent, whatever is shared out', () => {
    const ages = fc.array(fc.integer({ min: 0, max: 90 * dayMs }), { minLength: 1, maxLength: 12 }).map((all) => all.toSorted((a, b) => b - a));
    fc.assert(
      fc.property(
        fc.nat({ max: 2 ** 31 }),
        ages,
        fc.constantFrom(...attributionModels),
        fc.integer({ min: 1, max: 60 }),
        (amount, agesMs, model, days) => {
          const parts = shareOut(amount, weightsOf(model, agesMs, days));
          expect(parts.reduce((sum, part) => sum + part, 0)).toBe(amount);
          expect(parts.every((part) => Number.isInteger(part) && part >= 0)).toBe(true);
        },
      ),
    );
  });
});
