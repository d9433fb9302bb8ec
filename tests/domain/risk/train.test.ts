import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitAdditive, usualAdditive } from '../../../domain/risk/additive.ts';
import type { Example, FeatureValue } from '../../../domain/risk/example.ts';
import { chanceOf } from '../../../domain/risk/logistic.ts';
import { explain, rawLogit } from '../../../domain/risk/model.ts';
import { calibratedChance, type Quality, qualityOf } from '../../../domain/risk/quality.ts';
import { type Candidate, decidePromotion, judgeModel, type Training, trainRisk } from '../../../domain/risk/train.ts';
import { seededRandom } from '../../chaos/random.ts';
import { customers } from './a-customer.ts';

const settings = { seed: 3, bags: 3, pairs: 3 };
const seen = customers(3_000, 1);
const unseen = customers(2_000, 2);
const training = trainRisk(seen, settings);

function learned(from: Training): Extract<Training, { trained: true }> {
  if (!from.trained) throw new Error(from.detail);
  return from;
}

function candidate(name: Candidate['name']): Candidate {
  const found = learned(training).tried.find((tried) => tried.name === name);
  if (found === undefined) throw new Error(`${name} was not tried`);
  return found;
}

describe('a model that was learned', () => {
  test('with pairs sees what only two features tell together; one without does not', () => {
    const [line, alone, together] = (['logistic', 'additive', 'additive_with_pairs'] as const).map((name) =>
      judgeModel(candidate(name).model, unseen),
    );
    expect(learned(training).name).toBe('additive_with_pairs');
    expect(together?.auc).toBeGreaterThan((alone?.auc ?? 1) + 0.03);
    expect(alone?.auc).toBeGreaterThan((line?.auc ?? 1) - 0.02);
    expect(together?.calibrationSlope).toBeGreaterThan(0.8);
    expect(together?.calibrationSlope).toBeLessThan(1.25);
    const pairs = candidate('additive_with_pairs').model.model.terms.filter(({ columns }) => columns.length === 2);
    expect(pairs[0]?.columns.map(({ name }) => name)).toEqual(['calls', 'plan']);
  });

  test('is as good on the newest outcomes as it says', () => {
    const { quality, model } = learned(training);
    expect(Math.abs(quality.brier - judgeModel(model, unseen).brier)).toBeLessThan(0.02);
  });

  test('is the same for the same examples and seed, whatever the order of their features, and another for another seed', () => {
    const some = seen.slice(0, 600);
    const reversed = some.map((one) => ({ ...one, features: Object.fromEntries(Object.entries(one.features).toReversed()) }));
    const of = (examples: Example[], seed: number) => JSON.stringify(fitAdditive(examples, { ...usualAdditive, bags: 2, pairs: 2, seed }));
    expect(of(reversed, 5)).toBe(of(some, 5));
    expect(of(some, 6)).not.toBe(of(some, 5));
  });

  test('explains every chance exactly, whatever it is asked: missing values, unknown categories, numbers out of all bounds, text for numbers', () => {
    const anything: fc.Arbitrary<FeatureValue> = fc.oneof(
      fc.constantFrom<FeatureValue>(null, 'business', 'a plan that nobody had', '', '__proto__', Number.NaN, Number.POSITIVE_INFINITY, -1e308, 1e308),
      fc.double({ min: -10, max: 100 }),
      fc.boolean(),
    );
    const features = fc.dictionary(fc.constantFrom('idleDays', 'plan', 'calls', 'noise', 'newsletter', 'shop', 'unheardOf'), anything);
    const stored = learned(training).tried.map(({ model }) => ({ model, copy: JSON.parse(JSON.stringify(model)) }));
    fc.assert(
      fc.property(features, (asked) => {
        for (const { model, copy } of stored) {
          const told = explain(model, asked);
          expect(told.logit).toBe(told.factors.reduce((sum, { weight }) => sum + weight, told.base));
          expect(told.chance).toBe(chanceOf(told.logit));
          expect(told.chance).toBeCloseTo(calibratedChance(model.calibration, rawLogit(model.model, asked)), 12);
          expect(told.chance > 0 && told.chance < 1).toBe(true);
          expect(explain(copy, asked)).toEqual(told);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('has terms that are 0 on average: a weight says how somebody differs from the others', () => {
    const examples = seen.slice(0, 800);
    const { terms, intercept } = fitAdditive(examples, { ...usualAdditive, bags: 2, pairs: 2 });
    const model = { model: { kind: 'additive' as const, intercept, terms }, calibration: { intercept: 0, slope: 1 } };
    const sums = new Map<string, number>();
    for (const { features } of examples) {
      for (const factor of explain(model, features).factors) {
        const name = factor.features.join(' and ');
        sums.set(name, (sums.get(name) ?? 0) + factor.weight);
      }
    }
    for (const sum of sums.values()) expect(Math.abs(sum / examples.length)).toBeLessThan(1e-9);
    expect(sums.has('idleDays')).toBe(true);
    expect(sums.has('shop')).toBe(false);
  });
});

describe('learning', () => {
  test('names the features that tell nobody apart', () => {
    expect(learned(training).notes).toEqual(['Not used, as they tell nobody apart: shop.']);
  });

  test('is refused with fewer than 200 of each outcome, with one example, and with none', () => {
    expect(trainRisk(seen.slice(0, 300), settings)).toMatchObject({ trained: false, reason: 'too_few' });
    expect(trainRisk([], settings)).toEqual({ trained: false, reason: 'too_few', detail: expect.stringContaining('0 lost and 0 kept: 200 of each') });
    expect(trainRisk(seen.slice(0, 1), { ...settings, fewestOutcomes: 0 })).toMatchObject({ trained: false, reason: 'unlearnable' });
  });

  test('judges each half of the newest outcomes by a calibration that has not seen it', () => {
    // Every second customer is lost far more often than the others: what is right for one half is wrong for the other.
    const random = seededRandom(9);
    const halves = Array.from({ length: 1_500 }, (_, index): Example => {
      const idleDays = random.whole(0, 60);
      return { atMs: index, features: { idleDays }, lost: random.chance(chanceOf(idleDays / 20 - 1.5 + (index % 2 === 0 ? 3 : -3))) };
    });
    expect(learned(trainRisk(halves, settings)).quality.brier).toBeGreaterThan(0.5);
  });

  test('is refused where the newest outcomes are all alike, and where nothing foretells them', () => {
    const ended = seen.slice(0, 1_000).map((one, index) => ({ ...one, lost: index >= 700 || one.lost }));
    expect(trainRisk(ended, settings)).toMatchObject({ trained: false, reason: 'unlearnable' });
    const nothing = seen.slice(0, 600).map(({ atMs }, index) => ({ atMs, features: { shop: 'Lakeside Bakery' }, lost: index % 2 === 0 }));
    expect(trainRisk(nothing, settings)).toMatchObject({ trained: false, reason: 'unlearnable' });
  });

  test('from features that know the outcome says so, and stays finite', () => {
    const knowing = seen.slice(0, 1_200).map((one) => ({ ...one, features: { ...one.features, cancelled: one.lost } }));
    const told = learned(trainRisk(knowing, settings));
    expect(told.notes.join()).toContain('knows the outcome already');
    const { chance } = explain(told.model, { cancelled: true });
    expect(chance).toBeGreaterThan(0.9);
    expect(chance).toBeLessThan(1);
  });
});

describe('a challenger', () => {
  const champion: Quality = qualityOf([0.2, 0.3, 0.6, 0.7, 0.4, 0.6], [false, true, true, true, false, false]);
  const withFigures = (brierSkill: number | null, calibrationSlope: number | null): Quality => ({ ...champion, brierSkill, calibrationSlope });

  test.each([
    ['both are better', withFigures(0.3, 1.05), true],
    ['only the skill is better', withFigures(0.3, 1.2), false],
    ['only the slope is better', withFigures(0.2, 1.05), false],
    ['both are the same', withFigures(0.25, 1.1), false],
    ['a slope on the other side of 1 is nearer', withFigures(0.3, 0.95), true],
    ['the newest outcomes say nothing', withFigures(null, null), false],
  ])('where %s', (_, challenger, promoted) => expect(decidePromotion(withFigures(0.25, 1.1), challenger).promoted).toBe(promoted));

  test('that is the first has to be better than one chance for everybody', () => {
    expect(decidePromotion(null, withFigures(0.01, 0.9)).promoted).toBe(true);
    expect(decidePromotion(null, withFigures(0, 0.9))).toEqual({ promoted: false, why: expect.stringContaining('no better than') });
  });

  test('is told with both figures', () => {
    expect(decidePromotion(withFigures(0.25, 1.1), withFigures(0.3, 1.2)).why).toBe(
      'both have to be better: Brier skill 0.3000 against 0.2500, calibration slope 1.200 against 1.100',
    );
  });
});
