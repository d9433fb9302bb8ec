import { createHash } from 'node:crypto';
import type { z } from 'zod';

// Postgres refuses NUL in text and lone surrogates in jsonb; the other control characters have no business in a name or a title.
const controls = /[\p{Cc}\p{Surrogate}]/u;
const controlsButLines = /[^\P{Cc}\n\r\t]|\p{Surrogate}/u;
const everyControl = /[\p{Cc}\p{Surrogate}]+/gu;

/** Whether the text can be stored and shown on one line. */
export function isPlainText(text: string): boolean {
  return !controls.test(text);
}

/** Whether the text can be stored; line breaks and tabs are welcome. */
export function isPlainTextWithLines(text: string): boolean {
  return !controlsButLines.test(text);
}

/**
 * What can be kept of a provider's text: control characters become spaces, the ends are trimmed, the rest is cut to `maxLength`.
 * @returns null for anything but a string with content
 */
export function cleanText(value: unknown, maxLength: number): string | null {
  if (typeof value !== 'string') return null;
  const clean = value.replace(everyControl, ' ').trim();
  if (clean.length <= maxLength) return clean === '' ? null : clean;
  // A cut between the halves of a surrogate pair would leave a lone one.
  return clean.slice(0, maxLength).replace(/\p{Surrogate}$/u, '');
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

/**
 * Why a body could not be read, for the quarantine: paths and expectations, never what was received (it may be personal data).
 * @param root - where in the body the parsed part lies
 */
export function unreadableReason(error: z.ZodError, root: string | null = null): string {
  return error.issues
    .slice(0, 3)
    .map((issue) => {
      const path = [...(root === null ? [] : [root]), ...issue.path.map(String)];
      return `${path.length === 0 ? 'body' : path.join('.')}: ${issue.message}`;
    })
    .join('; ')
    .slice(0, 500);
}
