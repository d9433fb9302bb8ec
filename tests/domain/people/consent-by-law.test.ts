import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consentLawOf, consentLaws, consentLawVersion } from '../../../domain/law/consent-law.ts';
import { addMonths, consentByLaw, type SoftEvidence } from '../../../domain/people/consent-by-law.ts';
import { checkOf, decide, usable } from '../gates/a-dispatch.ts';

const nowMs = Date.parse('2026-03-10T11:00Z');
const day = (text: string) => Date.parse(`${text}T12:00Z`);
const nothing: SoftEvidence = { purchase: null, inquiry: null, negotiation: null };
const ask = (country: string, evidence: Partial<SoftEvidence> = {}, more: Partial<Parameters<typeof consentByLaw>[0]> = {}) =>
  consentByLaw({ of: 'emails', countries: [country], consent: 'unknown', reading: 'law', evidence: { ...nothing, ...evidence }, ...more }, nowMs);

describe('the law of consent', () => {
  test('has a version with a date, and a source for each entry', () => {
    expect(consentLawVersion).toMatch(/^\d{4}-\d\d-\d\d$/);
    for (const law of consentLaws) expect(law.source.length, law.id).toBeGreaterThan(8);
    const keys = consentLaws.flatMap((law) => law.for.map((of) => `${law.id} ${of}`));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test.each([
    ['US', {}, 'nothing_needed', null],
    ['DE', {}, 'consent_required', null],
    ['DE', { negotiation: nowMs, inquiry: nowMs }, 'consent_required', null],
    ['DE', { purchase: day('2001-01-01') }, 'purchase', null],
    ['GB', { negotiation: nowMs }, 'negotiation', null],
    ['CA', { purchase: day('2024-03-11') }, 'purchase', day('2026-03-11')],
    ['CA', { purchase: day('2024-03-09') }, 'consent_expired', null],
    ['CA', { inquiry: day('2025-09-11') }, 'inquiry', day('2026-03-11')],
    ['CA', { inquiry: day('2025-09-09') }, 'consent_expired', null],
    ['CA', { purchase: day('2024-03-01'), inquiry: day('2026-03-01') }, 'inquiry', day('2026-09-01')],
    ['CA', { negotiation: nowMs }, 'consent_required', null],
    ['IE', { purchase: day('2025-03-09') }, 'consent_expired', null],
    ['PL', { purchase: nowMs }, 'consent_required', null],
    // A member of the Union without an entry of its own.
    ['NL', { purchase: nowMs }, 'purchase', null],
    ['NL', {}, 'consent_required', null],
  ] as const)('%s %o: %s', (country, evidence, expected, untilMs) => {
    const found = ask(country, evidence);
    expect(found?.allowed === true ? found.restsOn : found?.reason).toBe(expected);
    if (found?.allowed === true) expect(found.untilMs).toBe(untilMs);
  });

  test('is silent about a country that it does not know, and about none', () => {
    expect(ask('BR')).toBeNull();
    expect(ask('DE', {}, { countries: [] })).toBeNull();
  });

  test('read strictly takes nothing for consent but consent', () => {
    expect(ask('DE', { purchase: nowMs }, { reading: 'strict' })).toMatchObject({ allowed: false, reason: 'consent_required' });
    expect(ask('PL', {}, { reading: 'strict', consent: 'granted' })).toMatchObject({ allowed: true, restsOn: 'consent', untilMs: null });
    expect(ask('US', {}, { reading: 'strict' })).toMatchObject({ allowed: true, restsOn: 'nothing_needed' });
  });

  test('of several countries the strictest holds, in whatever order they come', () => {
    const country = fc.constantFrom(...new Set(consentLaws.map((law) => law.id).filter((id) => id !== 'EU')), 'NL', 'BR');
    const time = fc.option(fc.integer({ min: day('2022-01-01'), max: nowMs }), { nil: null });
    const evidence = fc.record({ purchase: time, inquiry: time, negotiation: time });
    const of = fc.constantFrom('emails', 'texts', 'calls' as const);
    fc.assert(
      fc.property(fc.array(country, { maxLength: 4 }), evidence, of, fc.constantFrom('strict', 'law'), (countries, known, kind, reading) => {
        const found = consentByLaw({ of: kind, countries, consent: 'unknown', reading, evidence: known }, nowMs);
        const each = countries.map((one) => consentByLaw({ of: kind, countries: [one], consent: 'unknown', reading, evidence: known }, nowMs));
        const asked = each.filter((one) => one !== null);
        expect(found?.allowed ?? true).toBe(asked.every((one) => one.allowed));
        expect(found === null).toBe(asked.length === 0);
        if (found?.allowed !== true) return;
        // What ends first ends it.
        const ends = asked.map((one) => (one.allowed ? (one.untilMs ?? Infinity) : -Infinity));
        expect(found.untilMs ?? Infinity).toBe(Math.min(...ends));
      }),
      { numRuns: 2_000 },
    );
  });

  test('a later purchase never closes what an earlier one had opened', () => {
    const country = fc.constantFrom('CA', 'IE', 'DE', 'GB');
    fc.assert(
      fc.property(country, fc.integer({ min: day('2022-01-01'), max: nowMs }), fc.nat(400), (of, purchase, days) => {
        const later = Math.min(nowMs, purchase + days * 86_400_000);
        if (ask(of, { purchase })?.allowed === true) expect(ask(of, { purchase: later })?.allowed).toBe(true);
      }),
    );
  });

  test('a month later is the same day, or the last of a shorter month', () => {
    const shown = (from: string, months: number) => new Date(addMonths(day(from), months)).toISOString().slice(0, 10);
    expect([shown('2024-02-29', 24), shown('2025-08-31', 6), shown('2025-12-31', 1), shown('2026-01-15', 13)]).toEqual([
      '2026-02-28',
      '2026-02-28',
      '2026-01-31',
      '2027-02-15',
    ]);
  });

  test('knows its countries by class', () => {
    expect(consentLawOf('texts', 'IT')?.soft).toEqual([]);
    expect(consentLawOf('emails', 'IT')?.soft).toEqual([{ by: 'purchase', months: null }]);
    expect(consentLawOf('calls', 'FR')?.id).toBe('EU');
  });
});

describe('a dispatch', () => {
  const place = (country: string) => ({ place: { country, region: null } });
  const strict = { consentLaw: 'strict' as const };

  test('is skipped where the law asks for consent, and says which', () => {
    const verdict = decide({ zones: place('DE'), settings: strict });
    expect(verdict).toMatchObject({ kind: 'skip', reason: 'consent_required' });
    expect(checkOf(verdict, 'channel')).toMatchObject({
      input: { email: 'consent_required', law: 'DE', source: expect.stringContaining('UWG') as unknown, version: consentLawVersion },
      note: 'The law asks for consent. In DE the law asks for consent (UWG § 7(2) and (3)).',
    });
    // Off unless the store says otherwise.
    expect(decide({ zones: place('DE') }).kind).toBe('send');
    expect(decide({ zones: place('BR'), settings: strict }).kind).toBe('send');
    expect(decide({ zones: place('DE'), settings: strict, channels: { email: { ...usable, consent: 'granted' } } }).kind).toBe('send');
  });

  test('goes by the strictest of the countries that may be the person’s', () => {
    expect(decide({ zones: { ...place('US'), countries: ['US', 'DE'] }, settings: strict })).toMatchObject({ reason: 'consent_required' });
    expect(decide({ zones: { ...place('DE'), countries: [] }, settings: strict }).kind).toBe('send');
  });

  test('rests on a purchase where the store reads the law so, and the record says until when', () => {
    const bought = { zones: place('CA'), contact: { lastOrderMs: day('2025-01-10') }, settings: { consentLaw: 'law' as const } };
    const verdict = decide(bought);
    expect(verdict.kind).toBe('send');
    expect(checkOf(verdict, 'channel')).toMatchObject({
      input: { restsOn: 'purchase', untilMs: day('2027-01-10') },
      note: 'In CA the last purchase stands for consent, until 2027-01-10.',
    });
    const old = decide({ ...bought, contact: { lastOrderMs: day('2024-01-10') } });
    expect(old).toMatchObject({ kind: 'skip', reason: 'consent_expired' });
    expect(checkOf(old, 'channel').note).toContain('ended on 2026-01-10');
  });

  test('about a lead counts as a question, and about a cart as a negotiation', () => {
    const settings = { consentLaw: 'law' as const };
    expect(decide({ zones: place('CA'), settings, subject: { isInquiry: true } }).kind).toBe('send');
    expect(decide({ zones: place('CA'), settings })).toMatchObject({ reason: 'consent_required' });
    expect(decide({ zones: place('GB'), settings }).kind).toBe('send');
  });

  test('takes another channel where the law closes the first', () => {
    const step = { channels: ['sms', 'email'] as ('sms' | 'email')[] };
    const verdict = decide({ step, zones: place('US'), settings: strict, channels: { sms: usable, email: usable } });
    expect(verdict).toMatchObject({ kind: 'send', channel: 'email' });
    expect(checkOf(verdict, 'channel').input).toMatchObject({ sms: 'consent_required', email: 'chosen' });
  });
});
