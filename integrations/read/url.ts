import { cleanText, isWebUrl } from '../untrusted-text.ts';
import { isAbsent, type Notes, note } from './notes.ts';

const maxLength = 2_000;

/**
 * An http or https address of a page or a picture. `//cdn.example/a.png` is https; a relative one is resolved against the store's own address
 * where that is known.
 * @param storeUrl - null: unknown, and relative addresses are left out
 */
export function readUrl(value: unknown, path: string, notes: Notes, storeUrl: string | null): string | null {
  if (isAbsent(value)) return null;
  const leaveOut = (reason: string) => {
    note(notes, path, `${reason}: left out`);
    return null;
  };
  if (typeof value !== 'string') return leaveOut('is no address');
  const text = cleanText(value, maxLength + 1)?.replaceAll('\u00a0', '') ?? '';
  if (text === '') return leaveOut('is empty');
  if (text.length > maxLength) return leaveOut(`is longer than ${maxLength} characters`);
  if (/^https?:\/\//i.test(text)) return absolute(text) ?? leaveOut('is no http or https address');
  if (text.startsWith('//')) return absolute(`https:${text}`) ?? leaveOut('is no http or https address');
  if (/^www\.[^/\s]+\.[^/\s]+/i.test(text)) return absolute(`https://${text}`) ?? leaveOut('is no http or https address');
  // Other schemes (`javascript:`, `data:`, `mailto:`) are no pages.
  if (/^[a-z][a-z0-9+.-]*:/i.test(text) || text.startsWith('#') || /\s/.test(text)) return leaveOut('is no http or https address');
  if (storeUrl === null || !URL.canParse(text, storeUrl)) return leaveOut("is relative, and the store's address is not known");
  return absolute(new URL(text, storeUrl).href) ?? leaveOut('is no http or https address');
}

/** As it was written, where nothing in it needs escaping. */
function absolute(text: string): string | null {
  if (!isWebUrl(text)) return null;
  const written = /^[\x21-\x7e]+$/.test(text) && !/[<>"`\\^{|}]/.test(text) ? text : new URL(text).href;
  return written.length <= maxLength ? written : null;
}
