import { lead } from '../../domain/subjects/lead/index.ts';
import type { Effect, EventOf } from './effect.ts';

/** A colleague has spoken with the lead: its enrollments end, unless their sequence leaves `contacted` out of `stopOn`. */
export const leadContacted: Effect<EventOf<'lead.contacted'>> = {
  stops: 'always',
  reads: ['runs', 'claims'],
  decide(event, draft) {
    const persons = draft.personsOf(draft.found.reached);
    draft.coverPersons(persons);
    const matched = draft.matched().map((subject) => subject.id);
    const open = draft.openEnrollmentsOf(persons).filter((enrollment) => draft.subject(enrollment.subjectId).kind === lead.kind);
    // A key means this lead; a person alone means every lead of theirs that is older than the call.
    const meant = open.filter((enrollment) =>
      matched.length > 0 ? matched.includes(enrollment.subjectId) : draft.subject(enrollment.subjectId).startedAt <= event.occurredAtMs,
    );
    draft.end(
      meant.filter((enrollment) => enrollment.version.definition.stopOn.includes('contacted')).map((enrollment) => enrollment.id),
      'contacted',
      event.by === null ? {} : { data: { by: event.by } },
    );
  },
};
