import { parseExactly } from '../read/parse-exactly.ts';

/** What lies in a JSON value at a path of member names and positions, such as `messages.0.id`; undefined: nothing. */
export function fieldAt(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** A scalar as gateways compare it: numbers and truth values as they are written. */
export function wordAt(value: unknown, path: string): string | null {
  const found = fieldAt(value, path);
  if (typeof found === 'string') return found.trim() === '' ? null : found.trim();
  return typeof found === 'number' || typeof found === 'boolean' ? String(found) : null;
}

/** Whether each of these fields has one of its values, in any case. */
export function hasAll(value: unknown, fields: Readonly<Record<string, readonly string[]>>): boolean {
  return Object.entries(fields).every(([path, words]) => {
    const found = wordAt(value, path)?.toLowerCase();
    return found !== undefined && words.some((word) => word.toLowerCase() === found);
  });
}

/** @returns undefined for what is no JSON */
export function readJson(text: string): unknown {
  try {
    return parseExactly(text.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}
