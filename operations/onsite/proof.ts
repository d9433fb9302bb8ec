import { createHmac, timingSafeEqual } from 'node:crypto';
import { standardWebhookKey } from '../../integrations/standard-webhooks.ts';

/**
 * What a shop's own system writes into its pages beside the id of a cart, where ids can be guessed: HMAC-SHA256 over `onsite.` and the id, in base64url,
 * under the secret with which it signs its webhooks. The prefix keeps it from ever passing for the signature of a webhook.
 */
export function proofOf(secret: string, id: string): string {
  const key = standardWebhookKey(secret) ?? Buffer.from(secret);
  return createHmac('sha256', key).update(`onsite.${id}`).digest('base64url');
}

/** @param secrets - one or two live ones */
export function isProof(secrets: readonly string[], id: string, proof: string): boolean {
  return secrets.some((secret) => {
    const wanted = Buffer.from(proofOf(secret, id));
    const given = Buffer.from(proof);
    return wanted.length === given.length && timingSafeEqual(wanted, given);
  });
}
