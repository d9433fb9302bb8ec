import type { FieldNote } from '../../domain/field-note.ts';

/** What a receiver left out or guessed so far. Every reader of a field takes them, adds to them, and never throws. */
export type Notes = FieldNote[];

// A cart with 500 bad lines would fill the story with notes; the first ones show what is wrong with the sender.
const mostNotes = 40;

/** @param field - a path of ours, with positions in lists, e.g. `line_items.0.price`: never a name that the sender chose */
export function note(notes: Notes, field: string, reason: string): void {
  if (notes.some((n) => n.field === field && n.reason === reason)) return;
  if (notes.length < mostNotes) notes.push({ field, reason });
  else if (notes.length === mostNotes) notes.push({ field: '…', reason: 'and more' });
}

/** The members of a JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether a field says nothing: missing or null. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** @returns null for everything but an object; PHP's empty object, `[]`, counts as missing and is not noted */
export function readFields(value: unknown, path: string, notes: Notes): Fields | null {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  if (!isAbsent(value) && !(Array.isArray(value) && value.length === 0) && value !== '') note(notes, path, 'is no object: left out');
  return null;
}

/**
 * A list. PHP writes one with a gap as an object, `{"0": …, "2": …}`.
 * @returns null where there is none: then nothing is known about its content
 */
export function readList(value: unknown, path: string, notes: Notes, mostEntries: number): unknown[] | null {
  const list = Array.isArray(value) ? value : isNumbered(value) ? Object.values(value) : null;
  if (list === null) {
    if (!isAbsent(value)) note(notes, path, 'is no list: left out');
    return null;
  }
  if (list.length > mostEntries) note(notes, path, `has more than ${mostEntries} entries: the rest was left out`);
  return list.slice(0, mostEntries);
}

/**
 * The results of `read` for each object in a list; entries for which it returns null are left out.
 * @param read - takes the entry and its path
 * @returns null where there is no list, and where it has entries and none is an object: then nothing is known about its content
 */
export function readEntries<T>(
  value: unknown,
  path: string,
  notes: Notes,
  mostEntries: number,
  read: (entry: Fields, path: string) => T | null,
): T[] | null {
  const list = readList(value, path, notes, mostEntries);
  const entries = (list ?? []).flatMap((entry, index) => {
    const fields = readFields(entry, `${path}.${index}`, notes);
    return fields === null ? [] : [{ fields, path: `${path}.${index}` }];
  });
  if (list === null || (list.length > 0 && entries.length === 0)) return null;
  return entries.flatMap(({ fields, path: at }) => {
    const found = read(fields, at);
    return found === null ? [] : [found];
  });
}

function isNumbered(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0 && Object.keys(value).every((key) => /^\d{1,6}$/.test(key));
}

/** The notes in one line, for the quarantine's reason. */
export function sentenceOf(notes: Notes): string {
  return notes
    .slice(0, 3)
    .map(({ field, reason }) => `${field}: ${reason}`)
    .join('; ')
    .slice(0, 500);
}
