import { createHash, timingSafeEqual } from 'node:crypto';
import type { Delivery, Received, Refusal, Secrets } from '../port.ts';
import { cleanText } from '../untrusted-text.ts';
import { type HmacScheme, signatureMatches, singleHeader } from '../verify-signature.ts';

// What all of Meta's webhooks have in common. Source: developers.facebook.com/docs/graph-api/webhooks/getting-started

const signatureHeader = 'x-hub-signature-256';
const scheme: HmacScheme = { algorithm: 'sha256', encoding: 'hex' };

/** Whether the delivery is signed with a live app secret. @returns null when it is authentic */
export function verifyHub(delivery: Delivery, secrets: Secrets): Refusal | null {
  const signature = singleHeader(delivery, signatureHeader);
  if (signature === null) return 'missing_signature';
  const candidates = signature.startsWith('sha256=') ? [signature.slice('sha256='.length)] : [];
  return signatureMatches(scheme, secrets, [delivery.raw], candidates) ? null : 'bad_signature';
}

/** Meta asks once whether the address is ours: it names the token that was entered there, and wants its challenge back. */
export function answerHandshake(delivery: Delivery, verifyToken: string | null): Received {
  const query = new URL(delivery.url).searchParams;
  const challenge = cleanText(query.get('hub.challenge'), 500);
  const given = query.get('hub.verify_token') ?? '';
  if (query.get('hub.mode') !== 'subscribe' || verifyToken === null || challenge === null || !isSame(given, verifyToken)) {
    return { kind: 'answer', status: 403 };
  }
  return { kind: 'answer', status: 200, body: { contentType: 'text/plain; charset=utf-8', body: challenge } };
}

/** In constant time, whatever their lengths. */
function isSame(given: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}
