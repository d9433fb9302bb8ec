import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channelNames } from '../../domain/channels/index.ts';
import { openChannels } from '../../operations/dispatch/open-channels.ts';

const kinds = ['email', 'phone', 'telegram', 'browser:x', 'external:shop', 'push', 'crm'];
const identity = fc.record({ kind: fc.constantFrom(...kinds), value: fc.constantFrom('a', 'b', 'c') });
const hashOf = ({ kind, value }: { kind: string; value: string }) => `${kind} ${value}`;

test('where nothing is closed, the answers are those of somebody whom nothing that is closed concerns', () => {
  const others = { channel: 'email', hash: 'an address of nobody here', reason: 'bounce' };
  fc.assert(
    fc.property(fc.array(identity, { maxLength: 6 }), (identities) => {
      const none = openChannels(identities, [], hashOf);
      const some = openChannels(identities, [others], hashOf);
      for (const channel of channelNames) {
        expect(none.usable(channel, identities)).toEqual(some.usable(channel, identities));
        expect(none.isClosed(channel)).toBe(some.isClosed(channel));
        expect(none.reasonsOf(channel)).toEqual([]);
        for (const one of identities) expect(none.isAddressClosed(channel, one)).toBe(some.isAddressClosed(channel, one));
      }
    }),
  );
});

test('what an address is closed by leaves exactly the others', () => {
  fc.assert(
    fc.property(fc.array(identity, { minLength: 1, maxLength: 6 }), fc.constantFrom(...channelNames), (identities, channel) => {
      const closed = identities.slice(0, 1);
      const open = openChannels(
        identities,
        closed.map((one) => ({ channel, hash: hashOf(one), reason: 'bounce' })),
        hashOf,
      );
      const isClosed = (one: { kind: string; value: string }) => closed.some((c) => hashOf(c) === hashOf(one));
      const before = openChannels(identities, [], hashOf).usable(channel, identities);
      expect(open.usable(channel, identities)).toEqual(before.filter((one) => !isClosed(one)));
    }),
  );
});
