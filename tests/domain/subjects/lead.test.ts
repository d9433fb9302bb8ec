import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LeadDetails } from '../../../domain/subjects/lead/details.ts';
import { fold, type LeadReport } from '../../../domain/subjects/lead/fold.ts';
import { lead } from '../../../domain/subjects/lead/index.ts';
import type { Subject, SubjectReport, ViewTools } from '../../../domain/subjects/kind.ts';
import { agreedAt, foldViewing, uniteViewings, type Viewings } from '../../../domain/subjects/lead/viewings.ts';

type Lead = Subject<LeadDetails>;

const nothing = { source: null, interest: null, message: null, url: null };
const reported = (occurredAtMs: number, more: Partial<LeadReport>): SubjectReport<LeadReport> => ({
  occurredAtMs,
  report: { createdAtMs: 1_000, currency: null, valueMinor: null, ...nothing, ...more },
});
const nowhere = { email: null, phone: null };
const foldAll = (events: SubjectReport<LeadReport>[]) =>
  events.reduce<Lead | null>((known, event) => ({ ...fold(known, event, nowhere), state: 'open' }), null);

test('whatever the order in which the reports of a lead arrive, it stands as the provider’s clock says', () => {
  const text = fc.option(fc.constantFrom('a', 'b', 'c'));
  const aReport = fc.record({
    ...{ source: text, interest: text, message: text, url: text, createdAtMs: fc.integer({ min: 0, max: 1_000 }) },
    amount: fc.constantFrom({ currency: 'EUR', valueMinor: 100 }, { currency: 'USD', valueMinor: 7 }, { currency: null, valueMinor: null }),
  });
  fc.assert(
    fc.property(fc.array(aReport, { minLength: 1, maxLength: 5 }), fc.infiniteStream(fc.nat()), (drawn, numbers) => {
      const events = drawn.map(({ amount, ...rest }, i) => reported(2_000 + i, { ...rest, ...amount }));
      const shuffled = events.map((event) => ({ event, key: numbers.next().value ?? 0 })).sort((a, b) => a.key - b.key);
      // Of what older reports say and the newest does not, any is better than nothing: which one is kept may differ.
      const newest = events.at(-1)?.report;
      const isKnown = (known: Lead | null, field: 'source' | 'interest' | 'message' | 'url') => newest?.[field] ?? known?.details[field] !== null;
      const comparable = (known: Lead | null) => ({
        times: [known?.startedAt, known?.lastActivityAt],
        details: (['source', 'interest', 'message', 'url'] as const).map((field) => isKnown(known, field)),
        amount: newest?.valueMinor ?? known?.valueMinor !== null,
        whole: (known?.currency === null) === (known?.valueMinor === null),
      });
      expect(comparable(foldAll(shuffled.map(({ event }) => event)))).toEqual(comparable(foldAll(events)));
      for (const field of ['source', 'interest', 'message', 'url'] as const)
        if (newest?.[field] != null) expect(foldAll(shuffled.map(({ event }) => event))?.details[field]).toBe(newest[field]);
    }),
  );
});

test('a report that leaves a field out removes nothing, and an amount keeps its currency', () => {
  const known = foldAll([
    reported(1, { interest: 'a kitchen', url: 'https://shop.example.com/kitchens', currency: 'EUR', valueMinor: 100 }),
    reported(2, { message: 'Please call', currency: 'USD' }),
  ]);
  expect(known).toMatchObject({ currency: 'EUR', valueMinor: 100, details: { interest: 'a kitchen', message: 'Please call' } });
});

describe('what copy may say of a lead', () => {
  const tools: ViewTools = {
    money: (minor) => (minor === null ? null : `€${minor / 100}`),
    number: String,
    percent: String,
    line: (text) => text,
    initial: () => null,
    webUrl: (text) => text,
    storeUrl: 'https://shop.example.com',
    link: null,
    lowStockAt: 5,
  };
  const viewOf = (details: Partial<LeadDetails>) =>
    lead.view({ details: { ...nothing, ...details }, currency: 'EUR', valueMinor: null }, tools)['lead'];

  test('is what they asked about', () => {
    expect(viewOf({ interest: 'Küche mit Insel' })).toMatchObject({ interest: 'Küche mit Insel', url: 'https://shop.example.com', hasPage: false });
  });

  test.each(['win at big.example now', 'https://big.example', 'write to me@big.example', '12345', 'www.big'])(
    'is never an advertisement that somebody typed into the form: %s',
    (interest) => {
      expect(viewOf({ interest })).toMatchObject({ interest: null });
    },
  );

  test('and what else they want of it, where that leads nowhere', () => {
    const of = (preferences: string) => lead.view({ details: { ...nothing, preferences }, currency: null, valueMinor: null }, tools)['preferences'];
    expect(of('three rooms, a garden')).toBe('three rooms, a garden');
    expect(of('see big.example')).toBeNull();
  });

  test('is nothing that they wrote', () => {
    expect(JSON.stringify(viewOf({ message: 'my secret' }))).not.toContain('secret');
  });
});

test('of each viewing the latest report counts, in whatever order they come; one that is called off leaves others standing', () => {
  const report = fc.record({ id: fc.constantFrom('a', 'b', 'c'), isOff: fc.boolean(), atMs: fc.integer({ min: 1, max: 6 }) });
  fc.assert(
    fc.property(fc.array(report, { maxLength: 12 }), fc.infiniteStream(fc.nat()), fc.nat(12), (reports, numbers, cut) => {
      const foldViewings = (all: typeof reports) => all.reduce<Viewings>(foldViewing, {});
      const shuffled = reports.map((one) => ({ one, key: numbers.next().value ?? 0 })).sort((a, b) => a.key - b.key);
      const folded = foldViewings(reports);
      expect(foldViewings(shuffled.map(({ one }) => one))).toEqual(folded);
      expect(uniteViewings(foldViewings(reports.slice(0, cut)), foldViewings(reports.slice(cut)))).toEqual(folded);
      const standing = ['a', 'b', 'c'].flatMap((id) => {
        const latest = Math.max(0, ...reports.filter((one) => one.id === id).map(({ atMs }) => atMs));
        const said = reports.filter((one) => one.id === id && one.atMs === latest);
        return said.length === 0 || said.some(({ isOff }) => isOff) ? [] : [latest];
      });
      expect(agreedAt(folded)).toBe(standing.length === 0 ? null : Math.max(...standing));
    }),
  );
});
