import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accountFeatures, accountRules } from '../../../domain/risk/account-features.ts';
import { type Behaviour, behaviourKey, behaviourKinds, behaviourReport } from '../../../domain/risk/behaviour.ts';
import { examplesOf, isActive, outcomeOf, predictionInWords } from '../../../domain/risk/outcome.ts';
import { rankByRules } from '../../../domain/risk/rules.ts';

const dayMs = 86_400_000;
const now = Date.UTC(2026, 10, 1);
const ago = (days: number) => now - days * dayMs;
const visit = (days: number): Behaviour => ({ kind: 'visit', pages: null, atMs: ago(days) });
const order = (days: number, amount: string | null = '10.00'): Behaviour => ({ kind: 'order', amount, currency: 'EUR', atMs: ago(days) });

const anything: fc.Arbitrary<Behaviour> = fc
  .tuple(
    fc.oneof(
      fc.record({ kind: fc.constant('visit' as const), pages: fc.option(fc.nat(20)) }),
      fc.record({ kind: fc.constant('order' as const), amount: fc.option(fc.nat(9_999).map(String)), currency: fc.constantFrom('EUR', null) }),
      fc.record({ kind: fc.constantFrom('message' as const, 'open' as const), channel: fc.constantFrom('email', null) }),
      fc.record({ kind: fc.constant('call' as const), answered: fc.option(fc.boolean()), seconds: fc.constant(null) }),
      fc.record({ kind: fc.constant('support' as const), severity: fc.constantFrom('low' as const, 'high' as const) }),
      fc.record({ kind: fc.constant('own' as const), code: fc.constantFrom('exported', 'invited') }),
    ),
    fc.integer({ min: -200, max: 400 }),
  )
  .map(([what, days]): Behaviour => ({ ...what, atMs: ago(days) }));
const histories = fc.array(anything, { maxLength: 40 });

