import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max';

const atom = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const hostLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * One spelling per mailbox, so that equal addresses compare equal. Both halves are lower-cased (servers that tell cases apart
 * are a curiosity, shoppers who type `Ada@` are not); dots and `+tags` stay, they may be other mailboxes. International
 * domains become punycode.
 * @returns null for anything that cannot be a deliverable address, line breaks, quoted and non-ASCII local parts included
 * Source: RFC 5321, section 4.5.3.1 (lengths); RFC 5322, section 3.4.1 (dot-atom)
 */
export function normaliseEmail(raw: string | null | undefined): string | null {
  if (raw === null || raw === undefined || raw.length > 320) return null;
  const [local, domain, ...rest] = raw.trim().toLowerCase().split('@');
  if (local === undefined || domain === undefined || rest.length > 0) return null;
  if (local.length > 64 || !atom.test(local)) return null;
  const host = asciiHost(domain);
  if (host === null || local.length + 1 + host.length > 254) return null;
  return `${local}@${host}`;
}

/**
 * A phone number in E.164.
 * @param defaultCountry - ISO 3166-1 alpha-2, for numbers without a country code
 * @returns null where it is no valid number
 */
export function normalisePhone(raw: string | null | undefined, defaultCountry: string): string | null {
  if (raw === null || raw === undefined || raw.length > 40) return null;
  const country = defaultCountry.toUpperCase();
  const parsed = isSupportedCountry(country) ? parsePhoneNumberFromString(raw, country) : parsePhoneNumberFromString(raw);
  return parsed !== undefined && parsed.isValid() ? parsed.number : null;
}

/** The country of a number in E.164 (ISO 3166-1 alpha-2); null: it belongs to none, or to one that its digits do not tell. */
export function countryOfPhone(number: string): string | null {
  return parsePhoneNumberFromString(number)?.country ?? null;
}

function asciiHost(domain: string): string | null {
  // Only what may stand in a host reaches the URL parser, which would take paths, ports and escapes for granted.
  if (!/^[\p{L}\p{M}\p{N}.-]{1,255}$/u.test(domain) || !URL.canParse(`http://${domain}`)) return null;
  const labels = new URL(`http://${domain}`).hostname.split('.');
  const [top] = labels.slice(-1);
  if (labels.length < 2 || top === undefined || /^\d+$/.test(top)) return null;
  return labels.every((label) => hostLabel.test(label)) ? labels.join('.') : null;
}
