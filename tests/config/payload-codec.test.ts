import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPayloadCodec, isEncrypted, payloadKeyId, storeOfPayload } from '../../temporal/payload-codec.ts';

const [first, second] = [randomBytes(32), randomBytes(32)];
const contextOf = (workflowId: string) => ({ type: 'workflow', namespace: 'default', workflowId }) as const;
const recovery = contextOf('recovery/the-store/cart/0198c1b2-5a4e-7c3d-8f00-000000000001');
const plain = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload | undefined): unknown => (payload === undefined ? undefined : defaultPayloadConverter.fromPayload(payload));
const only = (key: Buffer) => createPayloadCodec({ current: key, others: [] });

describe('encrypted payloads', () => {
  test('give back what was put in, and hold nothing of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.json({ maxDepth: 2 })), async (texts) => {
        const values = texts.map((text) => ({ marker: 'ada@example.com', value: JSON.parse(text) as unknown }));
        const encoded = await only(first).encode(values.map(plain), recovery);
        expect(encoded.every(isEncrypted)).toBe(true);
        expect(encoded.map(storeOfPayload)).toEqual(values.map(() => 'the-store'));
        expect(Buffer.concat(encoded.map(({ data }) => Buffer.from(data ?? []))).toString('latin1')).not.toContain('ada@');
        expect((await only(first).decode(encoded)).map(valueOf)).toEqual(values);
      }),
    );
  });

  test('of before the key are read as they are, and are not encrypted twice', async () => {
    const codec = only(first);
    expect(await codec.decode([plain('as it was')])).toEqual([plain('as it was')]);
    const once = await codec.encode([plain('once')], recovery);
    expect(await codec.encode(once, recovery)).toEqual(once);
  });

  test('are still read by an old key while another encrypts, and by a process that encrypts nothing yet', async () => {
    const old = await only(first).encode([plain('old')], recovery);
    const rotated = createPayloadCodec({ current: second, others: [first] });
    expect((await rotated.decode(old)).map(valueOf)).toEqual(['old']);
    const [fresh] = await rotated.encode([plain('new')], recovery);
    expect(Buffer.from(fresh?.metadata?.['encryption-key-id'] ?? []).toString()).toBe(payloadKeyId(second));
    const reader = createPayloadCodec({ current: null, others: [first] });
    expect((await reader.decode(old)).map(valueOf)).toEqual(['old']);
    expect(await reader.encode([plain('new')], recovery)).toEqual([plain('new')]);
  });

  test('without their key say which one is missing', async () => {
    const encoded = await only(first).encode([plain('secret')], recovery);
    await expect(only(second).decode(encoded)).rejects.toMatchObject({
      code: 'unknown_payload_key',
      message: expect.stringContaining(payloadKeyId(first)) as unknown,
    });
  });

  test('are refused where a bit was changed, cut off, or put under another store', async () => {
    const [encoded = {}] = await only(first).encode([plain({ a: 'secret' })], recovery);
    const data = Buffer.from(encoded.data ?? []);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: data.length * 8 - 1 }), async (bit) => {
        const changed = Buffer.from(data);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        await expect(only(first).decode([{ ...encoded, data: changed }])).rejects.toMatchObject({ code: 'payload_altered' });
      }),
    );
    for (const length of [0, 1, 12, 27, data.length - 1])
      await expect(only(first).decode([{ ...encoded, data: data.subarray(0, length) }])).rejects.toMatchObject({ code: 'payload_altered' });
    const elsewhere = { ...encoded, metadata: { ...encoded.metadata, 'rekindle-store': Buffer.from('another-store') } };
    await expect(only(first).decode([elsewhere])).rejects.toMatchObject({ code: 'payload_altered' });
  });
});
