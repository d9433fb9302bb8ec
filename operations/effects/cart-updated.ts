import { cart } from '../../domain/subjects/cart/index.ts';
import type { Effect, EventOf } from './effect.ts';
import { reportSubject } from './rules/report-subject.ts';

export const cartUpdated: Effect<EventOf<'cart.updated'>> = {
  stops: 'when_it_merges',
  reads: ['runs', 'sequences', 'suppressions'],
  decide: (event, draft) => reportSubject(draft, cart, { ...event, report: event.cart }),
};
