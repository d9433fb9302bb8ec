import { describe, expect, test } from 'vitest';
import { judge } from '../../../domain/experiments/judge.ts';
import { logEvidence, pooledZ } from '../../../domain/statistics/anytime.ts';
import { seededRandom } from '../../chaos/random.ts';

test('evidence and z are those of other implementations', () => {
  expect(logEvidence([120, 156], [0.5, 0.5])).toBeCloseTo(1.066_615_36, 8);
  expect(logEvidence([130, 128, 131, 205], [0.25, 0.25, 0.25, 0.25])).toBeCloseTo(8.651_282_1, 7);
  expect(pooledZ({ people: 2_400, converted: 120 }, { people: 2_400, converted: 156 })).toBeCloseTo(2.232_067, 6);
  expect(pooledZ({ people: 10, converted: 0 }, { people: 10, converted: 0 })).toBeNull();
  expect(pooledZ({ people: 0, converted: 0 }, { people: 10, converted: 1 })).toBeNull();
});

describe('a comparison', () => {
  const arm = (id: string, people: number, converted: number, share = 1) => ({ id, people, converted, share });

  test('that plain z would have ended goes on', () => {
    const judged = judge([arm('a', 2_400, 120), arm('b', 2_400, 156)]);
    expect(judged).toMatchObject({ state: 'open', winner: null });
    expect(judged.z).toBeGreaterThan(1.96);
    expect(judged.p).toBeCloseTo(0.344_171_44, 8);
  });

  test('ends with the variant that beats each of the others', () => {
    expect(judge([arm('a', 2_000, 100), arm('b', 2_000, 200)])).toMatchObject({ state: 'decided', winner: 'b' });
    expect(judge([arm('a', 2_000, 200), arm('b', 2_000, 100)])).toMatchObject({ state: 'decided', winner: 'a' });
    expect(judge([arm('a', 2_000, 100), arm('b', 2_000, 200), arm('c', 2_000, 199)])).toMatchObject({ state: 'open', winner: null });
    expect(judge([arm('a', 2_000, 100), arm('b', 2_000, 200), arm('c', 2_000, 90)])).toMatchObject({ state: 'decided', winner: 'b' });
    // As many conversions among three times as many people are no difference.
    expect(judge([arm('a', 3_000, 300, 3), arm('b', 1_000, 100, 1)])).toMatchObject({ state: 'open' });
  });

  test('says nothing below 50 people', () => {
    expect(judge([arm('a', 49, 0), arm('b', 500, 400)])).toMatchObject({ state: 'too_few', winner: null });
  });

  test('of the same thing finds a difference in fewer than one of twenty, looked at after every 50 people; plain z in more than one of five', () => {
    const random = seededRandom(7);
    let [wrong, naive] = [0, 0];
    const runs = 400;
    for (let run = 0; run < runs; run++) {
      const counts = [arm('a', 0, 0), arm('b', 0, 0)];
      let [decided, crossed] = [false, false];
      for (let look = 0; look < 60; look++) {
        for (const one of counts) {
          one.people += 50;
          for (let person = 0; person < 50; person++) if (random.chance(0.05)) one.converted += 1;
        }
        const { state, z } = judge(counts);
        decided ||= state === 'decided';
        crossed ||= Math.abs(z ?? 0) >= 1.96;
      }
      wrong += decided ? 1 : 0;
      naive += crossed ? 1 : 0;
    }
    expect(wrong / runs).toBeLessThan(0.05);
    expect(naive / runs).toBeGreaterThan(0.2);
  });
});
