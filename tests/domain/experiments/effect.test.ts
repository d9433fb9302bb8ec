import { expect, test } from 'vitest';
import { effectOf, revenueEffectOf } from '../../../domain/experiments/effect.ts';

const cases = (people: number, converted: number) => ({ people, converted });

test('the effect of messages is a difference with an interval, in people too', () => {
  const found = effectOf(cases(9_000, 540), cases(1_000, 50), true);
  expect(found).toMatchObject({ state: 'enough', missing: { treated: { people: 0, conversions: 0 }, holdout: { people: 0, conversions: 0 } } });
  expect(found.difference?.value).toBeCloseTo(0.01, 12);
  expect(found.difference?.interval.low).toBeLessThan(0);
  expect(found.conversions?.value).toBeCloseTo(90, 9);
  expect(found.conversions?.interval.low).toBeCloseTo((found.difference?.interval.low ?? 0) * 9_000, 9);
  expect(found.lift?.lift).toBeCloseTo(0.2, 12);
  // 5 % to 6 % with a tenth held out.
  expect(found.peopleToFindLift).toBe(42_201);
});

test('what is missing is named, and nothing is claimed', () => {
  expect(effectOf(cases(400, 30), cases(30, 4), true)).toMatchObject({
    state: 'not_enough',
    missing: { treated: { people: 0, conversions: 0 }, holdout: { people: 20, conversions: 6 } },
  });
  expect(effectOf(cases(0, 0), cases(0, 0), true)).toMatchObject({ state: 'not_enough', difference: null, lift: null, peopleToFindLift: null });
  expect(effectOf(cases(60, 55), cases(60, 20), true)).toMatchObject({ state: 'not_enough', missing: { treated: { people: 5, conversions: 0 } } });
});

test('arms that hold not as many people as they should are believed nothing', () => {
  expect(effectOf(cases(9_000, 540), cases(1_000, 50), false).state).toBe('unsound');
});

test('revenue counts those who bought nothing', () => {
  const found = revenueEffectOf({ n: 9_000, mean: 6.5, variance: 1_600 }, { n: 1_000, mean: 5.2, variance: 1_296 });
  expect(found?.perPerson.difference).toBeCloseTo(1.3, 12);
  expect(found?.total.value).toBeCloseTo(11_700, 6);
  expect(revenueEffectOf({ n: 1, mean: 5, variance: Number.NaN }, { n: 9, mean: 5, variance: 1 })).toBeNull();
});
