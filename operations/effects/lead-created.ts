import { lead } from '../../domain/subjects/lead/index.ts';
import type { Draft } from '../intake/draft.ts';
import { trackerIdsOf } from '../intake/source.ts';
import type { Effect, EventOf } from './effect.ts';
import { matchConversions } from './rules/match-conversions.ts';
import { reportSubject } from './rules/report-subject.ts';

type LeadCreated = EventOf<'lead.created'>;

/** A lead, whose conversions may have come before it: then they count before anything begins. */
export const leadCreated: Effect<LeadCreated> = {
  stops: 'when_it_merges',
  reads: ['earlier', 'runs', 'sequences', 'suppressions', 'conversions'],
  trackerIds: trackerIdsOf,
  decide(event, draft) {
    reportSubject(draft, lead, { ...event, report: event.lead }, { beforeBegin: (subjectId) => findConversions(event, draft, subjectId) });
    if (draft.world.routes === true)
      draft.changes.routings.push(...[...draft.changes.newSubjects].filter((id) => draft.subject(id).kind === lead.kind));
  },
};

function findConversions({ lead: { subId = null, clickId = null } }: LeadCreated, draft: Draft, subjectId: string): void {
  if (subId !== null) draft.changes.trackerIds.push({ value: subId, kind: 'sub_id', subjectId });
  if (clickId !== null) draft.changes.trackerIds.push({ value: clickId, kind: 'click_id', subjectId });
  // What several leads are known by is nobody's.
  if ((draft.world.tracked ?? []).some((id) => id !== subjectId)) return;
  const waiting = draft.conversions().filter((one) => one.subjectId === null);
  if (waiting.length > 0) matchConversions(draft, subjectId, waiting, 'lead');
}
