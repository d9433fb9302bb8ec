import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCountry } from '../../integrations/read/country.ts';
import { readInstant } from '../../integrations/read/instant.ts';
import { readLocale, readTimeZone } from '../../integrations/read/locale.ts';
import { readCurrency, readMoney } from '../../integrations/read/money.ts';
import { type Notes, readEntries, readList } from '../../integrations/read/notes.ts';
import { readQuantity } from '../../integrations/read/quantity.ts';
import { readCount, readFlag, readId, readText } from '../../integrations/read/text.ts';
import { readUrl } from '../../integrations/read/url.ts';

/** What a reader makes of a value, and whether it noted anything. */
function reading<T>(read: (notes: Notes) => T): [T, 'noted' | 'silent'] {
  const notes: Notes = [];
  const value = read(notes);
  for (const note of notes) expect(note.field).toBe('field');
  return [value, notes.length === 0 ? 'silent' : 'noted'];
}

describe('money', () => {
  test.each<[unknown, string, number | null, 'noted' | 'silent']>([
    ['1.234,56', 'EUR', 123_456, 'silent'],
    ['1,234.56', 'EUR', 123_456, 'silent'],
    ['1 234,56', 'EUR', 123_456, 'silent'],
    ['1\u202f234,56', 'EUR', 123_456, 'silent'],
    ["1'234.50", 'CHF', 123_450, 'silent'],
    ['1,50,000.00', 'INR', 15_000_000, 'silent'],
    ['1.500.000', 'IDR', 150_000_000, 'silent'],
    ['€ 49,90', 'EUR', 4_990, 'silent'],
    ['49.90 EUR', 'EUR', 4_990, 'silent'],
    ['kr. 49,90', 'DKK', 4_990, 'silent'],
    ['US$1,234.56', 'USD', 123_456, 'silent'],
    ['49,-', 'EUR', 4_900, 'silent'],
    ['٤٩٫٩٠', 'EUR', 4_990, 'silent'],
    ['１２．９０', 'EUR', 1_290, 'silent'],
    [4766.11570248, 'CZK', 476_612, 'silent'],
    ['4766.11570248', 'CZK', 476_612, 'silent'],
    ['0.005', 'EUR', 1, 'silent'],
    ['0.0049', 'EUR', 0, 'silent'],
    ['1e3', 'EUR', 100_000, 'silent'],
    [{ amount: '49.90', currency_code: 'EUR' }, 'EUR', 4_990, 'silent'],
    ['1,234', 'EUR', 123_400, 'noted'],
    ['1,234', 'KWD', 1_234, 'noted'],
    ['1.234', 'EUR', 123, 'noted'],
    ['1.234', 'KWD', 1_234, 'silent'],
    ['12.990', 'CLP', 12_990, 'noted'],
    [12.99, 'CLP', 13, 'silent'],
    ['0,500', 'EUR', 50, 'silent'],
    [null, 'EUR', null, 'silent'],
    ['', 'EUR', null, 'noted'],
    ['-5.00', 'EUR', null, 'noted'],
    ['(5.00)', 'EUR', null, 'noted'],
    ['49.90 USD', 'EUR', null, 'noted'],
    ['12 90', 'EUR', null, 'noted'],
    ['free', 'EUR', null, 'noted'],
    ['1.234.5', 'EUR', null, 'noted'],
    ['0x10', 'EUR', null, 'noted'],
    [1e308, 'EUR', null, 'noted'],
    ['9'.repeat(40), 'EUR', null, 'noted'],
    [true, 'EUR', null, 'noted'],
    [{ amount: {} }, 'EUR', null, 'noted'],
  ])('%j %s is %s (%s)', (value, currency, minor, noted) => {
    expect(reading((notes) => readMoney(value, 'field', notes, currency))).toEqual([minor, noted]);
  });

  test('below zero is rounded away from it, where it may be', () => {
    expect(readMoney('-0.005', 'field', [], 'EUR', { signed: true })).toBe(-1);
    expect(readMoney('-0.0049', 'field', [], 'EUR', { signed: true })).toBe(0);
  });

  test('of cents survives every way to write it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000_000 }), fc.constantFrom('en', 'de', 'fr', 'de-CH', 'hi', 'ar-EG'), (cents, locale) => {
        const text = new Intl.NumberFormat(locale, { minimumFractionDigits: 2 }).format(cents / 100);
        expect(readMoney(text, 'field', [], 'EUR')).toBe(cents);
        expect(readMoney(cents / 100, 'field', [], 'EUR')).toBe(cents);
      }),
    );
  });

  test.each([
    ['eur', 'EUR'],
    [' EUR ', 'EUR'],
    ['€', 'EUR'],
    ['zł', 'PLN'],
    ['XXX', null],
    ['$', null],
    ['Euro', null],
    [978, null],
  ])('in %j is in %s', (value, code) => {
    expect(reading((notes) => readCurrency(value, 'field', notes))).toEqual([code, code === null ? 'noted' : 'silent']);
  });
});

