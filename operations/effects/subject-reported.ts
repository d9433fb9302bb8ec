import type { Effect, EventOf } from './effect.ts';
import { reportSubject } from './rules/report-subject.ts';

/** A subject of a kind that has no event of its own: everything that is special about it is in its folder of domain/subjects/. */
export const subjectReported: Effect<EventOf<'subject.reported'>> = {
  stops: 'when_it_merges',
  reads: ['runs', 'sequences', 'suppressions'],
  decide(event, draft) {
    const kind = draft.kindOf(event.kind);
    const report = { ...event.subject, details: kind.details.parse(event.subject.details) };
    reportSubject(draft, kind, { ...event, report });
  },
};
