import { createHmac, timingSafeEqual } from 'node:crypto';
import type { TaskAction } from '../domain/notifications/links.ts';

/** What a link in a message stands for. Ids only: a link that is forwarded tells nothing about the person. */
export interface LinkTarget {
  purpose: 'unsubscribe' | 'open' | 'click' | 'popup' | TaskLinkPurpose;
  tenantId: string;
  /** Of a message; for a task, of the notification. */
  messageId: string;
}

/** A link in the notification of a task: to the page with all that can be done, or to one of them. */
export type TaskLinkPurpose = 'task' | `task ${TaskAction}`;

/** Signs and reads the tokens in links. They do not expire: an opt-out link must work for at least 30 days (CAN-SPAM). */
export interface LinkTokens {
  sign(target: LinkTarget): string;
  /** @returns null for anything that this installation did not sign for that purpose */
  read(token: string, purpose: LinkTarget['purpose']): LinkTarget | null;
  /**
   * A third as long, for text messages, and only letters and digits: some phones end a link at a hyphen. It stands for a click, and carries only part
   * of the ids: the reader finds the message among a few candidates.
   */
  signShort(target: Pick<LinkTarget, 'tenantId' | 'messageId'>): string;
  /** @returns null for anything that cannot be a short token */
  readShort(token: string): ShortLink | null;
}

/** The range of ids in which the message of a short token lies, and the check of a candidate. */
export interface ShortLink {
  mayBeOf(tenantId: string): boolean;
  /** The message's id lies between these, both included. */
  from: string;
  to: string;
  isSignedFor(target: Pick<LinkTarget, 'tenantId' | 'messageId'>): boolean;
}

const uuidBytes = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex');
const uuidText = (bytes: Buffer) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

// Of a short token: two bytes of a tag narrow down the tenant, eight of the message's id are its time and twelve random bits, and six of the
// signature stand for all the rest. Guessing one of 2^48 signatures is hopeless where wrong tokens are rate-limited.
const tagBytes = 2;
const idBytes = 8;
const macBytes = 6;
const shortBytes = tagBytes + idBytes + macBytes;

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** As many digits to base 62 as 16 bytes need. */
const shortLength = 22;

/** @param key - a key for links alone; a function where it is read from the database when the process begins */
export function createLinkTokens(key: Buffer | (() => Buffer)): LinkTokens {
  const keyNow = typeof key === 'function' ? key : () => key;
  const hmac = (purpose: string, body: Buffer, bytes: number) =>
    createHmac('sha256', keyNow()).update(purpose).update(body).digest().subarray(0, bytes);
  // The purpose is signed but not carried: a token read for another purpose does not verify.
  const mac = (purpose: string, body: Buffer) => hmac(purpose, body, 16);
  const tagOf = (tenantId: string) => hmac('short link: tenant', uuidBytes(tenantId), tagBytes);
  const shortMac = (tenantId: string, messageId: string) => hmac('short link', Buffer.concat([uuidBytes(tenantId), uuidBytes(messageId)]), macBytes);
  return {
    sign({ purpose, tenantId, messageId }) {
      const body = Buffer.concat([uuidBytes(tenantId), uuidBytes(messageId)]);
      return Buffer.concat([body, mac(purpose, body)]).toString('base64url');
    },
    read(token, purpose) {
      const bytes = Buffer.from(token, 'base64url');
      if (bytes.length !== 48 || bytes.toString('base64url') !== token) return null;
      const body = bytes.subarray(0, 32);
      if (!timingSafeEqual(bytes.subarray(32), mac(purpose, body))) return null;
      return { purpose, tenantId: uuidText(body.subarray(0, 16)), messageId: uuidText(body.subarray(16)) };
    },
    signShort({ tenantId, messageId }) {
      return toBase62(Buffer.concat([tagOf(tenantId), uuidBytes(messageId).subarray(0, idBytes), shortMac(tenantId, messageId)]));
    },
    readShort(token) {
      const bytes = fromBase62(token);
      if (bytes === null) return null;
      const tag = bytes.subarray(0, tagBytes);
      const id = bytes.subarray(tagBytes, tagBytes + idBytes);
      const signature = bytes.subarray(tagBytes + idBytes);
      return {
        mayBeOf: (tenantId) => timingSafeEqual(tag, tagOf(tenantId)),
        from: uuidText(Buffer.concat([id, Buffer.alloc(16 - idBytes, 0)])),
        to: uuidText(Buffer.concat([id, Buffer.alloc(16 - idBytes, 0xff)])),
        isSignedFor: ({ tenantId, messageId }) => timingSafeEqual(signature, shortMac(tenantId, messageId)),
      };
    },
  };
}

function toBase62(bytes: Buffer): string {
  let left = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (let at = 0; at < shortLength; at++) {
    text = (digits[Number(left % 62n)] ?? '') + text;
    left /= 62n;
  }
  return text;
}

/** @returns null for other lengths, other characters, and numbers beyond 16 bytes: every token has one spelling */
function fromBase62(text: string): Buffer | null {
  if (text.length !== shortLength || !/^[0-9A-Za-z]+$/.test(text)) return null;
  let value = 0n;
  for (const character of text) value = value * 62n + BigInt(digits.indexOf(character));
  const hex = value.toString(16).padStart(shortBytes * 2, '0');
  return hex.length > shortBytes * 2 ? null : Buffer.from(hex, 'hex');
}
