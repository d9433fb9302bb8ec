import type { ChannelTraits } from './channel.ts';

/** A message that the merchant's CRM sends, in words of its own. */
export const crm: ChannelTraits = { noun: 'CRM message', address: 'external', purpose: 'marketing', disturbs: true, carriesCopy: false };
