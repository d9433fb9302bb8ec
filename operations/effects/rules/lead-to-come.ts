import type { SubjectKey } from '../../../domain/events.ts';
import { lead } from '../../../domain/subjects/lead/index.ts';
import type { Draft } from '../../intake/draft.ts';
import { keysOf } from '../../intake/source.ts';
import type { KnownSubject } from '../../intake/world.ts';

/** What is reported about a lead that has not come yet: store one that later events fill in. @returns null: nothing names it */
export function leadToCome(
  draft: Draft,
  given: readonly SubjectKey[],
  times: Pick<KnownSubject, 'contactedAt' | 'lastContactAt'> & { lastContactAt: number },
): KnownSubject | null {
  const keys = keysOf(draft.context.source, given);
  if (keys.length === 0) return null;
  const unheardOf = {
    ...{ createdAtMs: times.lastContactAt, source: null, interest: null, message: null, url: null, currency: null, valueMinor: null },
  };
  const fields = lead.fold(null, { occurredAtMs: times.lastContactAt, report: unheardOf }, { email: null, phone: null });
  const unknown = { contactId: null, previousSubjectId: null, noSequence: null, convertedAt: null, state: 'open' as const };
  return draft.createSubject({ ...fields, ...unknown, kind: lead.kind, ...times }, keys);
}
