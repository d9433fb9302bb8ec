import { isAbsent, type Notes, readFields, readList } from './notes.ts';
import { readText } from './text.ts';

const mostCodes = 50;

/** The discount codes of an order: a list of texts, or of objects with a `code`. Absent where there is none, so that events without are as they were. */
export function readCodes(value: unknown, path: string, notes: Notes): { codes?: string[] } {
  if (isAbsent(value) || value === '') return {};
  const codes = (readList(value, path, notes, mostCodes) ?? []).flatMap((entry, index) => {
    const at = `${path}.${index}`;
    const said = typeof entry === 'string' ? entry : readFields(entry, at, notes)?.['code'];
    const code = readText(said, typeof entry === 'string' ? at : `${at}.code`, notes, 255);
    return code === null ? [] : [code];
  });
  return codes.length === 0 ? {} : { codes };
}
