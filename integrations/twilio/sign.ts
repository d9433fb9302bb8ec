import { createHash, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'node:querystring';
import type { Delivery, Secrets } from '../port.ts';
import { type HmacScheme, hmacSignature, signatureMatches, singleHeader } from '../verify-signature.ts';

// Source: twilio.com/docs/usage/webhooks/webhooks-security

const signatureHeader = 'x-twilio-signature';
const sha1: HmacScheme = { algorithm: 'sha1', encoding: 'base64' };
const sha256: HmacScheme = { algorithm: 'sha256', encoding: 'base64' };

/**
 * What the signature of a form covers: the URL, then each field's name and value, by name. Of a repeated field each different value counts once.
 * Values are signed as they decode, spaces at their ends included.
 */
function signedForm(url: string, raw: Buffer | string): string {
  const values = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(raw.toString())) values.set(name, (values.get(name) ?? new Set()).add(value));
  const names = [...values.keys()].toSorted(byCodeUnit);
  return (
    url +
    names
      .map((name) =>
        [...(values.get(name) ?? [])]
          .toSorted(byCodeUnit)
          .map((value) => name + value)
          .join(''),
      )
      .join('')
  );
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The value of `X-Twilio-Signature` for a form. */
export function signTwilioForm(authToken: string, url: string, form: string | Buffer): string {
  return hmacSignature(sha1, authToken, [signedForm(url, form)]);
}

/** The URL to which Twilio sends a JSON body, and the value of `X-Twilio-Signature`: it covers the URL alone, which names the body's hash. */
export function signTwilioJson(authToken: string, url: string, body: string | Buffer): { url: string; signature: string } {
  const signed = `${url}${url.includes('?') ? '&' : '?'}bodySHA256=${createHash('sha256').update(body).digest('hex')}`;
  return { url: signed, signature: hmacSignature(sha1, authToken, [signed]) };
}

/** @returns null when authentic */
export function verifyTwilio(delivery: Delivery, secrets: Secrets): 'missing_signature' | 'bad_signature' | null {
  const signature = singleHeader(delivery, signatureHeader);
  if (signature === null) return 'missing_signature';
  const { url, raw } = delivery;
  const bodyHash = new URL(url).searchParams.get('bodySHA256');
  if (bodyHash !== null && !isHashOf(bodyHash, raw)) return 'bad_signature';
  // A webhook rule of the account may have them signed with a shared key, which is then one of the secrets.
  const settings = singleHeader(delivery, 'x-twilio-webhooks-signature-settings') ?? '';
  const scheme = /(^|,)\s*algorithm=HMAC_SHA256\s*(,|$)/i.test(settings) ? sha256 : sha1;
  let matches = false;
  for (const spelling of spellingsOf(url)) {
    const signed = bodyHash === null ? signedForm(spelling, raw) : spelling;
    if (signatureMatches(scheme, secrets, [signed], [signature])) matches = true;
  }
  return matches ? null : 'bad_signature';
}

function isHashOf(hash: string, raw: Buffer): boolean {
  const given = Buffer.from(hash.toLowerCase());
  const expected = Buffer.from(createHash('sha256').update(raw).digest('hex'));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The forms of the address that Twilio may have signed: with or without the default port, the query as it is or re-encoded. */
function spellingsOf(text: string): Set<string> {
  const url = new URL(text);
  const port = url.protocol === 'https:' ? '443' : '80';
  const rest = text.slice(text.indexOf(url.host, text.indexOf('//')) + url.host.length).replace(/^:(80|443)(?=[/?]|$)/, '');
  const hosts = url.port === '' ? [url.host, `${url.host}:${port}`] : [url.host];
  const [path, query] = splitAt(rest, '?');
  const rests = query === null ? [rest] : [rest, `${path}?${stringify(parse(query))}`];
  return new Set(hosts.flatMap((host) => rests.map((one) => `${url.protocol}//${host}${one}`)));
}

function splitAt(text: string, mark: string): [string, string | null] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}
