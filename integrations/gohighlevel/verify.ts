import { createPublicKey, type KeyObject, verify as verifySignature } from 'node:crypto';
import type { Delivery, Refusal, Secrets } from '../port.ts';
import { verifyToken } from '../shared-token.ts';
import { singleHeader } from '../verify-signature.ts';

/**
 * Whether a delivery comes from HighLevel. Webhooks of an app are signed with Ed25519 over the exact bytes of the body. A workflow's own webhook is not
 * signed: there the header is missing or says `N/A`, and the delivery has to bring the connection's token. Repeats come for hours, and none is refused by
 * its age: they are known by their `webhookId`.
 * @param publicKey - base64 of the SPKI form
 * @returns by what it is authentic, else why it is refused
 * Source: marketplace.gohighlevel.com/docs/webhook/WebhookIntegrationGuide
 */
export function verifyHighLevel(delivery: Delivery, secrets: Secrets, publicKey: string): 'signed' | 'by_token' | Refusal {
  const signature = singleHeader(delivery, 'x-ghl-signature');
  if (signature === null || signature.trim().toUpperCase() === 'N/A') return verifyToken(delivery, secrets) ?? 'by_token';
  const key = keyOf(publicKey);
  const bytes = Buffer.from(signature, 'base64');
  // Base64 decodes leniently: another spelling of the same bytes is no signature of HighLevel's.
  if (key === null || bytes.length !== 64 || bytes.toString('base64') !== signature) return 'bad_signature';
  return verifySignature(null, delivery.raw, key, bytes) ? 'signed' : 'bad_signature';
}

const keys = new Map<string, KeyObject | null>();
const mostKeys = 100;

function keyOf(publicKey: string): KeyObject | null {
  const known = keys.get(publicKey);
  if (known !== undefined) return known;
  const read = readKey(publicKey);
  if (keys.size < mostKeys) keys.set(publicKey, read);
  return read;
}

function readKey(publicKey: string): KeyObject | null {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey.trim(), 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
}
