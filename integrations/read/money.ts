import { minorDigits } from '../../domain/money.ts';
import { withoutInvisible } from '../../domain/people/identity.ts';
import { type Decimal, parseDecimal } from './decimal.ts';
import { isAbsent, type Notes, note } from './notes.ts';

const symbols: Readonly<Record<string, string>> = {
  '€': 'EUR',
  '£': 'GBP',
  '₹': 'INR',
  '₩': 'KRW',
  '₺': 'TRY',
  '₽': 'RUB',
  '₪': 'ILS',
  '₫': 'VND',
  '₴': 'UAH',
  '₱': 'PHP',
  '₦': 'NGN',
  '฿': 'THB',
  '₸': 'KZT',
  '₾': 'GEL',
  zł: 'PLN',
  kč: 'CZK',
  r$: 'BRL',
  us$: 'USD',
  ca$: 'CAD',
  a$: 'AUD',
  au$: 'AUD',
  nz$: 'NZD',
  hk$: 'HKD',
};

/** An ISO 4217 code in any case, or a symbol that stands for one currency only. XXX, "no currency", is none. */
export function readCurrency(value: unknown, path: string, notes: Notes): string | null {
  if (isAbsent(value)) return null;
  const text = typeof value === 'string' ? withoutInvisible(value) : '';
  const code = codeOf(text);
  if (code === null) note(notes, path, text === '' && typeof value === 'string' ? 'is empty: left out' : 'is no currency: left out');
  return code;
}

function codeOf(text: string): string | null {
  const code = symbols[text.toLowerCase()] ?? text.toUpperCase();
  return code !== 'XXX' && minorDigits(code) !== null ? code : null;
}

/** The currency that an amount names itself: `{ amount, currency_code }` or `49.90 EUR`. */
export function currencyWithin(value: unknown): string | null {
  const amount = amountOf(value);
  return amount === null ? null : amount.currency;
}

/** The largest amount that is believed, in minor units: a hundred billion of most currencies. Sums of very many still fit Postgres's bigint. */
const mostMinor = 10_000_000_000_000;

export interface MoneyRule {
  /** Accepts amounts below zero, as in corrections. */
  signed?: true;
}

/**
 * An amount in minor units of `currency`. Decimals that the currency does not have are rounded, half away from zero: 4766.11570248 CZK is
 * 4766.12. Texts are understood as `parseDecimal` says, with a symbol or a code beside them, and so are `{ amount, currency_code }`.
 * @returns null where there is none, where it is no amount or below zero, and where the currency is unknown
 */
export function readMoney(value: unknown, path: string, notes: Notes, currency: string | null, rule: MoneyRule = {}): number | null {
  if (isAbsent(value)) return null;
  const leaveOut = (reason: string) => {
    note(notes, path, `${reason}: left out`);
    return null;
  };
  const digits = currency === null ? null : minorDigits(currency);
  if (currency === null || digits === null) return leaveOut('is in no known currency');
  if (typeof value === 'string' && withoutInvisible(value) === '') return leaveOut('is empty');
  const amount = amountOf(value);
  if (amount === null) return leaveOut('is no amount');
  if (amount.currency !== null && amount.currency !== currency) return leaveOut('is in another currency');
  const decimal = parseDecimal(amount.number, digits);
  if (decimal === null) return leaveOut('is no amount');
  if (decimal.guessed !== null)
    note(
      notes,
      path,
      decimal.guessed === 'thousands' ? 'its one separator was taken for thousands' : 'its one separator was taken for the decimal one',
    );
  const minor = toMinorUnits(decimal, digits);
  if (Math.abs(minor) > mostMinor) return leaveOut('is too large');
  return minor < 0 && rule.signed === undefined ? leaveOut('is below zero') : minor;
}

/** Half away from zero. */
function toMinorUnits({ negative, whole, fraction }: Decimal, digits: number): number {
  const kept = Number(whole + fraction.slice(0, digits).padEnd(digits, '0')) + (/^[5-9]/.test(fraction.slice(digits)) ? 1 : 0);
  return negative && kept !== 0 ? -kept : kept;
}

interface WrittenAmount {
  number: string | number;
  currency: string | null;
}

function amountOf(value: unknown): WrittenAmount | null {
  if (typeof value === 'number') return { number: value, currency: null };
  if (typeof value === 'string') return ofText(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const fields = value as Record<string, unknown>;
  const inner = fields['amount'] ?? fields['value'];
  const amount = typeof inner === 'number' || typeof inner === 'string' ? amountOf(inner) : null;
  if (amount === null) return null;
  const code = fields['currency_code'] ?? fields['currencyCode'] ?? fields['currency'];
  return { number: amount.number, currency: typeof code === 'string' ? codeOf(withoutInvisible(code)) : amount.currency };
}

/** A number with a symbol, a code or an abbreviation before or after it: `€ 49,90`, `49.90 EUR`, `Rs. 500`, `kr 49,-`. */
function ofText(value: string): WrittenAmount | null {
  if (value.length > 100) return null;
  const text = withoutInvisible(value);
  const mark = '(?:\\p{Sc}|[\\p{L}.]{1,5}\\p{Sc}|\\p{L}[\\p{L}.]{0,4})';
  const found = new RegExp(`^([+\\-\\u2212(]?)\\s*(${mark}?)\\s*([+\\-\\u2212(]?\\p{Nd}.*?|[.,]\\p{Nd}+)\\s*(${mark}?)(\\)?)$`, 'u').exec(text);
  if (found === null) return null;
  const [, sign = '', before = '', number = '', after = '', closing = ''] = found;
  return { number: sign + number + closing, currency: codeOf(before) ?? codeOf(after) };
}
