import { minorDigits } from '../domain/money.ts';
import { numberFormat } from './intl-formats.ts';
import { type Direction, isolate } from './plain-text.ts';

/**
 * The first locale that Intl can use. Shops write `de_DE`, servers `de_DE.UTF-8`, browsers `de-DE`, forms anything.
 * @param candidates - best first; the last resort is `en`
 */
export function usableLocale(candidates: (string | null)[]): string {
  for (const candidate of candidates) {
    if (candidate === null) continue;
    try {
      const [supported] = Intl.NumberFormat.supportedLocalesOf(
        candidate
          .trim()
          .replace(/[.@].*$/, '')
          .replaceAll('_', '-'),
      );
      if (supported !== undefined) return supported;
    } catch {
      // Not a language tag: the next candidate.
    }
  }
  return 'en';
}

/**
 * Currencies with a minor unit in ISO 4217 that prices do not show: those of which CLDR writes no decimals, in general or in cash
 * (supplemental data, `fractions`: `digits` or `cashDigits` 0).
 */
const decimalsUnwritten = new Set(
  'AFN ALL AMD COP CRC CZK GYD HUF IDR IQD IRR KPW LAK LBP MGA MMK MNT MUR NOK PKR RSD SEK SLL SOS STD SYP TWD TZS UZS YER ZMK'.split(' '),
);

/**
 * An amount as the reader writes it. It is never rounded: where a currency's decimals are not written, whole amounts are shown without
 * (`8900 Ft`), and others to the last digit that the shop gave (`8900,50 Ft`).
 * @param amountMinor - minor units of `currency`
 * @returns null where the amount or the currency makes no price: the line is then left out. Amounts that run against the text around them are isolated
 * from it.
 */
export function formatMoney(amountMinor: number | null, currency: string | null, locale: string, direction: Direction = 'ltr'): string | null {
  if (amountMinor === null || currency === null || !Number.isSafeInteger(amountMinor) || amountMinor < 0) return null;
  const stored = minorDigits(currency);
  if (stored === null) return null;
  const whole = amountMinor % 10 ** stored === 0;
  // Intl has digits of its own for some currencies: the amount is shown with those that it was stored with.
  const digits = whole && decimalsUnwritten.has(currency.toUpperCase()) ? 0 : stored;
  const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return isolate(numberFormat(locale, { style: 'currency', currency, ...fraction }).format(Math.abs(amountMinor) / 10 ** stored), direction);
}
