import { createHash } from 'node:crypto';

// Postgres refuses NUL in text and lone surrogates in jsonb; other control characters do not belong in a name or a title.
const everyControl = /[\p{Cc}\p{Surrogate}\u2028\u2029]+/gu;
const everyControlButLines = /(?:[^\P{Cc}\n\r\t]|\p{Surrogate})+/gu;
// Invisible characters, and those that reverse the direction of text. Joiners stay: emoji and several scripts need them.
const invisible = /(?!\p{Variation_Selector}|\u200c|\u200d)[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/**
 * What can be kept of a provider's text: control characters become spaces, invisible ones go, the ends are trimmed, the rest is cut to
 * `maxLength`.
 * @returns null for anything but a string with content
 */
export function cleanText(value: unknown, maxLength: number): string | null {
  return typeof value === 'string' ? cut(value.replace(everyControl, ' '), maxLength) : null;
}

/** As `cleanText`, and line breaks and tabs stay. */
export function cleanLines(value: unknown, maxLength: number): string | null {
  return typeof value === 'string' ? cut(value.replace(everyControlButLines, ' '), maxLength) : null;
}

function cut(text: string, maxLength: number): string | null {
  const clean = text.replace(invisible, '').replaceAll('\u00a0', ' ').trim();
  if (clean.length <= maxLength) return clean === '' ? null : clean;
  // A cut between the halves of a surrogate pair would leave a lone one.
  return clean
    .slice(0, maxLength)
    .replace(/\p{Surrogate}$/u, '')
    .trimEnd();
}

/** Whether the value is an absolute http or https URL: nothing else may become a link or a picture. */
export function isWebUrl(value: string): boolean {
  try {
    const url = new URL(value);
    return url.protocol === 'https:' || url.protocol === 'http:';
  } catch {
    return false;
  }
}

/** A provider's id of a delivery as our key: as it is where it is short and printable, else its hash. */
export function asDedupeKey(id: string): string {
  return /^[\x21-\x7e]{1,255}$/.test(id) ? id : `sha256:${createHash('sha256').update(id).digest('hex')}`;
}
