import type { Effect, EventOf } from './effect.ts';
import { keepStanding } from './rules/chat-update.ts';
import { optOut } from './rules/opt-out.ts';

/** An opt-out: the person's own, the shop's record, or an operator's. */
export const contactOptedOut: Effect<EventOf<'contact.opted_out'>> = {
  stops: 'always',
  reads: ['runs', 'claims', 'suppressions'],
  decide(event, draft) {
    optOut(draft, event);
    keepStanding(draft, event);
  },
};
