import { minorDigits } from '../../domain/money.ts';

/**
 * An amount as merchants and their programs write it: `129.90` EUR, `4500` JPY. Exact: no floating point is involved.
 * @param amountMinor - whole minor units of `currency`, may be negative
 * @returns null where the amount or its currency is unknown
 */
export function majorUnits(amountMinor: number, currency: string): string;
export function majorUnits(amountMinor: number | null, currency: string | null): string | null;
export function majorUnits(amountMinor: number | null, currency: string | null): string | null {
  if (amountMinor === null || currency === null) return null;
  const digits = minorDigits(currency) ?? 2;
  const padded = String(Math.abs(amountMinor)).padStart(digits + 1, '0');
  const sign = amountMinor < 0 ? '-' : '';
  return digits === 0 ? `${sign}${padded}` : `${sign}${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
}
