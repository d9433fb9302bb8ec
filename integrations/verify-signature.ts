import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Delivery } from './port.ts';

/** How a provider writes an HMAC. What is signed differs and is given as parts, concatenated: raw bytes, or `id.timestamp.` before them. */
export interface HmacScheme {
  algorithm: 'sha1' | 'sha256';
  encoding: 'base64' | 'hex';
}

/** The signature of `signed` (its parts concatenated) as the provider writes it. */
export function hmacSignature(scheme: HmacScheme, key: string | Buffer, signed: readonly (string | Buffer)[]): string {
  const hmac = createHmac(scheme.algorithm, key);
  for (const part of signed) hmac.update(part);
  return hmac.digest(scheme.encoding);
}

/**
 * Whether one of the candidates is the signature under one of the keys. Compares the written form, not the decoded bytes: base64 decodes
 * leniently, and an altered signature must not pass. Every key and every candidate is tried, so that the time reveals nothing.
 * @param keys - live secrets; an empty one never matches, or anyone could sign with it
 */
export function signatureMatches(
  scheme: HmacScheme,
  keys: readonly (string | Buffer)[],
  signed: readonly (string | Buffer)[],
  candidates: readonly string[],
): boolean {
  let matches = false;
  for (const key of keys) {
    if (key.length === 0) continue;
    const expected = Buffer.from(hmacSignature(scheme, key, signed));
    for (const candidate of candidates) {
      const given = Buffer.from(candidate);
      if (given.length === expected.length && timingSafeEqual(given, expected)) matches = true;
    }
  }
  return matches;
}

/** A header that must be there once: null where it is missing, empty or repeated. */
export function singleHeader(delivery: Delivery, name: string): string | null {
  const value = delivery.headers[name];
  if (Array.isArray(value)) return value.length === 1 && value[0] !== undefined && value[0] !== '' ? value[0] : null;
  return value === undefined || value === '' ? null : value;
}
