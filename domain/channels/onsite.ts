import type { ChannelTraits } from './channel.ts';

/** A pop-up at the person's next page view. */
export const onsite: ChannelTraits = { address: 'visitor', purpose: 'marketing', disturbs: false, carriesCopy: true, showsOpens: false };