describe('what behaviour says about an account', () => {
  test('at a moment does not depend on anything later, nor on the order in which it was reported', () => {
    const buying = { r: 0.24, alpha: 4.4, a: 0.79, b: 2.43 };
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 300 }), (history, days) => {
        const known = history.filter(({ atMs }) => atMs <= ago(days));
        const features = accountFeatures(history, ago(days), buying);
        expect(features).toEqual(accountFeatures(known, ago(days), buying));
        expect(Object.keys(features).toSorted()).toEqual(Object.keys(accountFeatures(history.toReversed(), ago(days), buying)).toSorted());
        expect(features['ordersIn90Days']).toBe(accountFeatures(history.toReversed(), ago(days), buying)['ordersIn90Days']);
        for (const value of Object.values(features)) expect(value === null || Number.isFinite(value)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test('weighs recent behaviour more than old, and an order more than a visit', () => {
    const activity = (...history: Behaviour[]) => Number(accountFeatures(history, now)['activity']);
    expect(activity(visit(14))).toBeCloseTo(activity(visit(0)) / 2, 10);
    expect(activity(order(3))).toBeCloseTo(5 * activity(visit(3)), 10);
    expect(activity({ kind: 'support', severity: 'high', atMs: now })).toBe(0);
  });

  test('counts by kind and by code, and knows when somebody is overdue', () => {
    const weekly = [70, 63, 56, 49, 42, 35].map(visit);
    const features = accountFeatures([...weekly, order(40), order(100, '30'), { kind: 'own', code: 'exported', atMs: ago(5) }], now);
    expect(features).toMatchObject({
      knownDays: 100,
      daysSinceAny: 5,
      daysSinceOrder: 40,
      daysSinceCall: null,
      ordersIn30Days: 0,
      ordersIn90Days: 1,
      'own.exported': 1,
      repeatOrders: 1,
      meanOrder: 20,
      chanceAlive: null,
    });
    expect(accountFeatures(weekly, now)).toMatchObject({ rhythmDays: 7, overdue: 5 });
    expect(Number(accountFeatures(weekly, now)['activityChange'])).toBeLessThan(0);
    expect(accountFeatures([], now)).toMatchObject({ knownDays: null, activity: 0, activityChange: 0, rhythmDays: null, overdue: null });
  });

  test('ranks who has gone quiet above who has not', () => {
    const rank = (history: Behaviour[]) => rankByRules(accountRules, accountFeatures(history, now)).score;
    const quiet = [120, 113, 106, 99, 92, 85].map(visit);
    const here = [35, 28, 21, 14, 7, 1].map(visit);
    expect(rank(here)).toBe(0);
    expect(rank(quiet)).toBeGreaterThan(0.5);
    expect(rank([...here, order(2)])).toBe(0);
  });
});

describe('the outcome of a prediction', () => {
  const purchase = { what: 'no_purchase', withinDays: 30 } as const;
  const answer = { what: 'no_answer', withinDays: 30 } as const;

  test('is lost where nothing happened in time, kept where it did, and open until either is known', () => {
    expect(outcomeOf([order(10)], ago(31), purchase, now)).toBe(false);
    expect(outcomeOf([order(10)], ago(45), purchase, now)).toBe(true);
    expect(outcomeOf([visit(10)], ago(30), purchase, now)).toBe(true);
    expect(outcomeOf([visit(10)], ago(29), purchase, now)).toBeNull();
    expect(outcomeOf([order(10)], ago(12), purchase, now)).toBe(false);
    // What happens at the very moment is known then, and foretells nothing.
    expect(outcomeOf([order(30)], ago(30), purchase, now)).toBe(true);
    expect(outcomeOf([order(10), { kind: 'call', answered: null, seconds: null, atMs: ago(9) }], ago(31), answer, now)).toBe(true);
    expect(outcomeOf([{ kind: 'call', answered: true, seconds: 60, atMs: ago(9) }], ago(31), answer, now)).toBe(false);
    expect(predictionInWords(purchase)).toBe('no purchase within 30 days');
    expect(predictionInWords(answer)).toBe('no answer within 30 days');
  });

  test('gives examples of those who were active then, a horizon apart, whose features know nothing of it', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const examples = examplesOf(history, purchase, { knownUntilMs: now, sinceMs: ago(365) });
        for (const [index, { atMs, features, lost }] of examples.entries()) {
          expect(atMs + 30 * dayMs).toBeLessThanOrEqual(now);
          if (index > 0) expect((examples[index - 1]?.atMs ?? 0) - atMs).toBeGreaterThanOrEqual(30 * dayMs);
          expect(isActive(history, atMs)).toBe(true);
          const before = history.filter((one) => one.atMs <= atMs);
          expect(features).toEqual(accountFeatures(before, atMs));
          expect(lost).toBe(!history.some((one) => one.kind === 'order' && one.atMs > atMs && one.atMs <= atMs + 30 * dayMs));
        }
      }),
      { numRuns: 100 },
    );
    expect(examplesOf([order(100), order(50)], purchase, { knownUntilMs: now, sinceMs: ago(365) }).map(({ lost }) => lost)).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe('a report of behaviour', () => {
  test.each(behaviourKinds)('may be a %s', (kind) => {
    const read = behaviourReport.parse({ kind, ...(kind === 'own' ? { code: 'exported' } : {}) });
    expect(read).toMatchObject({ id: null, atMs: null, what: { kind } });
  });

  test.each([
    [{ kind: 'nap' }, 'names no kind of behaviour: write one of visit, order'],
    [{ kind: 'own' }, 'code'],
    [{ kind: 'own', code: 'Not A Code' }, 'is no code'],
    [{ kind: 'visit', pages: 9.5 }, 'is no whole number'],
    [{ kind: 'call', seconds: -1 }, 'is negative'],
    [{ kind: 'order', amount: '1,50', currency: 'EUR' }, 'is no amount'],
    [{ kind: 'order', currency: 'euro' }, 'is no currency code'],
    [{ kind: 'visit', at: 'yesterday' }, 'is no time like'],
    [{ kind: 'visit', colour: 'red' }, 'colour'],
  ])('%j is refused', (report, why) => {
    const read = behaviourReport.safeParse(report);
    expect(read.success).toBe(false);
    expect(JSON.stringify(read.error?.issues)).toContain(why);
  });

  test('is known again by its id, else by what it was and when', () => {
    const read = (report: object) => behaviourReport.parse(report);
    expect(behaviourKey(read({ kind: 'visit', id: 'v-1' }), 5)).toBe(behaviourKey(read({ kind: 'visit', id: 'v-1', pages: 3 }), 6));
    const key = (report: object, atMs: number) => behaviourKey(read(report), atMs);
    expect(key({ kind: 'open', channel: 'email' }, 5)).toBe(key({ channel: 'email', kind: 'open' }, 5));
    const keys = [key({ kind: 'open' }, 5), key({ kind: 'open' }, 6), key({ kind: 'open', channel: 'sms' }, 5), key({ kind: 'message' }, 5)];
    expect(new Set(keys).size).toBe(4);
  });
});
