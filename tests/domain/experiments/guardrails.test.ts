import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chancesOfBandit, sharesOfBandit } from '../../../domain/experiments/bandit.ts';
import { guardrailMetrics, type HarmCases, readGuardrails } from '../../../domain/experiments/guardrails.ts';
import { compareRevenue } from '../../../domain/experiments/revenue.ts';

// What a test must not make worse, what it brings, and bandits: docs/rules.md#rule-124

const arm = (id: string, people: number, opt_outs: number, share = 0.5): HarmCases => ({ id, people, share, opt_outs, complaints: 0, refunds: 0 });
const worseOf = (arms: readonly HarmCases[]) => readGuardrails(arms).flatMap(({ arm: id, metric, isWorse }) => (isWorse ? [`${id} ${metric}`] : []));

describe('guardrails', () => {
  test('an arm is worse only where its whole interval is, and the counts are as unlikely', () => {
    expect(worseOf([arm('a', 1_000, 10), arm('b', 1_000, 80)])).toEqual(['b opt_outs']);
    // Three times as many, of few: the interval still holds a difference of none.
    expect(worseOf([arm('a', 300, 3), arm('b', 300, 9)])).toEqual([]);
    expect(worseOf([arm('a', 1_000, 80), arm('b', 1_000, 80)])).toEqual([]);
    // Too few people for anything.
    expect(worseOf([arm('a', 49, 1), arm('b', 49, 48)])).toEqual([]);
    expect(worseOf([arm('a', 50, 1), arm('b', 50, 48)])).toEqual(['b opt_outs']);
    expect(readGuardrails([arm('a', 1_000, 0)])).toEqual([]);
  });

  test('every arm is read on every metric, beside all others together', () => {
    const [first, ...more] = readGuardrails([arm('a', 100, 1, 0.2), arm('b', 200, 2, 0.4), arm('c', 200, 4, 0.4)]);
    expect(first).toMatchObject({ metric: 'opt_outs', arm: 'a', people: 100, cases: 1, others: { people: 400, cases: 6 }, isWorse: false });
    expect(more).toHaveLength(3 * guardrailMetrics.length - 1);
    // Nothing happened to anybody: nothing varies, and nothing is said.
    expect(more.filter(({ metric }) => metric === 'refunds').map(({ within }) => within)).toEqual([null, null, null]);
  });

  test('who is worse has more cases for its people than the others, wherever the interval lies', () => {
    const cases = fc.record({
      people: fc.integer({ min: 0, max: 5_000 }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      weight: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(cases, { minLength: 2, maxLength: 5 }), (drawn) => {
        const all = drawn.reduce((sum, { weight }) => sum + weight, 0);
        const arms = drawn.map(({ people, part, weight }, index) => arm(String(index), people, Math.round(people * part), weight / all));
        for (const { isWorse, within, people, cases: own, others } of readGuardrails(arms)) {
          if (!isWorse) continue;
          expect(within?.low).toBeGreaterThan(0);
          expect(own / people).toBeGreaterThan(others.cases / others.people);
          expect(Math.min(people, others.people)).toBeGreaterThanOrEqual(50);
        }
      }),
    );
  });
});

describe('revenue', () => {
  const spent = (people: number, buyers: number, each: number) => ({
    people,
    revenue: [{ currency: 'EUR', sum: buyers * each, squares: buyers * each * each }],
  });

  test('stands beside the first arm’s, per person, with an interval that holds at every look', () => {
    const [euros, ...more] = compareRevenue(spent(1_000, 100, 5_000), spent(1_000, 200, 5_000), 1);
    expect(more).toEqual([]);
    expect(euros).toMatchObject({ currency: 'EUR', perPerson: { arm: 1_000, against: 500 } });
    expect(euros?.alwaysWithin.low).toBeGreaterThan(0);
    expect(((euros?.alwaysWithin.low ?? 0) + (euros?.alwaysWithin.high ?? 0)) / 2).toBeCloseTo(500, 6);
    // The more arms, the wider: all of them are right together.
    const wider = compareRevenue(spent(1_000, 100, 5_000), spent(1_000, 200, 5_000), 3)[0]?.alwaysWithin.low ?? 0;
    expect(wider).toBeLessThan(euros?.alwaysWithin.low ?? 0);
  });

  test('of few people, or where nobody’s amount differs, says nothing; currencies stay apart', () => {
    expect(compareRevenue(spent(99, 50, 5_000), spent(1_000, 50, 5_000), 1)).toEqual([]);
    expect(compareRevenue(spent(1_000, 0, 0), spent(1_000, 0, 0), 1)).toEqual([]);
    const dollars = { people: 1_000, revenue: [{ currency: 'USD', sum: 5_000, squares: 25_000_000 }] };
    expect(compareRevenue(spent(1_000, 100, 5_000), dollars, 1).map(({ currency, perPerson }) => [currency, perPerson.arm])).toEqual([
      ['EUR', 0],
      ['USD', 5],
    ]);
  });
});

describe('a bandit', () => {
  test('gives more people what brings more, and a tenth at least to each; shares add up to 1', () => {
    const cases = fc.record({ people: fc.integer({ min: 0, max: 2_000 }), part: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(cases, { minLength: 2, maxLength: 10 }), (drawn) => {
        const arms = drawn.map(({ people, part }, index) => ({ id: String(index), people, converted: Math.round(people * part) }));
        const shares = Object.values(sharesOfBandit(arms));
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(Math.min(0.1, 0.5 / arms.length) - 1e-9);
      }),
      { numRuns: 30 },
    );
    const unknown = ['a', 'b'].map((id) => ({ id, people: 0, converted: 0 }));
    expect(sharesOfBandit(unknown)['a']).toBeCloseTo(0.5, 6);
  });

  test('knows how likely each arm is the best', () => {
    // Worked out by another implementation: docs/statistics.md
    const chances = chancesOfBandit([10, 14, 18].map((converted, index) => ({ id: 'abc'[index] ?? '', people: 200, converted })));
    expect(chances['a']).toBeCloseTo(0.03671598, 6);
    expect(chances['c']).toBeCloseTo(0.74101951, 6);
    const shares = sharesOfBandit([10, 14, 18].map((converted, index) => ({ id: 'abc'[index] ?? '', people: 200, converted })));
    expect(shares['c']).toBeCloseTo(0.1 + 0.7 * 0.74101951, 6);
  });
});
