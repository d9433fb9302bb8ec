import { domainToASCII } from 'node:url';
import { encodeWord, foldLines, quoteString } from 'nodemailer/lib/mime-funcs';

/** The longest line of a message, without its line break. Source: RFC 5322, section 2.1.1 */
const longestLine = 998;
const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const atoms = new RegExp(`^${atom}(\\.${atom})*$`);
// One character class: alternatives would be tried in every combination.
const atomsAndDots = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+$/;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * A field that programs parse, on one line however long: spam filters, signers and ticket systems look for `Message-ID: <…>` or `From: …`
 * without unfolding first, and a fold inside an address has broken signatures (nodemailer's issues 1654 and 1694).
 * @param value - already in its final form, printable ASCII
 * @throws where the value could begin another field or the line is longer than SMTP takes
 */
export function parsedField(name: string, value: string): string {
  const line = `${name}: ${value}`;
  if (!/^[\x20-\x7e]+$/.test(line) || line.length > longestLine) throw new HeaderFieldError(name);
  return line;
}

/** Thrown when a value cannot stand in a header field. */
export class HeaderFieldError extends Error {
  readonly code = 'header_field';
  override readonly name = 'HeaderFieldError';
  constructor(field: string) {
    super(`the value of ${field} is too long or not printable ASCII`);
  }
}

/** `Subject`: text for people, folded where it is long. */
export function textField(name: string, text: string): string {
  const line = oneLine(text);
  return foldLines(`${name}: ${isPlain(line) ? line : encodeWord(line, encodingFor(line), 52)}`, 76);
}

/** `From`, `To`, `Reply-To`: one mailbox on one line. A name that would make the line too long is cut, the address never. */
export function mailboxField(field: string, { name, address }: { name: string | null; address: string }): string {
  const whole = Array.from(graphemes.segment(oneLine(name ?? '')), ({ segment }) => segment);
  for (let kept = Math.min(whole.length, 120); kept > 0; kept -= 8) {
    const display = displayName(whole.slice(0, kept).join('').trim());
    const value = display === '' ? bareAddress(address) : `${display} <${address}>`;
    if (field.length + 2 + value.length <= longestLine) return parsedField(field, value);
  }
  return parsedField(field, bareAddress(address));
}

/**
 * An address as SMTP and header fields take it: the domain in ASCII, the local part in quotes where its dots demand it. Addresses are stored
 * as people write them; a local part that is stored in quotes is taken for what it quotes.
 * A local part beyond ASCII would need SMTPUTF8 on every server of the way; most do not have it.
 * @returns null where there is no such form
 */
export function wireAddress(address: string): string | null {
  const at = address.lastIndexOf('@');
  const local = writtenLocalPart(address.slice(0, at));
  const domain = at < 1 ? '' : domainToASCII(address.slice(at + 1));
  if (local === null || local.length > 64 || domain.length > 253) return null;
  return /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(domain) && !domain.includes('..') ? `${local}@${domain}` : null;
}

function writtenLocalPart(local: string): string | null {
  if (atoms.test(local)) return local;
  // Old Japanese mailboxes have dots where no dot may be (`aki..tani.@`); they exist, quoted.
  if (atomsAndDots.test(local)) return `"${local}"`;
  const quoted = /^"((?:[\x20\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]|\\[\x20-\x3b\x3d\x3f-\x7e])+)"$/.exec(local)?.[1]?.replace(/\\(.)/g, '$1');
  if (quoted === undefined) return null;
  return atoms.test(quoted) ? quoted : quoteString(quoted);
}

/** Without a name, a quoted local part is unambiguous inside angle brackets only. */
function bareAddress(address: string): string {
  return address.startsWith('"') ? `<${address}>` : address;
}

/**
 * A name in front of an address: bare, in quotes, or as encoded words. Never both: readers show an encoded word inside quotes as it is written,
 * or decode what the person never wrote.
 */
function displayName(name: string): string {
  if (/^[\w ]*$/.test(name)) return name;
  return isPlain(name) ? quoteString(name) : encodeWord(name, encodingFor(name), 52);
}

/** ASCII that cannot be mistaken for an encoded word (RFC 2047): a product may be called `=?utf-8?Q?x?=`. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && !text.includes('=?');
}

/** Q is legible where most letters are Latin, B is shorter elsewhere. */
function encodingFor(text: string): 'Q' | 'B' {
  const latin = text.match(/[A-Za-z]/g)?.length ?? 0;
  const beyond = text.match(/[^\x00-\x7f]/g)?.length ?? 0;
  return beyond < latin || beyond === 0 ? 'Q' : 'B';
}

/** One line of well-formed text: a line break in a name would begin a new header. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .trim();
}
