import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import proto from '@temporalio/proto';

/** Keys for what Temporal stores. Each has 32 bytes. */
export interface PayloadKeys {
  /** Encrypts; null: nothing is encrypted, and what was encrypted before is still read. */
  current: Buffer | null;
  /** Further keys that only decrypt: of before, or of what other processes encrypt already. */
  others: readonly Buffer[];
}

/** Thrown when a payload cannot be decrypted; the message says what to do. */
export class PayloadKeyError extends Error {
  readonly code: 'unknown_payload_key' | 'payload_altered';
  constructor(code: PayloadKeyError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'PayloadKeyError';
    this.code = code;
  }
}

/** As Temporal's samples in every language name it, so that other tools know an encrypted payload. */
const encryptedEncoding = 'binary/encrypted';
const cipherName = 'AES-256-GCM';
const nonceBytes = 12;
const tagBytes = 16;

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** 12 hexadecimal digits that tell nothing about the key. */
export const payloadKeyId = (key: Buffer): string => Buffer.from(hkdfSync('sha256', key, 'rekindle', 'payload-key-id', 6)).toString('hex');

const textOf = (payload: Payload, name: string): string | null => {
  const bytes = payload.metadata?.[name];
  return bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString();
};

export const isEncrypted = (payload: Payload): boolean => textOf(payload, 'encoding') === encryptedEncoding;

/** The slug of the store that an encrypted payload belongs to, which is authenticated; null: of none, or of an installation's own workflow. */
export const storeOfPayload = (payload: Payload): string | null => textOf(payload, 'rekindle-store');

/** Ids of workflows about a store name it: `recovery/{store}/…` (workflows/contract.ts). */
const storeOf = (context: SerializationContext | undefined): string | null => {
  const [, store, ...rest] = context?.workflowId?.split('/') ?? [];
  return store === undefined || rest.length === 0 ? null : store;
};

/** What stands in the clear beside the text; it is authenticated with it, so neither can be put beside another. */
const aad = (keyId: string, store: string | null) => Buffer.from(`${cipherName}\n${keyId}\n${store ?? ''}`);

/**
 * Encrypts whole payloads, with what they say about their own encoding. A payload that is not encrypted passes through: histories from before the
 * key was given are read as they are.
 */
export function createPayloadCodec({ current, others }: PayloadKeys): PayloadCodec {
  const known = new Map([...(current === null ? [] : [current]), ...others].map((key) => [payloadKeyId(key), key]));
  const currentId = current === null ? null : payloadKeyId(current);

  const encrypt = (payload: Payload, store: string | null): Payload => {
    if (current === null || currentId === null || isEncrypted(payload)) return payload;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', current, nonce).setAAD(aad(currentId, store));
    const data = Buffer.concat([nonce, cipher.update(PayloadMessage.encode(payload).finish()), cipher.final(), cipher.getAuthTag()]);
    const metadata = {
      encoding: Buffer.from(encryptedEncoding),
      'encryption-cipher': Buffer.from(cipherName),
      'encryption-key-id': Buffer.from(currentId),
      ...(store === null ? {} : { 'rekindle-store': Buffer.from(store) }),
    };
    return { metadata, data };
  };

  const decrypt = (payload: Payload): Payload => {
    if (!isEncrypted(payload)) return payload;
    const keyId = textOf(payload, 'encryption-key-id') ?? '';
    const key = known.get(keyId);
    if (key === undefined)
      throw new PayloadKeyError(
        'unknown_payload_key',
        `A payload is encrypted with the key ${keyId}, which this process does not have: add it to REKINDLE_OTHER_TEMPORAL_KEYS.`,
      );
    const data = Buffer.from(payload.data ?? []);
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, data.subarray(0, nonceBytes), { authTagLength: tagBytes })
        .setAAD(aad(keyId, storeOfPayload(payload)))
        .setAuthTag(data.subarray(-tagBytes));
      return PayloadMessage.decode(Buffer.concat([decipher.update(data.subarray(nonceBytes, -tagBytes)), decipher.final()]));
    } catch (error) {
      throw new PayloadKeyError('payload_altered', `A payload that is encrypted with the key ${keyId} was altered, or cut short.`, error);
    }
  };

  return {
    encode: async (payloads, context) => payloads.map((payload) => encrypt(payload, storeOf(context))),
    decode: async (payloads) => payloads.map(decrypt),
  };
}
