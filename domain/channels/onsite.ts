import type { ChannelTraits } from './channel.ts';

/** A pop-up at the person's next page view. */
export const onsite: ChannelTraits = { noun: 'pop-up', address: 'visitor', purpose: 'marketing', disturbs: false, carriesCopy: true };
