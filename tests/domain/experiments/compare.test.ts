import { expect, test } from 'vitest';
import { compareArms } from '../../../domain/experiments/compare.ts';

test('each arm is compared with the first: difference, lift, and what holds at every look', () => {
  const [found, other] = compareArms([
    { id: 'a', people: 2_400, converted: 120 },
    { id: 'b', people: 2_400, converted: 156 },
    { id: 'c', people: 0, converted: 0 },
  ]);
  expect(found).toMatchObject({ id: 'b', against: 'a' });
  expect(found?.difference?.interval.low).toBeCloseTo(0.001_814_12, 8);
  expect(found?.lift?.interval.high).toBeCloseTo(0.638_081_68, 8);
  // What may be looked at at any time is wider, and has not decided yet.
  expect(found?.alwaysWithin?.low).toBeLessThan(0);
  expect(found?.alwaysWithin?.high).toBeGreaterThan(found?.difference?.interval.high ?? 1);
  expect(found?.atMost).toBe(found?.alwaysWithin?.high);
  expect(other).toEqual({ id: 'c', against: 'a', difference: null, lift: null, alwaysWithin: null, atMost: null });
});

test('arms that are alike are said to differ by little, the less the more people there are', () => {
  const atMost = (people: number) => compareArms(['a', 'b'].map((id) => ({ id, people, converted: people / 20 })))[0]?.atMost ?? 1;
  expect(atMost(200_000)).toBeLessThan(0.003);
  expect(atMost(2_000)).toBeGreaterThan(atMost(200_000));
});
