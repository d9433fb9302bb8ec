import { isStrong } from '../../domain/people/choose-contact.ts';
import { readKeyword } from '../../domain/people/keywords.ts';
import { usableOf } from '../intake/found.ts';
import { identitiesOf } from '../intake/source.ts';
import type { Effect, EventOf } from './effect.ts';
import { optIn } from './rules/opt-in.ts';
import { optOut } from './rules/opt-out.ts';
import { reachOrMeet } from './rules/persons.ts';

/**
 * A reply ends the enrollments of everybody who shares the identity; STOP and START in a text are an opt-out and an opt-in as well. Where a STOP
 * closes its own channel only, sequences that stop on replies end as `replied`.
 */
export const messageReceived: Effect<EventOf<'message.received'>> = {
  stops: 'always',
  reads: ['runs', 'claims', 'suppressions'],
  decide(event, draft) {
    const keyword = event.channel === 'sms' && event.text !== null ? readKeyword(event.text) : null;
    const stops = keyword === 'opt_out' || keyword === 'stop_all';
    const said = { ...event, channel: 'sms', source: 'reply', basis: 'person' } as const;
    if (stops) optOut(draft, { ...said, type: 'contact.opted_out', final: keyword === 'stop_all' });
    if (keyword === 'opt_in') optIn(draft, { ...said, type: 'contact.opted_in', wording: event.text, confirmed: true });
    // A reply may come before anything else that is known of its person; a STOP has made them known.
    if (!stops) reachOrMeet(draft, usableOf(draft.found, identitiesOf(draft.context.source, event.person)));
    const persons = draft.personsOf(draft.found.reached);
    // STOP from a number that several people share closes the number; it does not count as anybody's reply.
    const isShared = draft.found.named.length > 1 && !identitiesOf(draft.context.source, event.person).some(isStrong);
    if (isShared && stops) return;
    for (const id of persons) {
      const { lastReplyAt } = draft.contact(id);
      draft.changeContact(id, { lastReplyAt: Math.max(lastReplyAt ?? event.occurredAtMs, event.occurredAtMs) });
    }
    draft.coverPersons(persons);
    draft.end(
      draft
        .openEnrollmentsOf(persons)
        .filter((enrollment) => enrollment.version.definition.stopOn.includes('replied'))
        .map((enrollment) => enrollment.id),
      'replied',
    );
  },
};
