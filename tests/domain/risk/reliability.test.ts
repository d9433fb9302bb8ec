import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { qualityOf } from '../../../domain/risk/quality.ts';
import { reliabilityOf } from '../../../domain/risk/reliability.ts';

const examples = fc.array(fc.tuple(fc.constantFrom(0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999), fc.boolean()), { minLength: 1, maxLength: 400 });
const mixed = fc.oneof(examples, fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()), { minLength: 1, maxLength: 400 }));

describe('chances beside what came of them', () => {
  test('are about as many in each bin, from the lowest to the highest', () => {
    const chances = Array.from({ length: 200 }, (_, index) => ((index * 77) % 200) / 200);
    const bins = reliabilityOf(
      chances,
      chances.map((chance) => chance >= 0.5),
    );
    expect(bins.map(({ examples: count }) => count)).toEqual(Array.from({ length: 10 }, () => 20));
    expect(bins[0]).toEqual({ from: 0, to: 0.095, chance: expect.closeTo(0.0475, 10) as number, examples: 20, lost: 0 });
    expect(bins.map(({ lost }) => lost)).toEqual([0, 0, 0, 0, 0, 20, 20, 20, 20, 20]);
  });

  test('have fewer bins where there are few examples, and one where all chances are the same', () => {
    expect(reliabilityOf([0.2, 0.4, 0.6], [false, true, true])).toEqual([
      { from: 0.2, to: 0.6, chance: expect.closeTo(0.4, 10) as number, examples: 3, lost: 2 },
    ]);
    const alike = Array.from({ length: 300 }, () => 0.3);
    expect(
      reliabilityOf(
        alike,
        alike.map(() => false),
      ),
    ).toHaveLength(1);
    expect(reliabilityOf([], [])).toEqual([]);
  });

  test('count every example once, whatever the order', () => {
    fc.assert(
      fc.property(mixed, (rows) => {
        const chances = rows.map(([chance]) => chance);
        const lost = rows.map(([, isLost]) => isLost);
        const bins = reliabilityOf(chances, lost);
        expect(bins.length).toBeLessThanOrEqual(10);
        expect(bins.reduce((sum, bin) => sum + bin.examples, 0)).toBe(rows.length);
        for (const [index, bin] of bins.entries()) {
          const within = rows.filter(([chance]) => chance >= bin.from && chance <= bin.to);
          // Equal chances are never parted, so what lies between its borders is all that it has.
          expect([within.length, within.filter(([, isLost]) => isLost).length]).toEqual([bin.examples, bin.lost]);
          expect(bin.chance).toBeGreaterThanOrEqual(bin.from - 1e-12);
          expect(bin.chance).toBeLessThanOrEqual(bin.to + 1e-12);
          expect(bin.from).toBeGreaterThan(bins[index - 1]?.to ?? -1);
        }
        expect(qualityOf(chances, lost).reliability).toEqual(bins);
      }),
    );
  });
});
