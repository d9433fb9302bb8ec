import { lead } from '../../domain/subjects/lead/index.ts';
import type { Effect, EventOf } from './effect.ts';

/** A colleague has spoken with the lead: what runs about the lead ends, unless its sequence goes on beside a person. */
export const leadContacted: Effect<EventOf<'lead.contacted'>> = {
  stops: 'always',
  reads: ['runs', 'claims'],
  decide(event, draft) {
    const persons = draft.personsOf(draft.found.reached);
    draft.coverPersons(persons);
    const matched = draft.matched().map((subject) => subject.id);
    const open = draft.openRunsOf(persons).filter((run) => draft.subject(run.subjectId).kind === lead.kind);
    // Named by its key, it is this lead; named by a person alone, every lead of theirs that is older than the conversation.
    const meant = open.filter((run) =>
      matched.length > 0 ? matched.includes(run.subjectId) : draft.subject(run.subjectId).startedAt <= event.occurredAtMs,
    );
    draft.end(
      meant.filter((run) => run.version.definition.stopOn.includes('contacted')).map((run) => run.id),
      'contacted',
      event.by === null ? {} : { data: { by: event.by } },
    );
  },
};
