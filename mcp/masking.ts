const address = /[^\s@<>"',;:()]+@[^\s@<>"',;:()]+\.[^\s@<>"',;:()]+/g;
const number = /\+\d[\d ()/-]{5,}\d/g;

/** A text without the addresses and numbers in it: `a…@…`, `+43…67`. */
const maskText = (text: string): string =>
  text
    .replace(address, (found) => `${String.fromCodePoint(found.codePointAt(0) ?? 0)}…@…`)
    .replace(number, (found) => `${found.slice(0, 3)}…${found.slice(-2)}`);

/** The same for every text in a value, at any depth. */
export function mask(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map(mask);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [maskText(name), mask(field)]));
}
