import { createHash } from 'node:crypto';
import { asciiDigits } from '../../domain/ascii-digits.ts';
import { withoutInvisible } from '../../domain/people/identity.ts';
import { placeholderReason } from '../../domain/people/placeholder.ts';
import { maxCount } from '../bounds.ts';
import { cleanLines, cleanText } from '../untrusted-text.ts';
import { isAbsent, type Notes, note } from './notes.ts';

/** A text of one line: a name, a title. Control and invisible characters are removed, what is longer is cut. A number is taken as written. */
export function readText(value: unknown, path: string, notes: Notes, maxLength: number): string | null {
  return readString(value, path, notes, maxLength, cleanText);
}

/** A text that may have several lines. */
export function readLines(value: unknown, path: string, notes: Notes, maxLength: number): string | null {
  return readString(value, path, notes, maxLength, cleanLines);
}

function readString(
  value: unknown,
  path: string,
  notes: Notes,
  maxLength: number,
  clean: (value: unknown, maxLength: number) => string | null,
): string | null {
  if (isAbsent(value)) return null;
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return leaveOut(notes, path, 'is no text');
  const kept = clean(text, Number.POSITIVE_INFINITY);
  if (kept === null) return leaveOut(notes, path, 'is empty');
  if (kept.length > maxLength) note(notes, path, `is longer than ${maxLength} characters: cut`);
  return clean(kept, maxLength);
}

function leaveOut(notes: Notes, path: string, why: string): null {
  note(notes, path, `${why}: left out`);
  return null;
}

/**
 * The source's id of a cart, an order, a product or a person, as text. Invisible characters are removed; one that is too long for a key is replaced
 * by its hash.
 * @returns null where there is none, and for placeholders: `0`, `guest`, `undefined`, the nil UUID …
 */
export function readId(value: unknown, path: string, notes: Notes): string | null {
  if (isAbsent(value)) return null;
  if (typeof value !== 'string' && typeof value !== 'number') return leaveOut(notes, path, 'is no id');
  const text = withoutInvisible(cleanText(String(value), Number.POSITIVE_INFINITY) ?? '');
  if (text === '') return leaveOut(notes, path, 'is empty');
  const placeholder = placeholderReason('id', text, { addresses: [] });
  if (placeholder !== null) return leaveOut(notes, path, placeholder);
  if (text.length <= 255) return text;
  note(notes, path, 'is longer than 255 characters: known by its hash');
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** An id as `readId` keeps it, to look for it by; null: it is kept for none. */
export const idAsKept = (id: string): string | null => readId(id, '', []);

const yes = new Set(['true', 'yes', 'y', '1', 'on']);
const no = new Set(['false', 'no', 'n', '0', 'off', '']);

/** A truth value, also as forms and PHP write it: `"true"`, `1`, `"yes"`. */
export function readFlag(value: unknown, path: string, notes: Notes): boolean | null {
  if (isAbsent(value)) return null;
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim().toLowerCase() : null;
  if (text !== null && yes.has(text)) return true;
  if (text !== null && no.has(text)) return false;
  note(notes, path, 'is neither true nor false: left out');
  return null;
}

/** A whole number from 0, as JSON or text has it. */
export function readCount(value: unknown, path: string, notes: Notes): number | null {
  if (isAbsent(value)) return null;
  const count =
    typeof value === 'number' ? value : typeof value === 'string' && /^\s*\p{Nd}+(?:\.0+)?\s*$/u.test(value) ? Number(asciiDigits(value)) : null;
  if (count !== null && Number.isInteger(count) && count >= 0 && count <= maxCount) return count;
  note(notes, path, 'is no count: left out');
  return null;
}