test.each<[unknown, number | null, 'noted' | 'silent']>([
  [0.5, 0.5, 'silent'],
  ['0,5', 0.5, 'silent'],
  ['2', 2, 'silent'],
  [0, null, 'noted'],
  [-1, null, 'noted'],
  [null, 1, 'noted'],
  ['some', 1, 'noted'],
  [1e9, 1, 'noted'],
])('a quantity of %j is %s (%s)', (value, quantity, noted) => {
  expect(reading((notes) => readQuantity(value, 'field', notes))).toEqual([quantity, noted]);
});

test.each<[unknown, string | null]>([
  ['de_DE', 'de-DE'],
  ['de_CH_informal', 'de-CH'],
  ['de-DE@euro', 'de-DE'],
  ['zh_Hans_CN', 'zh-Hans-CN'],
  ['en_US.UTF-8', 'en-US'],
  ['pt_PT_ao90', 'pt-PT'],
  ['de-AT,de;q=0.9', 'de-AT'],
  ['iw', 'he'],
  ['no', 'no'],
  ['de-XX', 'de'],
  ['German', 'de'],
  ['français', 'fr'],
  ['日本語', 'ja'],
  ['rubbish', null],
  ['C', null],
  ['und', null],
  ['x-klingon', null],
  ['', null],
  [7, null],
])('the locale %j is %s', (value, locale) => {
  expect(reading((notes) => readLocale(value, 'field', notes))).toEqual([locale, locale === null ? 'noted' : 'silent']);
});

test.each<[unknown, string | null]>([
  ['at', 'AT'],
  ['AUT', 'AT'],
  ['040', 'AT'],
  [40, 'AT'],
  ['Austria', 'AT'],
  ['ÖSTERREICH', 'AT'],
  ['Autriche', 'AT'],
  ['UK', 'GB'],
  ['Great Britain', 'GB'],
  ['U.S.A.', 'US'],
  ['The Netherlands', 'NL'],
  ['Korea, Republic of', 'KR'],
  ['Côte d’Ivoire', 'CI'],
  ['Россия', 'RU'],
  ['日本', 'JP'],
  ['Türkiye', 'TR'],
  ['EU', null],
  ['Atlantis', null],
  ['', null],
])('the country %j is %s', (value, country) => {
  expect(reading((notes) => readCountry(value, 'field', notes))).toEqual([country, country === null ? 'noted' : 'silent']);
});

test('every country is known by its three letters and by its names', () => {
  const english = new Intl.DisplayNames(['en'], { type: 'region' });
  for (const code of ['AFGAF', 'CHECH', 'DEUDE', 'ESPES', 'GBRGB', 'JPNJP', 'ZAFZA']) {
    const [three, two] = [code.slice(0, 3), code.slice(3)];
    expect(readCountry(three, 'field', [])).toBe(two);
    expect(readCountry(english.of(two), 'field', [])).toBe(two);
  }
});

const at = (ms: number, toTheSecond: boolean) => ({ ms, toTheSecond });
test.each<[unknown, { ms: number; toTheSecond: boolean } | null, 'noted' | 'silent']>([
  ['2026-11-28T01:16:20Z', at(Date.UTC(2026, 10, 28, 1, 16, 20), true), 'silent'],
  ['2026-11-28T01:16:20.883Z', at(Date.UTC(2026, 10, 28, 1, 16, 20, 883), false), 'silent'],
  ['2026-11-28T01:16:20+0000', at(Date.UTC(2026, 10, 28, 1, 16, 20), true), 'silent'],
  ['2026-11-28 01:16:20', at(Date.UTC(2026, 10, 28, 0, 16, 20), true), 'noted'],
  ['2026-07-28 01:16:20', at(Date.UTC(2026, 6, 27, 23, 16, 20), true), 'noted'],
  ['2026-11-28', at(Date.UTC(2026, 10, 27, 23), true), 'noted'],
  ['28.11.2026 01:16', at(Date.UTC(2026, 10, 28, 0, 16), true), 'noted'],
  ['2026-11-28 01:16:20 UTC', at(Date.UTC(2026, 10, 28, 1, 16, 20), true), 'silent'],
  ['2026-11-28 01:16:20 Europe/Vienna', at(Date.UTC(2026, 10, 28, 0, 16, 20), true), 'silent'],
  [1_795_828_580, at(Date.UTC(2026, 10, 28, 1, 16, 20), true), 'silent'],
  ['1795828580123', at(Date.UTC(2026, 10, 28, 1, 16, 20, 123), false), 'silent'],
  ['Sat, 28 Nov 2026 01:16:20 +0000', at(Date.UTC(2026, 10, 28, 1, 16, 20), true), 'silent'],
  ['Sat Nov 28 2026 01:16:20 GMT+0100 (Central European Standard Time)', at(Date.UTC(2026, 10, 28, 0, 16, 20), true), 'silent'],
  [{ date: '2026-11-28 01:16:20.000000', timezone_type: 3, timezone: 'Europe/Berlin' }, at(Date.UTC(2026, 10, 28, 0, 16, 20), false), 'silent'],
  // An hour that comes twice is the first; one that is left out is an hour later.
  ['2026-10-25 02:30:00', at(Date.UTC(2026, 9, 25, 0, 30), true), 'noted'],
  ['2026-03-29 02:30:00', at(Date.UTC(2026, 2, 29, 1, 30), true), 'noted'],
  [undefined, null, 'silent'],
  ['', null, 'noted'],
  ['yesterday', null, 'noted'],
  ['11/28/2026', null, 'noted'],
  ['0000-00-00 00:00:00', null, 'noted'],
  ['1970-01-01T00:00:00Z', null, 'noted'],
  ['9999-12-31T23:59:59Z', null, 'noted'],
  ['2026-02-31T00:00:00Z', null, 'noted'],
  [0, null, 'noted'],
  [[], null, 'noted'],
])('the time %j is %j (%s)', (value, instant, noted) => {
  expect(reading((notes) => readInstant(value, 'field', notes, 'Europe/Vienna'))).toEqual([instant, noted]);
});

