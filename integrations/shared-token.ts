import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Delivery, Refusal, Secrets } from './port.ts';
import { singleHeader } from './verify-signature.ts';

/** A token that a provider sends along with each delivery: it proves who sends, and nothing about the body. */
export const newToken = (): string => randomBytes(24).toString('base64url');

/** Whether this is one of the live tokens. Hashes are compared, so that the time reveals neither content nor length; an empty secret lets nobody in. */
export function isToken(secrets: Secrets, given: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  let matches = false;
  for (const secret of secrets) if (secret !== '' && timingSafeEqual(hash(secret), hash(given))) matches = true;
  return matches;
}

/**
 * Check the token of a delivery: in `x-rekindle-token`, as `Authorization: Bearer`, or as the password of basic authentication, which some providers
 * write from the address.
 * @returns null when it is authentic
 */
export function verifyToken(delivery: Delivery, secrets: Secrets): Refusal | null {
  const given = singleHeader(delivery, 'x-rekindle-token') ?? tokenOf(singleHeader(delivery, 'authorization'));
  if (given === null) return 'missing_signature';
  return isToken(secrets, given) ? null : 'bad_signature';
}

function tokenOf(authorization: string | null): string | null {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  // The user's name says nothing.
  return scheme === '' ? null : Buffer.from(value, 'base64').toString().split(':').slice(1).join(':');
}
