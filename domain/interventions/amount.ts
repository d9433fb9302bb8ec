import { minorDigits } from '../money.ts';

/** An amount in one currency. Costs are fractions of a cent, so it counts in millionths of the currency's unit, exactly. */
export interface Amount {
  /** ISO 4217. */
  currency: string;
  micros: bigint;
}

const perUnit = 1_000_000n;

/**
 * A decimal in major units, such as `0.0079`, in millionths.
 * @returns null for what is no decimal above or equal to 0 with at most six places
 */
export function microsOf(decimal: string): bigint | null {
  const found = /^(\d{1,15})(?:\.(\d{1,6}))?$/.exec(decimal);
  return found === null ? null : BigInt(found[1] ?? '') * perUnit + BigInt((found[2] ?? '').padEnd(6, '0'));
}

/** In major units, with the decimal places of the currency at least: `0.0079` USD, `12.50` EUR, `4500` JPY. */
export function decimalOf({ micros, currency }: Amount): string {
  const sign = micros < 0n ? '-' : '';
  const size = micros < 0n ? -micros : micros;
  const places = (size % perUnit)
    .toString()
    .padStart(6, '0')
    .replace(/0+$/, '')
    .padEnd(minorDigits(currency) ?? 2, '0');
  return `${sign}${size / perUnit}${places === '' ? '' : `.${places}`}`;
}

/** Added up by currency: amounts of different currencies are never added. In the order of their codes. */
export function addUp(amounts: readonly Amount[]): Amount[] {
  const sums = new Map<string, bigint>();
  for (const { currency, micros } of amounts) sums.set(currency, (sums.get(currency) ?? 0n) + micros);
  return [...sums].map(([currency, micros]) => ({ currency, micros })).toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
}

/** A part of an amount, rounded towards zero. @param share - down to a millionth */
export const shareOf = ({ currency, micros }: Amount, share: number): Amount => ({
  currency,
  micros: (micros * BigInt(Math.round(share * 1_000_000))) / perUnit,
});
