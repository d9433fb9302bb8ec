import type { Delivery, Refusal, Secrets } from '../port.ts';
import { isToken } from '../shared-token.ts';
import { verifyStandardWebhook } from '../standard-webhooks.ts';
import { signatureMatches, singleHeader } from '../verify-signature.ts';

// VAPI repeats a report by the server's back-off plan, ten times at most.
const oldestMs = 3_600_000;
const aheadMs = 5 * 60_000;

/**
 * Whether a delivery comes from VAPI, by whichever credential the operator has made there: an HMAC in the shape of Standard Webhooks, one as VAPI
 * makes it by default, or a bare secret.
 * @returns null when it is authentic
 */
export function verifyVapi(delivery: Delivery, secrets: Secrets): Refusal | null {
  if (delivery.headers['webhook-signature'] !== undefined) return verifyStandardWebhook(delivery, secrets, 'webhook');
  const signature = singleHeader(delivery, 'x-signature');
  const timestamp = singleHeader(delivery, 'x-timestamp');
  if (signature !== null && timestamp !== null) return verifyHmac(delivery, secrets, signature, timestamp);
  const given = singleHeader(delivery, 'x-vapi-secret') ?? /^Bearer (.+)$/i.exec(singleHeader(delivery, 'authorization') ?? '')?.[1] ?? null;
  if (given === null) return 'missing_signature';
  return isToken(secrets, given) ? null : 'bad_signature';
}

function verifyHmac({ raw, receivedAtMs }: Delivery, secrets: Secrets, signature: string, timestamp: string): Refusal | null {
  const scheme = { algorithm: 'sha256', encoding: 'hex' } as const;
  if (!signatureMatches(scheme, secrets, [`${timestamp}.`, raw], [signature]) || !/^\d{10,13}$/.test(timestamp)) return 'bad_signature';
  // Nobody says whether it counts seconds or milliseconds.
  const signedMs = timestamp.length > 11 ? Number(timestamp) : Number(timestamp) * 1_000;
  const ageMs = receivedAtMs - signedMs;
  return ageMs > oldestMs || ageMs < -aheadMs ? 'stale' : null;
}
