import { minorDigits } from '../domain/money.ts';

/**
 * A decimal amount in minor units, without a detour over floating point: `'129.90'` EUR is 12990, `'1.500'` KWD is 1500.
 * @param amount - a decimal string, or a number as JSON has it (its noise beyond the 15th digit is dropped)
 * @param excess - what to do with digits that the currency does not have: refuse the amount, or round half up
 * @returns null where it is no amount: negative, not a number, too large, no such currency
 */
export function toMinor(amount: string | number, currency: string, excess: 'refuse' | 'round'): number | null {
  const digits = minorDigits(currency);
  if (digits === null) return null;
  const text = typeof amount === 'number' ? String(Number(amount.toPrecision(15))) : amount.trim();
  const match = /^(\d{1,15})(?:\.(\d{1,30}))?$/.exec(text);
  if (match === null) return null;
  const [, whole = '', fraction = ''] = match;
  const rest = fraction.slice(digits);
  if (excess === 'refuse' && /[1-9]/.test(rest)) return null;
  const minor = Number(whole + fraction.slice(0, digits).padEnd(digits, '0')) + (/^[5-9]/.test(rest) ? 1 : 0);
  return Number.isSafeInteger(minor) ? minor : null;
}
