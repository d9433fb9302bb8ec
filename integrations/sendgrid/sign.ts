import { createPublicKey, createVerify, type KeyObject } from 'node:crypto';
import type { Delivery, Refusal, Secrets } from '../port.ts';
import { singleHeader } from '../verify-signature.ts';

// SendGrid repeats a delivery for a day, and signs the repeat with the time of the first.
const oldestMs = 25 * 3_600_000;
const aheadMs = 5 * 60_000;

/**
 * Whether a delivery is signed with the private half of a live key: ECDSA over the timestamp and the exact bytes of the body.
 * @param secrets - public keys as SendGrid shows them: base64 of the SPKI form
 * @returns null when it is authentic
 */
export function verifySendGrid(delivery: Delivery, secrets: Secrets): Refusal | null {
  const signature = singleHeader(delivery, 'x-twilio-email-event-webhook-signature');
  const timestamp = singleHeader(delivery, 'x-twilio-email-event-webhook-timestamp');
  if (signature === null || timestamp === null) return 'missing_signature';
  const bytes = Buffer.from(signature, 'base64');
  // Base64 decodes leniently: another spelling of the same bytes is no signature of SendGrid's.
  if (bytes.toString('base64') !== signature || !/^\d{1,12}$/.test(timestamp)) return 'bad_signature';
  const isSigned = secrets.map(publicKey).some((key) => {
    if (key === null) return false;
    try {
      return createVerify('sha256').update(timestamp).update(delivery.raw).verify(key, bytes);
    } catch {
      return false;
    }
  });
  if (!isSigned) return 'bad_signature';
  const ageMs = delivery.receivedAtMs - Number(timestamp) * 1_000;
  return ageMs > oldestMs || ageMs < -aheadMs ? 'stale' : null;
}

/** Why a key can verify nothing; null: it can. */
export const unusableKey = (secret: string): string | null =>
  publicKey(secret) === null ? 'is no verification key: copy it from Mail Settings, Event Webhook, Signature Verification' : null;

function publicKey(secret: string): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(secret.trim(), 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ec' ? key : null;
  } catch {
    return null;
  }
}
