import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideOffer, type OfferRecords } from '../../domain/offers/decide-offer.ts';
import { type OfferPolicy, offerPolicy } from '../../domain/offers/policy.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const nowMs = Date.UTC(2026, 2, 10, 9, 20);
const policyOf = (more: Partial<OfferPolicy> = {}): OfferPolicy => ({ ...offerPolicy.parse({ percentOff: 10 }), ...more });
const recordsOf = (more: Partial<OfferRecords> = {}): OfferRecords => ({
  policy: policyOf(),
  own: null,
  earlier: [],
  spentAtMs: [],
  cartsLeft: 1,
  regularMinor: 10_000,
  codesLeft: 1,
  ...more,
});
const decide = (more: Partial<OfferRecords> = {}, valueMinor: number | null = 10_000, timeScale = 1) =>
  decideOffer(recordsOf(more), { valueMinor }, nowMs, timeScale);

test('a person who has had none gets one, to the full hour', () => {
  expect(decide()).toEqual({ granted: true, percentOff: 10, endsAtMs: Date.UTC(2026, 2, 12, 9) });
});

describe('no offer', () => {
  const margin = { marginPercent: 40, leastMarginPercent: 30 };
  test.each<[string, Partial<OfferRecords>, (number | null)?]>([
    ['no_policy', { policy: null }],
    ['had_one', { earlier: [{ atMs: nowMs - 90 * dayMs + 1, step: 'cart/email_72h' }] }],
    ['leaves_carts', { cartsLeft: 3 }],
    ['value_unknown', { policy: policyOf({ minimumMinor: 1 }) }, null],
    ['too_small', { policy: policyOf({ minimumMinor: 10_001 }) }],
    ['margin_unknown', { policy: policyOf(margin), regularMinor: null }],
    // Reduced already: it cost 12,000 before, so 7,200 to the store, and 9,000 are left.
    ['margin_too_small', { policy: policyOf(margin), regularMinor: 12_000 }],
    ['budget_spent', { policy: policyOf({ budget: { most: 2, withinDays: 7 } }), spentAtMs: [nowMs - dayMs, nowMs - 7 * dayMs + 1] }],
    ['no_code', { codesLeft: 0 }],
    ['not_minted', { own: { percentOff: 10, endsAtMs: nowMs + dayMs, state: 'refused' } }],
    ['over', { own: { percentOff: 10, endsAtMs: nowMs + hourMs - 1, state: 'minted' } }],
  ])('%s', (reason, more, value = 10_000) => {
    expect(decide(more, value)).toEqual({ granted: false, reason });
  });

  test('just within each bound there is one', () => {
    expect(decide({ earlier: [{ atMs: nowMs - 90 * dayMs, step: 'x' }] }).granted).toBe(true);
    expect(decide({ cartsLeft: 2 }).granted).toBe(true);
    expect(decide({ policy: policyOf({ minimumMinor: 10_000 }) }).granted).toBe(true);
    expect(decide({ policy: policyOf(margin) }).granted).toBe(true);
    expect(decide({ policy: policyOf({ budget: { most: 2, withinDays: 7 } }), spentAtMs: [nowMs, nowMs - 7 * dayMs] }).granted).toBe(true);
  });
});

test('what an attempt before has granted stands, with its own terms, whatever changed since', () => {
  const own = { percentOff: 15, endsAtMs: nowMs + dayMs, state: 'minted' as const };
  expect(decide({ own, policy: null, codesLeft: 0, cartsLeft: 9 })).toEqual({ granted: true, percentOff: 15, endsAtMs: own.endsAtMs });
});

test('whatever is on record: no margin below the least, none over the budget, never a second in its time', () => {
  const at = fc.integer({ min: 0, max: 200 * dayMs }).map((ago) => nowMs - ago);
  const records = fc.record({
    policy: fc.record({
      percentOff: fc.integer({ min: 1, max: 90 }),
      validHours: fc.integer({ min: 2, max: 200 }),
      source: fc.constant('pool' as const),
      onePerDays: fc.integer({ min: 1, max: 120 }),
      minimumMinor: fc.integer({ min: 0, max: 20_000 }),
      marginPercent: fc.option(fc.integer({ min: 0, max: 100 })),
      leastMarginPercent: fc.option(fc.integer({ min: 0, max: 100 })),
      budget: fc.option(fc.record({ most: fc.integer({ min: 1, max: 3 }), withinDays: fc.integer({ min: 1, max: 60 }) })),
      mostCartsLeft: fc.integer({ min: 1, max: 4 }),
    }),
    own: fc.constant(null),
    earlier: fc.array(fc.record({ atMs: at, step: fc.constant('x') }), { maxLength: 3 }),
    spentAtMs: fc.array(at, { maxLength: 5 }),
    cartsLeft: fc.integer({ min: 1, max: 6 }),
    regularMinor: fc.option(fc.integer({ min: 0, max: 30_000 })),
    codesLeft: fc.constantFrom(null, 0, 1),
  });
  fc.assert(
    fc.property(records, fc.option(fc.integer({ min: 0, max: 20_000 })), (known, valueMinor) => {
      const decided = decideOffer(known, { valueMinor }, nowMs, 1);
      if (!decided.granted) return;
      const { policy } = known;
      expect(known.earlier.every(({ atMs }) => atMs <= nowMs - policy.onePerDays * dayMs)).toBe(true);
      expect(known.cartsLeft).toBeLessThanOrEqual(policy.mostCartsLeft);
      expect(known.codesLeft).not.toBe(0);
      if (policy.minimumMinor > 0) expect(valueMinor).toBeGreaterThanOrEqual(policy.minimumMinor);
      if (policy.budget !== null) {
        const sinceMs = nowMs - policy.budget.withinDays * dayMs;
        expect(known.spentAtMs.filter((atMs) => atMs > sinceMs).length).toBeLessThan(policy.budget.most);
      }
      if (policy.leastMarginPercent !== null) {
        const left = (valueMinor ?? 0) * (100 - policy.percentOff);
        const cost = (known.regularMinor ?? 0) * (100 - (policy.marginPercent ?? 0));
        // Cross-multiplied, so that nothing is rounded: (left − cost) / left ≥ least / 100.
        expect((left - cost) * 100 + 1e-3 * left).toBeGreaterThanOrEqual(policy.leastMarginPercent * left);
      }
      // An end that is told to the full hour is never later than it is.
      expect(decided.endsAtMs % hourMs).toBe(0);
      expect(decided.endsAtMs - nowMs).toBeLessThanOrEqual(policy.validHours * hourMs);
      expect(decided.endsAtMs - nowMs).toBeGreaterThan((policy.validHours - 1) * hourMs);
    }),
    { numRuns: 2_000 },
  );
});
