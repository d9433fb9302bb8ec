import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideBandMove, type InterventionBand, interventionBands } from '../../../domain/risk/band-move.ts';
import { isHigher, riskBands, type RiskBand } from '../../../domain/risk/bands.ts';

// What a change of band leads to: docs/rules.md#rule-83

describe('one account', () => {
  test.each([
    ['none', 'none', [], [], null],
    ['none', 'early', [], [], 'early'],
    ['none', 'critical', [], [], 'critical'],
    ['early', 'early', ['early'], [], null],
    ['early', 'active', ['early'], ['early band_raised'], 'active'],
    ['early', 'critical', [], [], 'critical'],
    ['critical', 'active', ['critical'], [], null],
    ['active', 'critical', ['critical'], [], null],
    ['active', 'critical', [], [], 'critical'],
    ['critical', 'none', ['critical'], ['critical recovered'], null],
    ['active', 'active', [], [], null],
    // Two accounts turned out to be one.
    ['active', 'active', ['early', 'critical'], ['early band_raised'], null],
  ] as const)('from %s to %s while %j run', (handled, now, running, ends, begins) => {
    const { end, begin } = decideBandMove({ handled, now, running: [...running] });
    expect(end.map(({ band, reason }) => `${band} ${reason}`)).toEqual(ends);
    expect(begin).toBe(begins);
  });
});

test('over any history one sequence runs at most, of no lower band than was entered, and none below the first', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('assessed' as const), band: fc.constantFrom(...riskBands) }),
    fc.constant({ kind: 'ended' as const }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let [running, handled]: [InterventionBand[], RiskBand] = [[], 'none'];
      for (const one of steps) {
        if (one.kind === 'ended') {
          running = [];
          continue;
        }
        const before = handled;
        const { end, begin } = decideBandMove({ handled, now: one.band, running });
        running = running.filter((band) => !end.some((ended) => ended.band === band));
        if (begin !== null) {
          expect(begin).toBe(one.band);
          expect(isHigher(one.band, before), 'an entry is from below').toBe(true);
          running = [...running, begin];
        }
        handled = one.band;
        expect(running.length).toBeLessThanOrEqual(1);
        if (one.band === 'none') expect(running).toEqual([]);
        const [only] = running;
        if (only !== undefined && isHigher(one.band, before))
          expect(interventionBands.indexOf(only)).toBeGreaterThanOrEqual(riskBands.indexOf(one.band) - 1);
      }
    }),
    { numRuns: 2_000 },
  );
});
