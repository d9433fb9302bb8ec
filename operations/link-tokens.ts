import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a link in a message stands for. Ids only: a link that is forwarded tells nothing about the person. */
export interface LinkTarget {
  purpose: 'unsubscribe' | 'open' | 'click';
  tenantId: string;
  messageId: string;
}

/** Signs and reads the tokens in links. They do not expire: an opt-out link must work for at least 30 days (CAN-SPAM). */
export interface LinkTokens {
  sign(target: LinkTarget): string;
  /** @returns null for anything that this installation did not sign for that purpose */
  read(token: string, purpose: LinkTarget['purpose']): LinkTarget | null;
}

const uuidBytes = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex');
const uuidText = (bytes: Buffer) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** @param key - a key derived for links alone */
export function createLinkTokens(key: Buffer): LinkTokens {
  // The purpose is signed but not carried: a token read for another purpose does not verify.
  const mac = (purpose: string, body: Buffer) => createHmac('sha256', key).update(purpose).update(body).digest().subarray(0, 16);
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
  };
}
