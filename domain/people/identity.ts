import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { asciiDigits } from '../ascii-digits.ts';

// Dots in any place: mobile mailboxes such as `aki..tani.@docomo.example` exist, and their servers accept them.
const plainLocal = /^[a-z0-9!#$%&'*+/=?^_`{|}~\p{L}\p{M}\p{N}.-]+$/u;
const hostLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Invisible characters that forms and spreadsheets leave behind: zero-width ones, byte order marks, marks of direction. */
const invisible = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/** The text as one sees it: without invisible characters, with ordinary spaces, trimmed. For addresses, numbers and ids. */
export function withoutInvisible(text: string): string {
  return text
    .replace(invisible, '')
    .replace(/[\s\u0085]+/g, ' ')
    .trim();
}

/**
 * One spelling per mailbox, so that equal addresses compare equal. Accepts what mail servers accept and what people paste: `Ada <ada@x.example>`,
 * `mailto:`, a full stop or comma at the end. Both halves are lower-cased (servers that distinguish case are rare, people who type `Ada@` are
 * not); dots and `+tags` stay, they may be other mailboxes. International domains become punycode. A local part that needs quotes only because of its
 * dots is kept without them (the sender adds them on the wire); one with spaces or special characters keeps them.
 * Normalising twice changes nothing.
 * @returns null for anything that cannot be a deliverable address: several addresses, line breaks, hosts without a dot
 * Source: RFC 5321, section 4.1.2 and 4.5.3.1; RFC 6531
 */
export function normaliseEmail(raw: string | null | undefined): string | null {
  if (raw === null || raw === undefined || raw.length > 1_000 || /[\r\n]/.test(raw.trim())) return null;
  const written = bareAddress(withoutInvisible(raw.normalize('NFKC')).toLowerCase());
  const at = written.lastIndexOf('@');
  if (at < 1) return null;
  const local = normalLocal(written.slice(0, at));
  const host = asciiHost(written.slice(at + 1));
  if (local === null || host === null || byteLength(local) > 64 || byteLength(local) + 1 + host.length > 254) return null;
  return `${local}@${host}`;
}

/** The address inside what people write around it. */
function bareAddress(text: string): string {
  const named = /^[^<>]*<([^<>]+)>[\s.,;]*$/.exec(text);
  return (named?.[1] ?? text)
    .trim()
    .replace(/^mailto:/, '')
    .replace(/(@[^?]*)\?.*$/, '$1')
    .replace(/[\s.,;:>]+$/, '')
    .replace(/^[\s<]+/, '');
}

function normalLocal(local: string): string | null {
  if (plainLocal.test(local)) return local;
  const quoted = /^"((?:[^"\\]|\\.)+)"$/.exec(local);
  if (quoted?.[1] === undefined) return null;
  const meant = quoted[1].replace(/\\(.)/g, '$1');
  if (plainLocal.test(meant)) return meant;
  return /^[\x20-\x7e]+$/.test(meant) ? `"${meant.replace(/["\\]/g, '\\$&')}"` : null;
}

// Domain code has no Buffer: it also runs where Node's globals are missing.
function byteLength(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/**
 * A phone number in E.164. Understands full-width and Arabic digits, `00` for `+`, `(0)`, words around the number, and leaves an extension out.
 * @param defaultCountry - ISO 3166-1 alpha-2, for numbers without a country code
 * @returns null where it is no valid number
 */
export function normalisePhone(raw: string | null | undefined, defaultCountry: string): string | null {
  if (raw === null || raw === undefined || raw.length > 100) return null;
  const country = defaultCountry.toUpperCase();
  const written = withoutInvisible(asciiDigits(raw.normalize('NFKC'))).replace(/^tel:/i, '');
  const number = written.replace(/[\s,;]*(?:ext(?:ension)?|durchwahl|dw|poste|x|#)[\s.:=]*\d{1,8}$/i, '');
  for (const text of spellings(number)) {
    const parsed = isSupportedCountry(country) ? parsePhoneNumberFromString(text, country) : parsePhoneNumberFromString(text);
    if (parsed !== undefined && parsed.isValid()) return parsed.number;
  }
  return null;
}

/** The ways in which a number may be meant, the likeliest first. */
function spellings(written: string): string[] {
  const bare = (written.match(/[+\d][\d\s()./\-\u2010-\u2015]*/g) ?? []).reduce(
    (longest, part) => (part.length > longest.length ? part : longest),
    '',
  );
  const withoutTrunk = bare.replace(/\(0\)/g, ' ');
  const all = [written, bare, withoutTrunk];
  // Most countries dial abroad with `00`; in the others no national number begins with it.
  if (/^00[1-9(\s]/.test(withoutTrunk)) all.push(withoutTrunk.replace(/^00\s*/, '+'));
  return [...new Set(all)].filter((text) => /\d/.test(text));
}

/** The country of a number in E.164 (ISO 3166-1 alpha-2); null: it belongs to none, or its digits do not show which. */
export function countryOfPhone(number: string): string | null {
  return parsePhoneNumberFromString(number)?.country ?? null;
}

// Most people are at the same few hosts.
const hosts = new Map<string, string | null>();
const mostHosts = 5_000;

function asciiHost(domain: string): string | null {
  const known = hosts.get(domain);
  if (known !== undefined) return known;
  if (hosts.size >= mostHosts) hosts.clear();
  const host = readHost(domain);
  hosts.set(domain, host);
  return host;
}

function readHost(domain: string): string | null {
  // Only characters of a host name reach the URL parser, which would otherwise accept paths, ports and escapes.
  if (!/^[\p{L}\p{M}\p{N}.-]{1,255}$/u.test(domain) || !URL.canParse(`http://${domain}`)) return null;
  const labels = new URL(`http://${domain}`).hostname.split('.');
  const [top] = labels.slice(-1);
  if (labels.length < 2 || top === undefined || /^\d+$/.test(top)) return null;
  return labels.every((label) => hostLabel.test(label)) ? labels.join('.') : null;
}

/**
 * The id of a private Telegram chat: digits, which are those of its person. Groups and channels have a minus sign before theirs, and nobody's address
 * is a group.
 * @returns null where it is none
 */
export function normaliseChatId(raw: string | null | undefined): string | null {
  const id = withoutInvisible(raw ?? '');
  return /^[1-9]\d{0,15}$/.test(id) ? id : null;
}
