import type { ChannelTraits } from './channel.ts';

/** A telephone call. */
export const call: ChannelTraits = { address: 'phone', purpose: 'marketing', disturbs: true, carriesCopy: true, showsOpens: false };
