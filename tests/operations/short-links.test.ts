import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import { createLinkTokens } from '../../operations/link-tokens.ts';

const links = createLinkTokens(randomBytes(32));
const target = () => ({ tenantId: uuidv7(), messageId: uuidv7() });

test('a short token finds its message, and no other one of the same moment', () => {
  fc.assert(
    fc.property(fc.uuid({ version: 7 }), fc.uuid({ version: 7 }), fc.uuid({ version: 7 }), (tenantId, messageId, other) => {
      const token = links.signShort({ tenantId, messageId });
      expect(token).toMatch(/^[0-9A-Za-z]{22}$/);
      const read = links.readShort(token);
      expect(read?.mayBeOf(tenantId)).toBe(true);
      expect(read !== null && read.from <= messageId && messageId <= read.to).toBe(true);
      expect(read?.isSignedFor({ tenantId, messageId })).toBe(true);
      expect(read?.isSignedFor({ tenantId, messageId: other })).toBe(other === messageId);
      expect(read?.isSignedFor({ tenantId: other, messageId })).toBe(other === tenantId);
      // Another message of the very same millisecond has other last bytes.
      const twin = `${messageId.slice(0, -1)}${messageId.endsWith('0') ? '1' : '0'}`;
      expect(read?.isSignedFor({ tenantId, messageId: twin })).toBe(false);
    }),
  );
});

test('what no token can be is none: other lengths, other characters, a number beyond 16 bytes', () => {
  const token = links.signShort(target());
  for (const text of ['', token.slice(1), `${token}0`, `-${token.slice(1)}`, ` ${token.slice(1)}`, 'z'.repeat(22), `${'é'}${token.slice(1)}`])
    expect(links.readShort(text), text).toBeNull();
});

test('a token of another installation is signed for nothing here', () => {
  const there = createLinkTokens(randomBytes(32));
  const ours = target();
  expect(links.readShort(there.signShort(ours))?.isSignedFor(ours)).toBe(false);
});
