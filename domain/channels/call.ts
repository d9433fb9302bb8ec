import type { ChannelTraits } from './channel.ts';

/** A telephone call. */
export const call: ChannelTraits = {
  noun: 'call',
  address: 'phone',
  purpose: 'marketing',
  disturbs: true,
  law: 'calls',
  consentClass: 'calls',
  carriesCopy: true,
};
