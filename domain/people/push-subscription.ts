/**
 * The subscription of one browser to a store's notifications, as its push service gave it out. Whoever has it, and the store's key, can send to that browser.
 * Source: w3.org/TR/push-api, section 8
 */
export interface PushSubscription {
  /** Absolute, https. */
  endpoint: string;
  /** The browser's public key: an uncompressed point of P-256, 65 bytes in base64url. */
  p256dh: string;
  /** The secret that it shares with whoever sends: 16 bytes in base64url. */
  auth: string;
  /** A page that had this subject before it brought the subscription, and notifications about nothing else go there; null: about anything of the person's. */
  subjectId: string | null;
}

const mostOfEndpoint = 1_500;
const base64url = /^[A-Za-z0-9_-]+$/;

/** One spelling for each subscription, under which it is stored and hashed as an identity of the kind `push`. @returns null for what is none */
export function pushAddress({ endpoint, p256dh, auth, subjectId }: PushSubscription): string | null {
  const [key, secret] = [p256dh, auth].map((text) => text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''));
  if (key === undefined || secret === undefined || key.length !== 87 || secret.length !== 22) return null;
  if (!base64url.test(key) || !base64url.test(secret) || !key.startsWith('B')) return null;
  if (endpoint.length > mostOfEndpoint || !URL.canParse(endpoint)) return null;
  const url = new URL(endpoint);
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return null;
  return [url.href, key, secret, ...(subjectId === null ? [] : [subjectId])].join(' ');
}

/** Reads what `pushAddress` has written. @throws Error for anything else */
export function readPushAddress(address: string): PushSubscription {
  const [endpoint, p256dh, auth, subjectId = null, ...more] = address.split(' ');
  if (endpoint === undefined || p256dh === undefined || auth === undefined || more.length > 0) throw new Error('This is no push subscription.');
  return { endpoint, p256dh, auth, subjectId };
}

/** Whether notifications about a subject may go to the address. */
export const isPushOf = (address: string, subjectId: string): boolean => {
  const bound = readPushAddress(address).subjectId;
  return bound === null || bound === subjectId;
};

/** The subscription of nobody, for samples and previews. */
export const samplePushAddress = `https://push.example.com/sample B${'A'.repeat(86)} ${'A'.repeat(22)}`;