test.each<[unknown, string | null]>([
  ['https://tea.example.com/x?a=1#b', 'https://tea.example.com/x?a=1#b'],
  ['//cdn.example.com/a.png', 'https://cdn.example.com/a.png'],
  ['/x', 'https://shop.example.com/x'],
  ['www.tea.example.com/x', 'https://www.tea.example.com/x'],
  ['https://tea.example.com/ü b', 'https://tea.example.com/%C3%BC%20b'],
  ['', null],
  ['javascript:alert(1)', null],
  ['Java\nScript:alert(1)', null],
  ['data:image/png;base64,xx', null],
  ['ftp://tea.example.com', null],
  ['https://', null],
  ['#', null],
  [`https://tea.example.com/${'x'.repeat(2_000)}`, null],
  [7, null],
])('the address %j is %s', (value, url) => {
  expect(reading((notes) => readUrl(value, 'field', notes, 'https://shop.example.com/de/'))).toEqual([url, url === null ? 'noted' : 'silent']);
  if (value === '/x') expect(reading((notes) => readUrl(value, 'field', notes, null))).toEqual([null, 'noted']);
});

test('ids are exact text, without invisible characters and without placeholders', () => {
  expect(reading((notes) => readId(4711, 'field', notes))).toEqual(['4711', 'silent']);
  expect(reading((notes) => readId('\ufeffcart-4711\u00a0', 'field', notes))).toEqual(['cart-4711', 'silent']);
  expect(reading((notes) => readId('undefined', 'field', notes))).toEqual([null, 'noted']);
  expect(reading((notes) => readId({}, 'field', notes))).toEqual([null, 'noted']);
  const [long] = reading((notes) => readId('x'.repeat(300), 'field', notes));
  expect(long).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test('texts, flags, counts and lists are taken as they are meant', () => {
  expect(reading((notes) => readText('T\u0000e\u202ea\u200b ', 'field', notes, 100))).toEqual(['T ea', 'silent']);
  expect(reading((notes) => readText('👩‍🍳 apron', 'field', notes, 100))).toEqual(['👩‍🍳 apron', 'silent']);
  expect(reading((notes) => readText(17, 'field', notes, 100))).toEqual(['17', 'silent']);
  expect(reading((notes) => readText('x'.repeat(101), 'field', notes, 100))).toEqual(['x'.repeat(100), 'noted']);
  expect(['true', 1, 'Yes', true].map((v) => readFlag(v, 'field', []))).toEqual([true, true, true, true]);
  expect(['false', 0, 'no', false].map((v) => readFlag(v, 'field', []))).toEqual([false, false, false, false]);
  expect(reading((notes) => readFlag('perhaps', 'field', notes))).toEqual([null, 'noted']);
  expect(['3', 3, '٣', '3.0'].map((v) => readCount(v, 'field', []))).toEqual([3, 3, 3, 3]);
  expect([-1, 2 ** 31, 0.5, 'x'].map((v) => readCount(v, 'field', []))).toEqual([null, null, null, null]);
  expect(readList({ 0: 'a', 2: 'b' }, 'field', [], 9)).toEqual(['a', 'b']);
  expect(reading((notes) => readList('a', 'field', notes, 9))).toEqual([null, 'noted']);
  const idsOf = (value: unknown) => readEntries(value, 'field', [], 9, ({ id }, path) => (typeof id === 'number' ? `${id} of ${path}` : null));
  expect(idsOf([{ id: 1 }, 'x', {}, { id: 2 }])).toEqual(['1 of field.0', '2 of field.3']);
  expect(idsOf([])).toEqual([]);
  expect(idsOf([{}])).toEqual([]);
  // Entries of which none can be read do not say that there are none.
  for (const unreadable of [['x', 1, null], { 0: 'x', 2: 'y' }, 'x', null]) expect(idsOf(unreadable)).toBeNull();
  expect(reading((notes) => readTimeZone('Europe/Atlantis', 'field', notes))).toEqual([null, 'noted']);
});
