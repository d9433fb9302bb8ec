import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClaimWorld } from '../../../domain/claims/claim.ts';
import { claimNames, type Claims, judgeClaims } from '../../../domain/claims/index.ts';
import { claimsAt, claimedWords, unclaimedWords } from '../../../domain/gates/claims.ts';
import { decideDispatch } from '../../../domain/gates/decide-dispatch.ts';
import type { StepClaims } from '../../../domain/gates/facts.ts';
import type { Fact, FactOf } from '../../../domain/facts/index.ts';
import { anchorMs, factsWith } from '../gates/a-dispatch.ts';

const hourMs = 3_600_000;
const leftAtMs = anchorMs;
const nowMs = anchorMs + hourMs;

const fact = <K extends Fact['kind']>(kind: K, subject: string, value: FactOf<K>['value'], more: Partial<FactOf<K>> = {}): Fact =>
  ({ id: `${kind}-${subject}`, kind, subject, value, source: 'test', observedAtMs: leftAtMs + 1, expiresAtMs: nowMs + 1, ...more }) as Fact;

const world = (more: Partial<ClaimWorld> = {}): ClaimWorld => ({
  products: [{ title: 'Blanket', ids: ['moss', 'blanket'], priceMinor: 8_900, stock: null }],
  areas: ['Upper  Döbling'],
  currency: 'EUR',
  leftAtMs,
  facts: [],
  before: [],
  thresholds: { lowStockAt: 5, reviewsFrom: 4 },
  ...more,
});
const price = (amount: string, more: object = {}) => ({ price: amount, currency: 'EUR', as_in_carts: true, ...more });

/** A fact with which each claim holds. */
const holding: Record<keyof Claims, Fact> = {
  stock: fact('stock', 'moss', { left: 3 }),
  price_drop: fact('price', 'moss', price('79.00')),
  reviews: fact('review', 'blanket', { average: 4.5, count: 12, quote: null, author: null }),
  market: fact('market', 'upper döbling', { trigger: 'seasonal', statement: 'Most flats are let in spring.', date: '2026-03-01' }),
  offer_end: fact('offer_end', 'store', { ends_at: new Date(nowMs + hourMs).toISOString(), name: null }),
};

describe('a claim', () => {
  test.for([...claimNames])('%s holds by its fact: from its time on, until just before its expiry', (name) => {
    fc.assert(
      fc.property(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: -5, max: 8 }), (from, life, at) => {
        const given = { ...holding[name], observedAtMs: leftAtMs + 10 + from, expiresAtMs: leftAtMs + 10 + from + life };
        const judged = judgeClaims(world({ facts: [given] }), leftAtMs + 10 + at)[name];
        expect(judged.holds).toBe(at >= from && at < from + life);
        expect(judged.fact).toEqual(given);
        if (!judged.holds) expect(judged.reason).toBe('stale');
      }),
    );
  });

  test('is never made without a fact', () => {
    for (const name of claimNames) expect(judgeClaims(world(), nowMs)[name]).toMatchObject({ holds: false, fact: null, reason: 'unknown' });
    for (const name of claimNames)
      expect(judgeClaims(world({ facts: Object.values(holding), products: [], areas: [] }), nowMs)[name].holds).toBe(name === 'offer_end');
  });

  test('of stock names the scarcest; none left, and more than a few, are no scarcity', () => {
    const two = world({
      products: [
        { title: 'A', ids: ['a'], priceMinor: null, stock: null },
        { title: 'B', ids: ['b'], priceMinor: null, stock: null },
      ],
    });
    const stockOf = (a: number, b: number) =>
      judgeClaims({ ...two, facts: [fact('stock', 'a', { left: a }), fact('stock', 'b', { left: b })] }, nowMs).stock;
    expect(stockOf(4, 2)).toMatchObject({ holds: true, value: { title: 'B', left: 2 } });
    expect(stockOf(0, 5)).toMatchObject({ holds: true, value: { title: 'B', left: 5 } });
    expect(stockOf(0, 6)).toMatchObject({ holds: false, reason: 'untrue' });
  });

  test('goes by the latest observation, of a variant or its product, in whatever order they stand', () => {
    const [old, late] = [
      fact('stock', 'moss', { left: 2 }, { observedAtMs: leftAtMs + 1 }),
      fact('stock', 'blanket', { left: 40 }, { observedAtMs: leftAtMs + 2 }),
    ];
    for (const facts of [
      [old, late],
      [late, old],
    ])
      expect(judgeClaims(world({ facts }), nowMs).stock).toMatchObject({ holds: false, fact: late });
    const same = fact('stock', 'blanket', { left: 40 }, { observedAtMs: leftAtMs + 1 });
    for (const facts of [
      [old, same],
      [same, old],
    ])
      expect(judgeClaims(world({ facts }), nowMs).stock).toMatchObject({ holds: true, fact: old });
  });

  test('of a lower price compares with what it cost when it was left', () => {
    const drop = (facts: Fact[], more: Partial<ClaimWorld> = {}) => judgeClaims(world({ facts, ...more }), nowMs).price_drop;
    expect(drop([fact('price', 'moss', price('79.00'))])).toMatchObject({ holds: true, value: { beforeMinor: 8_900, nowMinor: 7_900 } });
    expect(drop([fact('price', 'moss', price('89.00'))])).toMatchObject({ holds: false, reason: 'untrue' });
    // It had cost that already.
    expect(drop([fact('price', 'moss', price('79.00'), { observedAtMs: leftAtMs })])).toMatchObject({ holds: false, reason: 'untrue' });
    expect(drop([fact('price', 'moss', { ...price('79.00'), currency: 'USD' })])).toMatchObject({ holds: false, reason: 'unknown' });
    // With another tax than in carts: only its own earlier statement tells.
    const net = fact('price', 'moss', price('70.00', { as_in_carts: false }));
    const before = fact('price', 'moss', price('75.00', { as_in_carts: false }), { observedAtMs: leftAtMs - 1 }) as FactOf<'price'>;
    expect(drop([net])).toMatchObject({ holds: false, reason: 'unknown' });
    expect(drop([net], { before: [before] })).toMatchObject({ holds: true, value: { beforeMinor: 7_500, nowMinor: 7_000 } });
    expect(drop([net], { before: [{ ...before, source: 'another' }] })).toMatchObject({ holds: false });
  });

  test('of reviews is made from the mean rating on that the store has set', () => {
    const rated = (average: number) =>
      judgeClaims(world({ facts: [fact('review', 'moss', { average, count: 3, quote: null, author: null })] }), nowMs).reviews;
    expect([rated(3.9).holds, rated(4).holds]).toEqual([false, true]);
  });

  test('of an offer is over at the very moment when it ends', () => {
    const at = (ms: number) => judgeClaims(world({ facts: [{ ...holding.offer_end, expiresAtMs: nowMs + 2 * hourMs }] }), ms).offer_end.holds;
    expect([at(nowMs + hourMs - 1), at(nowMs + hourMs)]).toEqual([true, false]);
  });
});

