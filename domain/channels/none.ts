import type { ChannelTraits } from './channel.ts';

/** A step that only marks the time. */
export const none: ChannelTraits = { noun: 'silent step', address: null, purpose: 'internal', disturbs: false, carriesCopy: false };
