import { cart } from '../../domain/subjects/cart/index.ts';
import { keysOf } from '../intake/source.ts';
import type { Effect, EventOf } from './effect.ts';
import { endRunsAbout } from './rules/ends.ts';

/** The checkout was deleted, so its link no longer restores anything. */
export const cartDeleted: Effect<EventOf<'cart.deleted'>> = {
  stops: 'never',
  reads: [],
  decide(event, draft) {
    const matched = draft.matched();
    if (matched.length === 0) {
      const atMs = event.occurredAtMs;
      draft.createSubject(
        {
          ...cart.fold(null, { occurredAtMs: atMs, report: unheardOf(atMs) }, { email: null, phone: null }),
          kind: cart.kind,
          contactId: null,
          state: 'gone',
          convertedAt: null,
          contactedAt: null,
          lastContactAt: null,
          previousSubjectId: null,
          noSequence: null,
        },
        keysOf(draft.context.source, event.keys),
      );
    }
    for (const subject of matched) {
      if (subject.state === 'open') draft.changeSubject(subject.id, { state: 'gone' });
      endRunsAbout(draft, subject.id, 'cart_deleted');
    }
  },
};

/** A cart of which nothing is known but its keys. */
export function unheardOf(createdAtMs: number): EventOf<'cart.updated'>['cart'] {
  return { createdAtMs, currency: null, totalMinor: null, items: [], restoreUrl: null, origin: null, completed: false };
}
