import type { Draft } from '../intake/draft.ts';
import type { KnownConversion } from '../intake/world.ts';
import type { Effect, EventOf } from './effect.ts';
import { matchConversions } from './rules/match-conversions.ts';

type ConversionReported = EventOf<'conversion.reported'>;

/**
 * A tracker says what became of a click. The ids in it find the attempt whose link was followed, or the lead; a payment is answered like an order. What
 * finds nobody is kept, until its lead comes or somebody matches it. Each status of a transaction counts once.
 * Source: docs/rules.md#rule-60
 */
export const conversionReported: Effect<ConversionReported> = {
  stops: 'always',
  reads: ['conversions', 'runs', 'claims'],
  trackerIds: (event) => event.conversion.ids,
  decide(event, draft) {
    const [subject] = draft.matched();
    const known = draft.conversions().find((one) => isSame(one, event, draft));
    const report = known ?? newReport(event, draft);
    if (known === undefined) draft.putConversion(report);
    if (subject === undefined) return;
    // A repeat is answered no earlier than the first was.
    const owner = draft.findContact(subject.contactId);
    if (owner !== null) draft.coverPersons([owner.personId]);
    if (report.subjectId === null) matchConversions(draft, subject.id, [report], 'report');
  },
};

const isSame = (one: KnownConversion, { conversion: { click, status, tid } }: ConversionReported, draft: Draft): boolean =>
  one.connectionId === draft.context.source.connectionId && one.click === click && one.status === status && one.tid === tid;

function newReport({ conversion, occurredAtMs }: ConversionReported, draft: Draft): KnownConversion {
  const { ids: _ids, ...told } = conversion;
  return {
    ...told,
    ...{ id: draft.context.newId(), connectionId: draft.context.source.connectionId, atMs: occurredAtMs },
    ...{ subjectId: null, messageId: null, matchedAt: null, matchedBy: null, reversedAt: null },
  };
}
