import type { NoSequenceReason } from '../../../domain/subjects/no-sequence.ts';
import type { Draft } from '../../intake/draft.ts';
import { beginSequences } from './begin.ts';

/** What no longer keeps a subject from a sequence once its person can be reached on the page. */
const forWantOfAnAddress: readonly NoSequenceReason[] = ['unknown_person', 'no_address'];

/**
 * The browser in which a subject was left is on the site: a sign of life of its person, who can be reached there from now on. A subject that was kept
 * from its sequence because nobody could be reached begins it.
 * Source: docs/rules.md#rule-45
 */
export function noteVisit(draft: Draft, subjectId: string, atMs: number): void {
  const subject = draft.subject(subjectId);
  const owner = draft.findContact(subject.contactId);
  if (owner === null) return;
  const person = draft.contact(owner.personId);
  if ((person.lastSeenAt ?? Number.NEGATIVE_INFINITY) < atMs) draft.changeContact(person.id, { lastSeenAt: atMs });
  const isKnown = draft.identitiesOf([owner.personId]).some(({ kind, value }) => kind === 'visitor' && value === subjectId);
  if (isKnown) return;
  draft.addIdentities(owner.id, [{ kind: 'visitor', value: subjectId }]);
  const kept = subject.noSequence?.keptFrom ?? [];
  if (subject.state !== 'open' || kept.length === 0 || !kept.every(({ reason }) => forWantOfAnAddress.includes(reason))) return;
  const { begun, keptFrom } = beginSequences(draft, { subject, owner });
  draft.changeSubject(subjectId, { noSequence: begun.length > 0 ? null : { atMs, keptFrom } });
  if (begun.length > 0) draft.moveLifecycle(owner.id, 'begun');
}
