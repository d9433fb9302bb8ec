import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assessAccount } from '../../../domain/risk/assess.ts';
import { quantileRanks, usualThresholds } from '../../../domain/risk/bands.ts';

const dayMs = 86_400_000;
const atMs = 1_000 * dayMs;

test('an account that is silent already is ranked among the others, whatever rank it had before', () => {
  // Few different values, so that several have the same rank.
  const rank = fc.integer({ min: 0, max: 6 }).map((n) => n / 8);
  const silent = fc.tuple(fc.array(rank, { maxLength: 60 }), fc.option(rank), fc.integer({ min: 400, max: 900 }));
  fc.assert(
    fc.property(silent, ([others, before, idleDays]) => {
      const history = [{ kind: 'order', atMs: atMs - idleDays * dayMs, amount: '10', currency: 'EUR' } as const];
      const silentRanks = [...others, ...(before === null ? [] : [before])].toSorted((a, b) => a - b);
      const assessed = assessAccount(history, atMs, { champion: null, thresholds: usualThresholds, silentRanks, ownSilentRank: before });
      expect(assessed.basis).toBe('quantile');
      expect(assessed.score).toBeCloseTo(quantileRanks([...others, assessed.silentRank ?? Number.NaN]).at(-1) ?? -1, 12);
      if (others.length + 1 < 20) expect(assessed.band).toBe('none');
    }),
  );
});
