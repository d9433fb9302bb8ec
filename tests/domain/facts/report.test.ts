import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { factKindNames, isFresh, readStoredFact } from '../../../domain/facts/index.ts';
import { factFrom, factReport, type ReportedFact } from '../../../domain/facts/report.ts';

const nowMs = Date.UTC(2026, 10, 20, 9);
const context = { by: 'api', settings: { factHours: {} }, nowMs };
const hours = (n: number) => n * 3_600_000;

const examples: Record<(typeof factKindNames)[number], { subject: string; value: unknown }> = {
  stock: { subject: 'crew', value: { left: 3 } },
  price: { subject: 'crew', value: { price: 89, currency: 'EUR' } },
  review: { subject: 'crew', value: { average: 4.7, count: 128 } },
  market: { subject: ' Upper  Döbling', value: { trigger: 'seasonal', statement: 'Most flats are let in spring.', date: '2026-11-01' } },
  offer_end: { subject: 'store', value: { ends_at: '2026-11-30T23:00:00+01:00' } },
};
const reported = (kind: (typeof factKindNames)[number], more: object = {}): ReportedFact => factReport.parse({ kind, ...examples[kind], ...more });

describe('a reported fact', () => {
  test.for([...factKindNames])('of the kind %s is understood, and read again as it was stored', (kind) => {
    const made = factFrom(reported(kind), context);
    if (!made.ok) throw new Error(made.reason);
    expect(made.fact.expiresAtMs).toBeGreaterThan(nowMs);
    expect(readStoredFact({ id: 'f', ...made.fact, value: JSON.parse(JSON.stringify(made.fact.value)) })).toMatchObject({
      kind,
      value: made.fact.value,
    });
  });

  test('names the field that is wrong', () => {
    const wrong: [object, string][] = [
      [{ kind: 'stock', subject: 'crew', value: { left: -1 } }, 'value.left'],
      [{ kind: 'stock', subject: '', value: { left: 1 } }, 'subject'],
      [{ kind: 'stock', subject: 'crew', value: { left: 1, many: true } }, 'value'],
      [{ kind: 'price', subject: 'crew', value: { price: '89,00', currency: 'EUR' } }, 'value.price'],
      [{ kind: 'price', subject: 'crew', value: { price: '89', currency: 'EURO' } }, 'value.currency'],
      [{ kind: 'review', subject: 'crew', value: { average: 5.1, count: 3 } }, 'value.average'],
      [{ kind: 'market', subject: 'x', value: { trigger: 'rumour', statement: 'x', date: '2026-11-01' } }, 'value.trigger'],
      [{ kind: 'market', subject: 'x', value: { trigger: 'seasonal', statement: 'x', date: '1 November' } }, 'value.date'],
      [{ kind: 'offer_end', subject: 'store', value: { ends_at: 'soon' } }, 'value.ends_at'],
      [{ kind: 'stock', subject: 'crew', value: { left: 1 }, observed_at: 'now' }, 'observed_at'],
      [{ kind: 'weather', subject: 'x', value: {} }, 'kind'],
    ];
    for (const [fact, field] of wrong) {
      const { error } = factReport.safeParse(fact);
      expect(
        error?.issues.map(({ path }) => path.join('.')),
        JSON.stringify(fact),
      ).toContain(field);
    }
  });

  test('is stated as long as its source says, else as long as the store does, else as long as is usual for its kind', () => {
    const lasts = (fact: ReportedFact, factHours = {}) => {
      const made = factFrom(fact, { ...context, settings: { factHours } });
      return made.ok ? made.fact.expiresAtMs - made.fact.observedAtMs : made.field;
    };
    expect(lasts(reported('stock'))).toBe(hours(24));
    expect(lasts(reported('stock'), { stock: 2 })).toBe(hours(2));
    expect(lasts(reported('stock', { expires_at: '2026-11-20T09:30:00Z' }), { stock: 2 })).toBe(hours(0.5));
    // An offer ends when it ends, whatever else is said.
    expect(lasts(reported('offer_end', { expires_at: '2027-01-01T00:00:00Z' }))).toBe(Date.parse('2026-11-30T22:00:00Z') - nowMs);
    expect(lasts(reported('offer_end', { value: { ends_at: '2026-11-20T09:00:00Z' } }))).toBe('expires_at');
    expect(lasts(reported('stock', { expires_at: '2026-11-20T09:00:00Z' }))).toBe('expires_at');
  });

  test('is not from the future, but for clocks that run a little ahead', () => {
    const at = (time: string) => factFrom(reported('stock', { observed_at: time }), context);
    expect(at('2026-11-20T09:04:00Z')).toMatchObject({ ok: true, fact: { observedAtMs: nowMs } });
    expect(at('2026-11-20T09:06:00Z')).toMatchObject({ ok: false, field: 'observed_at' });
  });

  test('about an area is found whatever its spelling', () => {
    expect(factFrom(reported('market'), context)).toMatchObject({ ok: true, fact: { subject: 'upper döbling' } });
  });

  test('may be stated from its time on until just before its expiry', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 0, max: 3_000 }), (from, life, at) => {
        const fact = { observedAtMs: from, expiresAtMs: from + life };
        expect(isFresh(fact, at)).toBe(at >= from && at < from + life);
        expect(isFresh(fact, fact.expiresAtMs)).toBe(false);
        expect(isFresh(fact, fact.expiresAtMs - 1)).toBe(true);
      }),
    );
  });
});
