import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileEmail } from '../../content/channels/email/compile.ts';
import { type EmailView, emailView } from '../../content/channels/email/view.ts';
import type { CartView } from '../../domain/subjects/cart/view.ts';
import { formatMoney, usableLocale } from '../../content/money.ts';
import { loadPresetCopy } from '../../content/preset-copy.ts';
import { renderEmail } from '../../content/channels/email/render.ts';
import type { CompiledEmail } from '../../content/channels/email/compiled.ts';
import { minorDigits } from '../../domain/money.ts';
import { aMail, aProduct, type MailGiven, cartKind } from './a-mail.ts';

let compiled: CompiledEmail;
let rightToLeft: CompiledEmail;
beforeAll(async () => {
  const source = (await loadPresetCopy(fileURLToPath(new URL('../../sequences/cart', import.meta.url))))['cart/email_2h'];
  if (source === undefined) throw new Error('sequences/cart/email_2h.liquid is missing');
  compiled = await compileEmail(source, cartKind);
  rightToLeft = await compileEmail({ ...source, text: source.text.replace('---\n', '---\nlanguage: ar\n') }, cartKind);
});

/** Spaces of all kinds as one, marks of direction left out: what the eye compares. */
const seen = (text: string | null) => text?.replace(/[\u00a0\u202f]/g, ' ').replace(/[\u2066-\u2069\u200e\u200f\u061c]/g, '') ?? null;
const itemsOf = (given: MailGiven) => (emailView(aMail(given), 'en') as EmailView & CartView).cart.items;

describe('an amount', () => {
  test.each([
    ['HUF', 'hu-HU', 2_499_000, '24 990 Ft'],
    ['HUF', 'hu-HU', 890_000, '8900 Ft'],
    ['HUF', 'hu-HU', 890_050, '8900,50 Ft'],
    ['TWD', 'zh-TW', 129_900, '$1,299'],
    ['TWD', 'en-US', 129_900, 'NT$1,299'],
    ['IDR', 'id-ID', 15_000_000, 'Rp 150.000'],
    ['COP', 'es-CO', 9_990_000, '$ 99.900'],
    ['CZK', 'cs-CZ', 129_000, '1 290 Kč'],
    ['CZK', 'cs-CZ', 129_090, '1 290,90 Kč'],
    ['SEK', 'sv-SE', 29_900, '299 kr'],
    ['IQD', 'en-US', 25_000_000, 'IQD 25,000'],
    ['JPY', 'en-US', 1_299, '¥1,299'],
    ['KRW', 'ko-KR', 15_000, '₩15,000'],
    ['EUR', 'de-DE', 8_900, '89,00 €'],
    ['USD', 'en-US', 8_900, '$89.00'],
    ['KWD', 'en-US', 8_900, 'KWD 8.900'],
    ['usd', 'en-US', 8_900, '$89.00'],
  ])('of %s in %s, %i minor units, is written %s', (currency, locale, minor, written) => {
    expect(seen(formatMoney(minor, currency, locale))).toBe(written);
  });

  test.each([
    [null, 'EUR'],
    [Number.NaN, 'EUR'],
    [Number.POSITIVE_INFINITY, 'EUR'],
    [-1, 'EUR'],
    [0.5, 'EUR'],
    [100, null],
    [100, ''],
    [100, 'XXQ'],
    [100, 'XXX'],
    [100, 'BTC'],
    [100, 'EURO'],
    [100, '€'],
  ])('%s %s is none', (minor, currency) => {
    expect(formatMoney(minor, currency, 'en-US')).toBeNull();
  });

  test('is isolated where it is written from right to left, and only there', () => {
    expect(formatMoney(8_900, 'KWD', 'ar-KW')).toMatch(/^\u2068.*\u2069$/);
    expect(formatMoney(8_900, 'ILS', 'he-IL')).toMatch(/^\u2068.*\u2069$/);
    expect(formatMoney(8_900, 'EUR', 'de-DE')).not.toMatch(/[\u2066-\u2069]/);
  });

  test('keeps to the reader’s locale in every spelling that shops and servers have for it', () => {
    for (const spelling of ['de_DE', 'de-DE', 'de_DE.UTF-8', ' de-de ']) expect(usableLocale([spelling])).toBe('de-DE');
    expect(usableLocale(['de_CH_informal'])).toMatch(/^de-CH/);
    expect(usableLocale(['', 'not a tag', 'xx-yy-zz', null, 'fr'])).toBe('fr');
    expect(usableLocale([null])).toBe('en');
  });
});

