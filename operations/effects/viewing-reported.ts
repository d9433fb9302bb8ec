import { lead } from '../../domain/subjects/lead/index.ts';
import { agreedAt, foldViewing } from '../../domain/subjects/lead/viewings.ts';
import type { Effect, EventOf } from './effect.ts';
import { leadToCome } from './rules/lead-to-come.ts';
import { noteContact, talkedAbout } from './rules/silence.ts';

type ViewingReported = EventOf<'viewing.reported'>;

/**
 * A viewing was agreed with a lead, or called off. Agreeing one is a contact: it moves the last contact and ends silences. While one stands, no chat of
 * theirs is reminded.
 * Source: docs/rules.md#rule-85
 */
export const viewingReported: Effect<ViewingReported> = {
  stops: 'always',
  reads: ['leads', 'runs', 'sequences', 'claims', 'suppressions'],
  decide({ keys, viewing, occurredAtMs: atMs }, draft) {
    const matched = draft.matched().filter((subject) => subject.kind === lead.kind);
    const persons = draft.personsOf(draft.found.reached);
    draft.coverPersons(persons);
    const theirs = matched.length > 0 ? matched : talkedAbout(draft, persons).filter(({ kind }) => kind === lead.kind);
    const toCome = theirs.length > 0 ? null : leadToCome(draft, keys, { contactedAt: null, lastContactAt: atMs });
    // Of several leads of one person it is about the one that they asked about last.
    const about = matched.length > 0 ? matched : [...theirs.slice(0, 1), ...(toCome === null ? [] : [toCome])];
    for (const { id } of about) {
      const { details: stored, chat } = draft.subject(id);
      const details = lead.details.parse(stored);
      const viewings = foldViewing(details.viewings ?? {}, { id: viewing.id, isOff: viewing.isOff, atMs });
      draft.changeSubject(id, { details: { ...details, viewings }, chat: { ...chat, viewingScheduledAt: agreedAt(viewings) } });
    }
    if (!viewing.isOff) noteContact(draft, about, atMs, 'contacted');
  },
};
