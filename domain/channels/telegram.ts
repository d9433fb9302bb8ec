import type { ChannelTraits } from './channel.ts';

/** A message in a Telegram chat. */
export const telegram: ChannelTraits = { noun: 'chat message', address: 'telegram', purpose: 'marketing', disturbs: true, carriesCopy: true };
