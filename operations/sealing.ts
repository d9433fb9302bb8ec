import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** Secrets at rest and keyed hashes, all derived from the installation's master key. */
export interface Sealing {
  /** AES-256-GCM with a fresh nonce. @returns `v1.<nonce>.<tag>.<text>`, base64url */
  seal(plain: string): string;
  /** @throws SealError when the text was altered or sealed under another master key */
  open(sealed: string): string;
  /** Hash of an address for the suppression list: it survives erasure and cannot be reversed without the key. Hex. */
  addressHash(tenantId: string, kind: string, value: string): string;
  /** A key of its own for signing, derived for a named purpose. */
  deriveKey(purpose: string): Buffer;
}

/** Thrown when something sealed cannot be opened; usually REKINDLE_MASTER_KEY is not the one it was sealed with. */
export class SealError extends Error {
  readonly code = 'seal_broken';
  constructor(cause?: unknown) {
    super('a sealed secret cannot be opened: is REKINDLE_MASTER_KEY the key it was sealed with?', { cause });
    this.name = 'SealError';
  }
}

/** @param masterKey - 32 bytes */
export function createSealing(masterKey: Buffer): Sealing {
  if (masterKey.length !== 32) throw new TypeError('the master key has 32 bytes');
  const deriveKey = (purpose: string) => Buffer.from(hkdfSync('sha256', masterKey, 'rekindle', purpose, 32));
  const sealKey = deriveKey('seal');
  const hashKey = deriveKey('address-hash');
  return {
    seal(plain) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', sealKey, nonce);
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return ['v1', ...[nonce, cipher.getAuthTag(), text].map((b) => b.toString('base64url'))].join('.');
    },
    open(sealed) {
      const [version, nonce, tag, text] = sealed.split('.');
      if (version !== 'v1' || nonce === undefined || tag === undefined || text === undefined) throw new SealError();
      try {
        const decipher = createDecipheriv('aes-256-gcm', sealKey, Buffer.from(nonce, 'base64url'));
        decipher.setAuthTag(Buffer.from(tag, 'base64url'));
        return Buffer.concat([decipher.update(Buffer.from(text, 'base64url')), decipher.final()]).toString('utf8');
      } catch (error) {
        throw new SealError(error);
      }
    },
    addressHash: (tenantId, kind, value) => createHmac('sha256', hashKey).update(`${tenantId}\n${kind}\n${value}`).digest('hex'),
    deriveKey,
  };
}
