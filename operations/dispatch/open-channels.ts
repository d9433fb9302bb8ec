import { addressKindsOf, type Channel, channels } from '../../domain/channels/index.ts';
import type { ChannelTraits } from '../../domain/channels/channel.ts';
import { type Identity, isStrong } from '../../domain/people/choose-contact.ts';

interface Blocked {
  /** A channel, or `all`. */
  channel: string;
  hash: string;
  reason: string;
}

/**
 * The channels and addresses of a person that suppressions leave
 * open. An opt-out or a complaint closes the channel for the person; a refusal or a bounce closes that address alone.
 */
export interface OpenChannels {
  /** Marketing to the person is closed on this channel. */
  isClosed(channel: Channel): boolean;
  isAddressClosed(channel: Channel, identity: Identity): boolean;
  /** Why anything of it is closed, each reason once. */
  reasonsOf(channel: Channel): string[];
  /** Addresses of the channel's kind that are not closed. */
  usable<I extends Identity>(channel: Channel, identities: readonly I[]): I[];
}

/** @param blocked - suppressions in force, also of other people */
export function openChannels(identities: readonly Identity[], blocked: readonly Blocked[], hashOf: (identity: Identity) => string): OpenChannels {
  return blocked.length === 0 ? allOpen : closedBy(identities, blocked, hashOf);
}

/** Of most people nothing is closed, and then no address has to be hashed to know it. */
const allOpen: OpenChannels = {
  isClosed: () => false,
  isAddressClosed: () => false,
  reasonsOf: () => [],
  usable: (channel, all) => ofKinds(addressKindsOf(channel), all),
};

function closedBy(identities: readonly Identity[], blocked: readonly Blocked[], hashOf: (identity: Identity) => string): OpenChannels {
  const byAny = (channel: Channel): boolean => {
    const { closedByAny }: ChannelTraits = channels[channel];
    return closedByAny === true;
  };
  const closes = (channel: Channel) => blocked.filter((b) => b.channel === 'all' || b.channel === channel || byAny(channel));
  // A closed number is closed for texts and calls. The other channels of those who share it stay open.
  const numbers = new Set(identities.filter((i) => !isStrong(i)).map(hashOf));
  const isAddressClosed = (channel: Channel, identity: Identity) => closes(channel).some((b) => b.hash === hashOf(identity));
  return {
    isClosed: (channel) =>
      closes(channel).some(
        (b) => (b.reason === 'opted_out' || b.reason === 'complaint') && (!numbers.has(b.hash) || addressKindsOf(channel).includes('phone')),
      ),
    isAddressClosed,
    reasonsOf: (channel) => [...new Set(closes(channel).map((b) => b.reason))].sort(),
    usable: (channel, all) => ofKinds(addressKindsOf(channel), all).filter((i) => !isAddressClosed(channel, i)),
  };
}

/** In the order of the kinds. */
function ofKinds<I extends Identity>(kinds: readonly string[], all: readonly I[]): I[] {
  const [first, ...others] = kinds;
  if (first === undefined) return [];
  const found = all.filter((i) => i.kind === first);
  return others.length === 0 ? found : [...found, ...ofKinds(others, all)];
}
