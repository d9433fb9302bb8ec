import { createPublicKey, createVerify, type KeyObject, X509Certificate } from 'node:crypto';
import { outboundFetch } from '../http/outbound.ts';
import type { Delivery, Refusal, Secrets } from '../port.ts';
import { type Fields, readFields } from '../read/notes.ts';

// Source: docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html

const snsHost = /^sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?$/;
// SNS signs the time of the first attempt and repeats for an hour, or as long as the topic's delivery policy says.
const oldestMs = 25 * 3_600_000;
const aheadMs = 5 * 60_000;

const signedFields = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'];
/** What is signed of each kind of delivery, in this order; a field that is not there is left out. */
const signedOf: ReadonlyMap<string, readonly string[]> = new Map([
  ['Notification', signedFields],
  ['SubscriptionConfirmation', ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']],
  ['UnsubscribeConfirmation', ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']],
]);
const digests: ReadonlyMap<unknown, string> = new Map([
  ['1', 'sha1'],
  ['2', 'sha256'],
]);

/** The fields that SNS wraps a message in; none where the body is no object. */
export function envelopeOf({ raw }: Delivery): Fields {
  try {
    return readFields(JSON.parse(raw.toString('utf8')), 'body', []) ?? {};
  } catch {
    return {};
  }
}

/** An address of SNS itself: https, its own host, no other port, nobody's login. @returns null for any other */
export function snsUrl(value: unknown): URL | null {
  if (typeof value !== 'string' || !URL.canParse(value)) return null;
  const url = new URL(value);
  return url.protocol === 'https:' && snsHost.test(url.hostname) && url.port === '' && url.username === '' && url.password === '' ? url : null;
}

/** Where the certificate of a delivery lies; null: nowhere that AWS keeps certificates. */
function certificateUrl(envelope: Fields): URL | null {
  const url = snsUrl(envelope['SigningCertURL']);
  return url !== null && url.search === '' && url.hash === '' && /^\/[\w.-]+\.pem$/.test(url.pathname) ? url : null;
}

/**
 * Whether SNS has signed the delivery, in the name of a topic of ours.
 * @param topics - ARNs. Anybody's topic can deliver to any address, so the signature alone proves nothing
 * @returns null when it is authentic
 */
export function verifySns(delivery: Delivery, topics: Secrets): Refusal | null {
  const envelope = envelopeOf(delivery);
  const { Signature: signature, TopicArn: topic, Timestamp: timestamp } = envelope;
  if (typeof signature !== 'string' || signature === '') return 'missing_signature';
  if (typeof topic !== 'string' || topic === '' || !topics.includes(topic) || certificateUrl(envelope) === null) return 'bad_signature';
  const [digest, bytes, key] = [digests.get(envelope['SignatureVersion']), Buffer.from(signature, 'base64'), publicKeyOf(delivery.certificate)];
  const signed = signedText(envelope);
  // Base64 decodes leniently: another spelling of the same bytes is no signature of Amazon's.
  if (digest === undefined || signed === null || key === null || bytes.toString('base64') !== signature) return 'bad_signature';
  if (!createVerify(digest).update(signed).verify(key, bytes)) return 'bad_signature';
  const ageMs = delivery.receivedAtMs - Date.parse(String(timestamp));
  return ageMs <= oldestMs && ageMs >= -aheadMs ? null : 'stale';
}

function signedText(envelope: Fields): string | null {
  const names = signedOf.get(String(envelope['Type']));
  if (names === undefined) return null;
  const present = names.filter((name) => envelope[name] !== undefined && envelope[name] !== null);
  return present.every((name) => typeof envelope[name] === 'string') ? present.map((name) => `${name}\n${String(envelope[name])}\n`).join('') : null;
}

function publicKeyOf(certificate: string | undefined): KeyObject | null {
  try {
    if (certificate === undefined) return null;
    const key = certificate.includes('BEGIN CERTIFICATE') ? new X509Certificate(certificate).publicKey : createPublicKey(certificate);
    return key.asymmetricKeyType === 'rsa' ? key : null;
  } catch {
    return null;
  }
}

const mostKept = 50;
const mostBytes = 20_000;
const timeoutMs = 3_000;

/**
 * Fetches the certificates of deliveries, and keeps them: AWS gives each another name. A stranger's delivery makes it fetch nothing.
 * @param get - how a checked address is fetched
 */
export function createCertificates(get: typeof outboundFetch = outboundFetch) {
  const kept = new Map<string, Promise<string>>();
  const download = async (url: string): Promise<string> => {
    const response = await get(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    const text = await response.text();
    if (response.status !== 200 || text.length > mostBytes || publicKeyOf(text) === null) throw new Error(`no certificate: HTTP ${response.status}`);
    return text;
  };
  /** @throws where it cannot be fetched now: the sender repeats the delivery */
  return async (delivery: Delivery, topics: Secrets): Promise<string | null> => {
    const envelope = envelopeOf(delivery);
    const url = certificateUrl(envelope)?.href ?? null;
    if (url === null || typeof envelope['TopicArn'] !== 'string' || !topics.includes(envelope['TopicArn'])) return null;
    const known = kept.get(url);
    if (known !== undefined) return known;
    const fetched = download(url);
    kept.set(url, fetched);
    const [oldest] = kept.keys();
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
    return fetched.catch((error: unknown) => {
      kept.delete(url);
      throw error;
    });
  };
}
