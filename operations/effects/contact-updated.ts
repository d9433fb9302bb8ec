import { usableOf } from '../intake/found.ts';
import { identitiesOf } from '../intake/source.ts';
import type { Effect, EventOf } from './effect.ts';
import { applyDetails } from './rules/details.ts';
import { resolveContact } from './rules/persons.ts';
import { liftByRecord } from './rules/suppressions.ts';

export const contactUpdated: Effect<EventOf<'contact.updated'>> = {
  stops: 'when_it_merges',
  reads: ['runs', 'suppressions'],
  decide(event, draft) {
    const contact = resolveContact(draft, usableOf(draft.found, identitiesOf(draft.context.source, event.person)));
    if (contact === null) return;
    applyDetails(draft, contact.contactId, event.person, event.occurredAtMs);
    liftByRecord(draft, contact.personId, event.person.consents);
  },
};