describe('the decision about a step', () => {
  const known: StepClaims['known'] = { ...world({ facts: [holding.stock] }) };
  const decide = (claims: StepClaims | undefined, atMs = nowMs) =>
    decideDispatch({ ...factsWith(), ...(claims === undefined ? {} : { claims }) }, atMs);
  const inputOf = (verdict: ReturnType<typeof decide>) => verdict.checks.find(({ gate }) => gate === 'claims')?.input ?? {};

  test('keeps what is claimed, and on what it rests', () => {
    const verdict = decide({ made: ['stock', 'reviews'], required: null, known });
    expect(verdict.kind).toBe('send');
    expect(inputOf(verdict)).toEqual({
      stock: true,
      'stock.why': '3 left',
      'stock.fact': 'stock-moss',
      'stock.value': '3 left',
      'stock.source': 'test',
      'stock.observedAtMs': leftAtMs + 1,
      'stock.expiresAtMs': nowMs + 1,
      reviews: false,
      'reviews.why': 'no reviews of it are known',
    });
    expect(claimedWords(inputOf(verdict))).toBe('few are left (3 left, says test)');
    expect(inputOf(decide(undefined))).toEqual({});
  });

  test('leaves a step out whose point cannot be claimed, with the reason', () => {
    expect(decide({ made: [], required: 'stock', known })).toMatchObject({ kind: 'send' });
    const verdict = decide({ made: [], required: 'stock', known }, nowMs + 1);
    expect(verdict).toMatchObject({ kind: 'skip', reason: 'claim' });
    expect(unclaimedWords(inputOf(verdict))).toBe('few are left, but what is known of it is too old');
    expect(decide({ made: [], required: 'reviews', known })).toMatchObject({ kind: 'skip', reason: 'claim' });
    expect(decide({ made: [], required: 'reviews', known: { assumed: ['reviews'] } })).toMatchObject({ kind: 'send' });
    expect(decide({ made: [], required: 'reviews', known: { assumed: [] } })).toMatchObject({ kind: 'skip', reason: 'claim' });
  });

  test('judges by the very function by which it is composed, whatever the facts', () => {
    const anyFact = fc
      .record({ name: fc.constantFrom(...claimNames), from: fc.integer({ min: -2, max: 2 }), life: fc.integer({ min: 1, max: 4 }) })
      .map(({ name, from, life }) => ({ ...holding[name], observedAtMs: nowMs + from, expiresAtMs: nowMs + from + life }));
    fc.assert(
      fc.property(fc.array(anyFact, { maxLength: 6 }), fc.constantFrom(null, ...claimNames), (facts, required) => {
        const claims: StepClaims = { made: claimNames, required, known: world({ facts }) };
        const verdict = decide(claims);
        const judged = claimsAt({ ...factsWith(), claims }, nowMs);
        for (const name of claimNames) expect(inputOf(verdict)[name]).toBe(judged[name].holds);
        expect(verdict.kind).toBe(required === null || judged[required].holds ? 'send' : 'skip');
      }),
    );
  });
});
