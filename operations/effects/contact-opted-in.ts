import type { Effect, EventOf } from './effect.ts';
import { keepStanding } from './rules/chat-update.ts';
import { optIn } from './rules/opt-in.ts';

export const contactOptedIn: Effect<EventOf<'contact.opted_in'>> = {
  stops: 'when_it_merges',
  reads: ['runs', 'suppressions'],
  decide(event, draft) {
    optIn(draft, event);
    keepStanding(draft, event);
  },
};
