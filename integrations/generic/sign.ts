import { randomBytes } from 'node:crypto';
import { type HmacScheme, hmacSignature } from '../verify-signature.ts';

export const standardWebhookScheme: HmacScheme = { algorithm: 'sha256', encoding: 'base64' };

/** `whsec_` and base64 of 32 random bytes; the specification asks for 24 to 64. */
export function newStandardWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/**
 * The key inside a Standard Webhooks secret: `whsec_` and base64.
 * @returns null where it is not base64 of at least one byte
 */
export function standardWebhookKey(secret: string): Buffer | null {
  const encoded = secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : secret;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return null;
  const key = Buffer.from(encoded, 'base64');
  return key.length === 0 ? null : key;
}

/** The parts that the signature covers, concatenated: `id.timestamp.body`. */
export function standardWebhookParts(id: string, timestamp: string, body: string | Buffer): (string | Buffer)[] {
  return [`${id}.${timestamp}.`, body];
}

/**
 * The value of `webhook-signature` by the Standard Webhooks specification, scheme `v1`.
 * @param secret - `whsec_…`
 * @param timestampS - Unix seconds, the value of `webhook-timestamp`
 * @throws RangeError when the secret is not base64
 */
export function signStandardWebhook(secret: string, id: string, timestampS: number, body: string | Buffer): string {
  const key = standardWebhookKey(secret);
  if (key === null) throw new RangeError('A Standard Webhooks secret is `whsec_` followed by base64.');
  return `v1,${hmacSignature(standardWebhookScheme, key, standardWebhookParts(id, String(timestampS), body))}`;
}
