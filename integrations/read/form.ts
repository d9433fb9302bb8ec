import type { Fields } from './notes.ts';

/** The fields of an `application/x-www-form-urlencoded` body, decoded and otherwise untouched; of a repeated one the first. */
export function parseForm(raw: Buffer): Fields {
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(raw.toString('utf8'))) fields[name] ??= value;
  return fields;
}
