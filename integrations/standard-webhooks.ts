import { randomBytes } from 'node:crypto';
import type { Delivery, Refusal, Secrets } from './port.ts';
import { type HmacScheme, hmacSignature, signatureMatches, singleHeader } from './verify-signature.ts';

const standardWebhookScheme: HmacScheme = { algorithm: 'sha256', encoding: 'base64' };

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

/** Why a secret can sign and verify nothing; null: it can. */
export const unusableStandardSecret = (secret: string): string | null =>
  standardWebhookKey(secret) === null ? 'is no secret of Standard Webhooks: `whsec_` followed by base64' : null;

/** The parts that the signature covers, concatenated: `id.timestamp.body`. */
function standardWebhookParts(id: string, timestamp: string, body: string | Buffer): (string | Buffer)[] {
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

// Five minutes either way, as the specification has it.
const toleranceMs = 5 * 60_000;

/**
 * Whether a delivery is signed by the Standard Webhooks specification.
 * @param prefix - of its three headers: `webhook`, or `svix`, which came before
 * @returns null when it is authentic
 */
export function verifyStandardWebhook(delivery: Delivery, secrets: Secrets, prefix: 'webhook' | 'svix'): Refusal | null {
  const id = singleHeader(delivery, `${prefix}-id`);
  const timestamp = singleHeader(delivery, `${prefix}-timestamp`);
  const signatures = singleHeader(delivery, `${prefix}-signature`);
  if (id === null || timestamp === null || signatures === null) return 'missing_signature';
  const keys = secrets.map((secret) => standardWebhookKey(secret)).filter((key) => key !== null);
  // `v1a` and later schemes may be in the same list; they are not checked.
  const candidates = signatures.split(' ').flatMap((signature) => (signature.startsWith('v1,') ? [signature.slice('v1,'.length)] : []));
  const signed = standardWebhookParts(id, timestamp, delivery.raw);
  if (!signatureMatches(standardWebhookScheme, keys, signed, candidates)) return 'bad_signature';
  if (!/^\d{1,12}$/.test(timestamp)) return 'bad_signature';
  return Math.abs(delivery.receivedAtMs - Number(timestamp) * 1_000) > toleranceMs ? 'stale' : null;
}