test('a currency is one of ISO 4217, not any three letters', () => {
  const names = new Intl.DisplayNames('en', { type: 'currency', fallback: 'none' });
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
  const accepted = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => a + b + c))).filter((code) => minorDigits(code) !== null);
  // Newer than some supported versions of Node.
  const young = new Set(['XCG', 'ZWG', 'SLE', 'VED']);
  expect(accepted.filter((code) => names.of(code) === undefined && !young.has(code))).toEqual([]);
  // Units of account of banks, which no shop sells in.
  expect(Intl.supportedValuesOf('currency').filter((code) => minorDigits(code) === null && !['XDR', 'XSU'].includes(code))).toEqual([]);
  for (const none of ['XXQ', 'XXX', 'XTS', 'XAU', 'XDR', 'AAA', '', 'EU', 'EURO', 'ÄUR', 'toString']) expect(minorDigits(none)).toBeNull();
  for (const [code, digits] of [
    ['eur', 2],
    ['JPY', 0],
    ['KWD', 3],
    ['CLF', 4],
    ['BYR', 0],
    ['HRK', 2],
    ['HUF', 2],
  ] as const)
    expect(minorDigits(code)).toBe(digits);
});

describe('a line', () => {
  test('with a discount costs what it costs after it, beside what it would have cost', () => {
    const given = { items: [aProduct({ quantity: 2, priceMinor: 2_400, compareAtMinor: 3_000 })] };
    expect(itemsOf(given)).toMatchObject([{ price: '$48.00', compareAt: '$60.00', unitPrice: '$24.00' }]);
    const { html, text } = renderEmail(compiled, aMail(given));
    expect(html).toMatch(/\$48\.00\s*<div[^>]*>was <s>\$60\.00<\/s>/);
    expect(text).toContain('$48.00 (was $60.00, 20% off)');
  });

  test.each([
    ['equal', 8_900],
    ['lower', 5_000],
    ['unknown', null],
    ['odd', Number.NaN],
  ])('with a former price that is %s shows none', (_what, compareAtMinor) => {
    const given = { items: [aProduct({ priceMinor: 8_900, compareAtMinor })] };
    expect(itemsOf(given)).toMatchObject([{ price: '$89.00', compareAt: null }]);
    expect(renderEmail(compiled, aMail(given)).html).not.toContain('<s>');
  });

  test('of a cart that was stored before former prices were known is shown as ever', () => {
    const { compareAtMinor: _later, ...stored } = aProduct();
    expect(itemsOf({ items: [stored as ReturnType<typeof aProduct>] })).toMatchObject([{ price: '$89.00', compareAt: null }]);
  });

  test('whose price is unknown leaves it out: no zero, no empty cell, no former price', () => {
    const given = { items: [aProduct({ title: 'Vase', priceMinor: null, compareAtMinor: 12_000 })], totalMinor: null };
    expect(itemsOf(given)).toMatchObject([{ price: null, unitPrice: null, compareAt: null }]);
    const { html, text } = renderEmail(compiled, aMail({ ...given, items: [...given.items, aProduct()] }));
    expect(html).not.toMatch(/<td\b[^>]*>\s*<\/td>|NaN|\b0[.,]00|<s>|>Total</);
    expect(html).toMatch(/colspan="2"[^>]*>\s*<a [^>]*>Vase/);
    expect(text).toContain('- 1 × Vase (Moss)\n');
    expect(text).not.toMatch(/NaN|\b0[.,]00|Total/);
  });

  test('of an unknown currency has no amounts at all, and neither has the cart', () => {
    const { html, text } = renderEmail(compiled, aMail({ currency: null, items: [aProduct({ compareAtMinor: 12_000 })], totalMinor: 8_900 }));
    for (const part of [html.slice(html.indexOf('<body')), text]) expect(part).not.toMatch(/89[.,]00|120[.,]00|Total|null|NaN/);
  });

  test.each([
    [0.5, '0.5', '$11.85', '$23.70'],
    [0.125, '0.125', '$2.96', '$23.70'],
    [1.5, '1.5', '$35.55', '$23.70'],
    [1, '1', '$23.70', null],
    [0, null, '$23.70', null],
    [-2, null, '$23.70', null],
    [Number.NaN, null, '$23.70', null],
    [1e-9, null, '$23.70', null],
  ])('of %s pieces is shown so', (quantity, shown, price, unitPrice) => {
    expect(itemsOf({ items: [aProduct({ quantity, priceMinor: 2_370 })] })).toMatchObject([{ quantity: shown, price, unitPrice }]);
  });

  test.each([
    [-0, 12_000, '$0.00', '100%'],
    [-1e300, 12_000, null, null],
    [-0.4, 1e-10, null, null],
    [8_900, Number.POSITIVE_INFINITY, '$89.00', null],
  ])('of %d that was %d before', (priceMinor, compareAtMinor, price, discount) => {
    expect(itemsOf({ items: [aProduct({ priceMinor, compareAtMinor })] })).toMatchObject([{ price, discount }]);
  });

  test('never prints what is no amount, whatever the numbers are', () => {
    const extreme = fc.constantFrom(Number.NaN, Number.MAX_SAFE_INTEGER, -0, -0.4, 1e-10, 1e-320, 1e300, -1e300);
    const amount = fc.option(fc.oneof(fc.integer(), fc.double(), extreme));
    const item = fc.record({ quantity: fc.double(), priceMinor: amount, compareAtMinor: amount });
    const currency = fc.option(fc.constantFrom('EUR', 'HUF', 'KWD', 'JPY', 'XXQ', ''));
    fc.assert(
      fc.property(fc.array(item, { maxLength: 4 }), amount, currency, (items, totalMinor, code) => {
        const { html, text } = renderEmail(compiled, aMail({ items: items.map((i) => aProduct(i)), totalMinor, currency: code }));
        for (const part of [html.slice(html.indexOf('<body')), text])
          expect(part).not.toMatch(/NaN|Infinity|∞|undefined|null\b|[€$¥]-|-\p{Sc}|-\d+%|<td\b[^>]*>\s*<\/td>|<s>\s*<\/s>/u);
      }),
      { numRuns: 100 },
    );
  });
});

describe('right-to-left copy', () => {
  test('lays out its tables from the right and isolates amounts and titles, whatever they are written in', () => {
    const { html, text } = renderEmail(rightToLeft, aMail({ currency: 'EUR', locale: 'de-DE', items: [aProduct({ title: 'Mug (blue)' })] }));
    expect(html).toMatch(/<html[^>]* dir="rtl"/);
    expect(html).not.toContain('direction:ltr');
    for (const part of [html, text]) {
      expect(part).toMatch(/\u2068Mug \(blue\)\u2069/);
      expect(part).toMatch(/\u206889,00\s€\u2069/);
    }
  });

  test.each([
    ['he', true],
    ['ckb', true],
    ['pa-Arab', true],
    ['pa', false],
    ['ar_KW', true],
    ['tr', false],
  ])('is told by its language: %s', async (language, rtl) => {
    const file = { file: 'own.liquid', text: `---\nsubject: A\npreheader: B\nheading: C\ncta: D\nlanguage: ${language}\n---\nHello.\n\n[cart]\n` };
    expect((await compileEmail(file, cartKind)).html).toContain(rtl ? 'dir="rtl"' : 'dir="ltr"');
  });
});
