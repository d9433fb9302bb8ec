import { minorDigits } from '../domain/money.ts';

/**
 * The first locale that Intl can use. Shops write `de_DE`, browsers `de-DE`, forms anything.
 * @param candidates - best first; the last resort is `en`
 */
export function usableLocale(candidates: (string | null)[]): string {
  for (const candidate of candidates) {
    if (candidate === null) continue;
    try {
      const [supported] = Intl.NumberFormat.supportedLocalesOf(candidate.trim().replaceAll('_', '-'));
      if (supported !== undefined) return supported;
    } catch {
      // Not a language tag: the next candidate.
    }
  }
  return 'en';
}

/**
 * An amount as the reader writes it.
 * @param amountMinor - minor units of `currency`
 * @returns null where the amount or the currency makes no price: the line is then left out
 */
export function formatMoney(amountMinor: number | null, currency: string | null, locale: string): string | null {
  if (amountMinor === null || currency === null || !Number.isSafeInteger(amountMinor) || amountMinor < 0) return null;
  const digits = minorDigits(currency);
  if (digits === null) return null;
  // Intl has digits of its own for some currencies: the amount is shown with those that it was stored with.
  const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale, { style: 'currency', currency, ...fraction }).format(amountMinor / 10 ** digits);
}
