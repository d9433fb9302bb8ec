import { parseDecimal } from './decimal.ts';
import { isAbsent, type Notes, note } from './notes.ts';

const mostOfOne = 1_000_000;

/**
 * How many of one thing a line is about; half a metre is 0.5. An unreadable quantity is 1.
 * @returns null for zero and less: the cart holds none of it
 */
export function readQuantity(value: unknown, path: string, notes: Notes): number | null {
  const decimal = typeof value === 'number' || typeof value === 'string' ? parseDecimal(value, 3) : null;
  if (decimal === null) {
    note(notes, path, isAbsent(value) ? 'is missing: taken as 1' : 'is no quantity: taken as 1');
    return 1;
  }
  const quantity = Number(Number(`${decimal.whole}.${decimal.fraction || '0'}`).toFixed(6));
  if (decimal.negative || quantity === 0) {
    note(notes, path, 'is not more than zero: the line was left out');
    return null;
  }
  if (quantity <= mostOfOne) return quantity;
  note(notes, path, `is more than ${mostOfOne}: taken as 1`);
  return 1;
}
