// Verification of webhooks in the format of Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`. It uses
// Web Crypto alone, so it runs in Node, in browsers and in workers at the edge.

export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export type WebhookRefusal =
  /** One of the three headers is missing. */
  | 'missing_headers'
  /** The timestamp is more than the tolerance away from now: an old delivery that is sent again, or a wrong clock. */
  | 'stale'
  /** No signature fits: another secret, or the body is not the one that was signed. */
  | 'bad_signature';

/** Thrown when a delivery is not authentic: answer 401 and do nothing with it. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
  readonly code: WebhookRefusal;

  constructor(code: WebhookRefusal, message: string) {
    super(message);
    this.code = code;
  }
}

export interface VerifyOptions {
  /** How far the timestamp may be from now, in seconds. Default 300. */
  toleranceS?: number;
  /** Epoch milliseconds. Default: the clock. */
  nowMs?: number;
}

/**
 * Verify that a webhook comes from Rekindle.
 * @param body - exactly as it arrived: text or bytes, never parsed and written anew
 * @param secret - `whsec_…`; several while a secret is rotated
 * @returns the parsed body
 * @throws WebhookVerificationError when it is not authentic, SyntaxError when the signed body is no JSON, RangeError when a secret is none
 */
export async function verifyWebhook(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string | readonly string[],
  { toleranceS = 300, nowMs = Date.now() }: VerifyOptions = {},
): Promise<unknown> {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headerOf(headers, name));
  if (!id || !timestamp || !signatures)
    throw new WebhookVerificationError('missing_headers', 'The headers webhook-id, webhook-timestamp and webhook-signature are needed.');
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowMs / 1_000 - Number(timestamp)) > toleranceS)
    throw new WebhookVerificationError('stale', `The webhook is not of the last ${toleranceS} seconds. Is this machine's clock right?`);
  const signed = joined(new TextEncoder().encode(`${id}.${timestamp}.`), typeof body === 'string' ? new TextEncoder().encode(body) : body);
  // Other schemes may stand in the same list.
  const candidates = signatures.split(' ').flatMap((one) => (one.startsWith('v1,') ? [bytesOf(one.slice(3))] : []));
  for (const one of typeof secret === 'string' ? [secret] : secret) {
    const key = await keyOf(one);
    // `verify` compares in constant time.
    for (const candidate of candidates)
      if (candidate !== null && (await crypto.subtle.verify('HMAC', key, candidate, signed)))
        return JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body)) as unknown;
  }
  throw new WebhookVerificationError('bad_signature', 'No signature fits: is this the secret, and the body exactly as it arrived?');
}

function headerOf(headers: WebhookHeaders, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const [, value] = Object.entries(headers).find(([key]) => key.toLowerCase() === name) ?? [];
  return typeof value === 'string' ? value : value?.[0];
}

async function keyOf(secret: string) {
  const bytes = bytesOf(secret.replace(/^whsec_/, ''));
  if (bytes === null || bytes.length === 0) throw new RangeError('A webhook secret is `whsec_` followed by base64.');
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

/** @returns null where the text is no base64 */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(head.length + tail.length);
  all.set(head);
  all.set(tail, head.length);
  return all;
}
