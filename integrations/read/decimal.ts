import { asciiDigits } from '../../domain/ascii-digits.ts';
import { withoutInvisible } from '../../domain/people/identity.ts';

/** A decimal number without floating point: `-12.50` is `{ negative: true, whole: '12', fraction: '50' }`. */
export interface Decimal {
  negative: boolean;
  whole: string;
  fraction: string;
  /** The only separator was ambiguous: what it was taken for. */
  guessed: 'thousands' | 'decimal' | null;
}

/**
 * Understand a number as people and programs of many countries write it: `1,234.56`, `1.234,56`, `1 234,56`, `1'234.50`, `١٢٣٫٤٥`, `1e3`,
 * `49.-`. Where both separators occur, the last one is the decimal separator; one that repeats separates thousands. A single full stop is
 * the decimal point, as in JSON, and a single comma the decimal comma, but for three digits after it: then `currencyDigits` decides. A
 * comma before three digits is decimal only for a currency of three digits and after a zero (`0,500`); a full stop before three digits
 * separates thousands only for a currency without decimals (`12.990` CLP).
 * @param currencyDigits - decimals of the currency that the number is an amount of; for quantities 3
 * @returns null for what is no number
 */
export function parseDecimal(value: string | number, currencyDigits: number): Decimal | null {
  if (typeof value === 'number') return ofNumber(value);
  if (value.length > 100) return null;
  const text = asciiDigits(withoutInvisible(value.normalize('NFKC')));
  if (/^[+-]?\d+(?:\.\d+)?e[+-]?\d{1,3}$/i.test(text)) return ofNumber(Number(text));
  const signed = /^(?:\((.+)\)|([+\-\u2212]?)\s*(.+?)\s*(-?))$/.exec(text);
  if (signed === null) return null;
  const negative = signed[1] !== undefined || signed[2] === '-' || signed[2] === '\u2212' || (signed[4] === '-' && !/[.,]$/.test(signed[3] ?? ''));
  // Spaces and apostrophes between digits can only separate thousands; `49,-` and `49.–` mean no decimals.
  const grouped = (signed[1] ?? signed[3] ?? '').replace(/[\u2019\u02bc`_]/g, "'");
  if (/\d[ ']\d/.test(grouped) && !/^\d{1,3}(?:[ ']\d{2,3})*[ ']\d{3}(?!\d| \d|'\d)/.test(grouped)) return null;
  const body = grouped
    .replace(/(?<=\d)[ '](?=\d)/g, '')
    .replaceAll('\u066c', '')
    .replace(/[.,\u066b]?\s*[-\u2010-\u2015]{1,2}$/, '')
    .replace(/[.,\u066b]$/, '');
  return split(body, negative, currencyDigits);
}

function split(body: string, negative: boolean, currencyDigits: number): Decimal | null {
  if (/^\d{1,40}$/.test(body)) return { negative, whole: body, fraction: '', guessed: null };
  if (/^[.,\u066b]\d+$/.test(body)) return { negative, whole: '0', fraction: body.slice(1), guessed: null };
  const arabic = /^(\d+)\u066b(\d+)$/.exec(body);
  if (arabic !== null) return { negative, whole: arabic[1] ?? '', fraction: arabic[2] ?? '', guessed: null };
  if (!/^\d+(?:[.,]\d+)+$/.test(body)) return null;
  const [, head = '', last = '', tail = ''] = /^(.*)([.,])(\d+)$/.exec(body) ?? [];
  const separators = body.replace(/\d/g, '');
  if (separators.length === 1) return splitAtOne(head, last, tail, { negative, currencyDigits });
  if (separators.slice(0, -1).includes(last)) {
    // All the same: groups of thousands, or of two digits as in India.
    return isGrouped(body, last) ? { negative, whole: body.replaceAll(last, ''), fraction: '', guessed: null } : null;
  }
  const grouping = last === '.' ? ',' : '.';
  return isGrouped(head, grouping) ? { negative, whole: head.replaceAll(grouping, ''), fraction: tail, guessed: null } : null;
}

/** One separator: a decimal sign, unless it stands where one of thousands would and the currency makes that likelier. */
function splitAtOne(head: string, sign: string, tail: string, { negative, currencyDigits }: { negative: boolean; currencyDigits: number }): Decimal {
  const ambiguous = tail.length === 3 && /^[1-9]\d{0,2}$/.test(head) && (sign === ',' || currencyDigits !== 3);
  if (!ambiguous) return { negative, whole: head, fraction: tail, guessed: null };
  const isThousands = sign === ',' ? currencyDigits !== 3 : currencyDigits === 0;
  return isThousands
    ? { negative, whole: head + tail, fraction: '', guessed: 'thousands' }
    : { negative, whole: head, fraction: tail, guessed: 'decimal' };
}

function isGrouped(text: string, separator: string): boolean {
  const [first = '', ...groups] = text.split(separator);
  const last = groups.pop() ?? '';
  return /^\d{1,3}$/.test(first) && /^\d{3}$/.test(last) && groups.every((group) => /^\d{2,3}$/.test(group));
}

function ofNumber(value: number): Decimal | null {
  if (!Number.isFinite(value)) return null;
  // The noise of floating point lies beyond the 15th digit: 3 * 19.99 is 59.97.
  const size = Math.abs(Number(value.toPrecision(15)));
  if (size >= 1e21) return null;
  const [whole = '0', fraction = ''] = (size < 1e-6 ? size.toFixed(20) : String(size)).split('.');
  return { negative: value < 0, whole, fraction, guessed: null };
}
