import { lead } from '../../domain/subjects/lead/index.ts';
import type { Effect, EventOf } from './effect.ts';
import { reportSubject } from './rules/report-subject.ts';

export const leadCreated: Effect<EventOf<'lead.created'>> = {
  stops: 'when_it_merges',
  reads: ['runs', 'sequences', 'suppressions'],
  decide(event, draft) {
    reportSubject(draft, lead, { ...event, report: event.lead });
    if (draft.world.routes === true)
      draft.changes.routings.push(...[...draft.changes.newSubjects].filter((id) => draft.subject(id).kind === lead.kind));
  },
};
