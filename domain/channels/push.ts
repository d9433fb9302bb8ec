import type { ChannelTraits } from './channel.ts';

/** A notification on the person's device. */
export const push: ChannelTraits = { noun: 'notification', address: 'push', purpose: 'marketing', disturbs: true, carriesCopy: true };
