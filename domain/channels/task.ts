import type { ChannelTraits } from './channel.ts';

/** A task for a colleague. */
export const task: ChannelTraits = { noun: 'task', address: null, purpose: 'internal', disturbs: false, carriesCopy: false };
