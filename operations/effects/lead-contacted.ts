import { lead } from '../../domain/subjects/lead/index.ts';
import type { Draft } from '../intake/draft.ts';
import { NotYetError, usableOf } from '../intake/found.ts';
import { identitiesOf } from '../intake/source.ts';
import type { Effect, EventOf } from './effect.ts';
import { leadToCome } from './rules/lead-to-come.ts';
import { reachOrMeet } from './rules/persons.ts';
import { awaitsSilence, noteContact, talkedAbout } from './rules/silence.ts';

type LeadContacted = EventOf<'lead.contacted'>;

/**
 * A colleague has spoken with the lead: its enrollments end, unless their sequence leaves `contacted` out of `stopOn`. The call is remembered, with
 * the lead that its key names or else with the person, for a lead that arrives after it. What another system has sent (`automated`) only moves the last
 * contact: it ends a silence, and nothing else.
 */
export const leadContacted: Effect<LeadContacted> = {
  stops: 'always',
  reads: ['leads', 'runs', 'sequences', 'claims', 'suppressions', 'message'],
  message: (event) => event.message ?? null,
  decide(event, draft) {
    if (event.message !== undefined && isOurs(draft)) return;
    const matched = draft.matched().filter((subject) => subject.kind === lead.kind);
    const automated = event.automated === true;
    if (automated && event.by === 'workflow' && isByOurWorkflow(draft)) return;
    if (!automated) {
      for (const { id, contactedAt } of matched) {
        draft.changeSubject(id, { contactedAt: Math.max(contactedAt ?? event.occurredAtMs, event.occurredAtMs) });
      }
    }
    if (matched.length === 0) {
      leadToCome(draft, event.keys, { contactedAt: automated ? null : event.occurredAtMs, lastContactAt: event.occurredAtMs });
      if (!automated) rememberWithPersons(event, draft);
    }
    const persons = draft.personsOf(draft.found.reached);
    draft.coverPersons(persons);
    const open = draft.openEnrollmentsOf(persons).filter((enrollment) => draft.subject(enrollment.subjectId).kind === lead.kind);
    // A key means this lead; a person alone means every lead of theirs that is older than the call.
    const meant = open.filter((enrollment) =>
      matched.length > 0
        ? matched.some((subject) => subject.id === enrollment.subjectId)
        : draft.subject(enrollment.subjectId).startedAt <= event.occurredAtMs,
    );
    if (!automated)
      draft.end(
        meant
          .filter((enrollment) => enrollment.version.definition.stopOn.includes('contacted') && !awaitsSilence(enrollment))
          .map((enrollment) => enrollment.id),
        'contacted',
        event.by === null ? {} : { data: { by: event.by } },
      );
    const about = matched.length > 0 ? matched : talkedAbout(draft, persons).filter(({ startedAt }) => startedAt <= event.occurredAtMs);
    noteContact(draft, about, event.occurredAtMs, 'contacted');
  },
};

/**
 * Whether the message is in our ledger. While a call to the person runs, its id is not there yet.
 * @throws NotYetError while a call may be the one that is reported
 */
function isOurs(draft: Draft): boolean {
  if (draft.world.message !== null) return true;
  if (draft.world.claims.length > 0) throw new NotYetError('the outcome of a call to the person');
  return false;
}

/** While a sequence of the person puts them into workflows of the CRM, what these send is ours: it restarts no silence. */
function isByOurWorkflow(draft: Draft): boolean {
  const running = draft.openEnrollmentsOf(draft.personsOf(draft.found.reached)).filter(({ activatedAt }) => activatedAt !== null);
  return running.some(({ version }) => version.definition.steps.some(({ channels }) => channels.includes('crm')));
}

/** Somebody who is not known yet becomes a contact, so that the call is not lost. */
function rememberWithPersons({ occurredAtMs, person }: LeadContacted, draft: Draft): void {
  reachOrMeet(draft, usableOf(draft.found, identitiesOf(draft.context.source, person)));
  for (const id of draft.personsOf(draft.found.reached)) {
    const { lastContactedAt } = draft.contact(id);
    draft.changeContact(id, { lastContactedAt: Math.max(lastContactedAt ?? occurredAtMs, occurredAtMs) });
  }
}
