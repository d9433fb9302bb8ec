import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** What keys of their own are derived for. They outlive the master key that they were derived from (docs/rules.md#rule-77). */
export const keyPurposes = ['address-hash', 'links', 'chat-links'] as const;
export type KeyPurpose = (typeof keyPurposes)[number];

/** Secrets at rest under a master key, and keyed hashes and signatures under keys of their own. */
export interface Sealing {
  /** Which master key seals: 12 hexadecimal digits that tell nothing about it. */
  keyId: string;
  /** Every master key that opens, the one that seals first. */
  keyIds: readonly string[];
  /** AES-256-GCM with a fresh nonce. @returns `v1.<nonce>.<tag>.<text>.<key id>`, base64url; builds before wrote no key id, and ignore it */
  seal(plain: string): string;
  /** @throws SealError when the text was altered or sealed under a master key that is not given */
  open(sealed: string): string;
  /** The id of the key that a text was sealed under. @throws SealError as `open` does */
  sealedUnder(sealed: string): string;
  /** Hash of an address for the suppression list: it survives erasure and cannot be reversed without the key. Hex. */
  addressHash(tenantId: string, kind: string, value: string): string;
  /** A key of its own for signing, for a named purpose. The key for sessions is derived from the master key, so replacing that signs everybody out. */
  deriveKey(purpose: KeyPurpose | 'sessions'): Buffer;
  /** The key that is derived for a purpose from the master key with this id: what `deriveKey` is before `useKeys`. */
  derivedFrom(keyId: string, purpose: KeyPurpose): Buffer;
  /** From now on these keys are used in the place of those that the master key gives. */
  useKeys(keys: Readonly<Record<KeyPurpose, Buffer>>): void;
}

/** Thrown when something sealed cannot be opened; usually REKINDLE_MASTER_KEY is not the one it was sealed with. */
export class SealError extends Error {
  readonly code = 'seal_broken';
  constructor(cause?: unknown) {
    super('a sealed secret cannot be opened: is REKINDLE_MASTER_KEY the key it was sealed with?', { cause });
    this.name = 'SealError';
  }
}

interface MasterKey {
  id: string;
  seal: Buffer;
  derive(purpose: string): Buffer;
}

function readMasterKey(bytes: Buffer): MasterKey {
  if (bytes.length !== 32) throw new TypeError('a master key has 32 bytes');
  const derived = new Map<string, Buffer>();
  const derive = (purpose: string) => {
    const known = derived.get(purpose) ?? Buffer.from(hkdfSync('sha256', bytes, 'rekindle', purpose, 32));
    derived.set(purpose, known);
    return known;
  };
  return { id: derive('key-id').toString('hex').slice(0, 12), seal: derive('seal'), derive };
}

/**
 * @param masterKey - 32 bytes: seals, and opens
 * @param others - further master keys that only open, while a key is replaced by another
 */
export function createSealing(masterKey: Buffer, others: readonly Buffer[] = []): Sealing {
  const present = readMasterKey(masterKey);
  const keys = new Map([present, ...others.map(readMasterKey)].map((key) => [key.id, key]));
  let own: Readonly<Record<KeyPurpose, Buffer>> | null = null;
  const deriveKey = (purpose: KeyPurpose | 'sessions') => (purpose === 'sessions' ? null : own?.[purpose]) ?? present.derive(purpose);
  return {
    keyId: present.id,
    keyIds: [...keys.keys()],
    seal(plain) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', present.seal, nonce);
      const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return ['v1', ...[nonce, cipher.getAuthTag(), text].map((b) => b.toString('base64url')), present.id].join('.');
    },
    open: (sealed) => unseal(sealed, keys).plain,
    sealedUnder: (sealed) => unseal(sealed, keys).keyId,
    addressHash: (tenantId, kind, value) => createHmac('sha256', deriveKey('address-hash')).update(`${tenantId}\n${kind}\n${value}`).digest('hex'),
    deriveKey,
    derivedFrom(keyId, purpose) {
      const key = keys.get(keyId);
      if (key === undefined) throw new SealError();
      return key.derive(purpose);
    },
    useKeys(stored) {
      own = stored;
    },
  };
}

function unseal(sealed: string, keys: ReadonlyMap<string, MasterKey>): { plain: string; keyId: string } {
  const [version, nonce, tag, text, keyId] = sealed.split('.');
  if (version !== 'v1' || nonce === undefined || tag === undefined || text === undefined) throw new SealError();
  // One that a build before has sealed names no key: whichever opens it was it.
  const named = keyId === undefined ? [...keys.values()] : [keys.get(keyId)].filter((key) => key !== undefined);
  let cause: unknown;
  for (const key of named) {
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.seal, Buffer.from(nonce, 'base64url'));
      decipher.setAuthTag(Buffer.from(tag, 'base64url'));
      const plain = Buffer.concat([decipher.update(Buffer.from(text, 'base64url')), decipher.final()]).toString('utf8');
      return { plain, keyId: key.id };
    } catch (error) {
      cause = error;
    }
  }
  throw new SealError(cause);
}
