import { isPushOf } from '../../../domain/people/push-subscription.ts';
import type { Draft } from '../../intake/draft.ts';

/**
 * A browser that holds a subject has allowed notifications: it is an address for messages about that subject, and its permission is consent to them. A
 * suppression stays: whoever has a cart before them has not shown that they are the one who opted out.
 * Source: docs/rules.md#rule-86
 */
export function noteSubscription(
  draft: Draft,
  { subjectId, address, most }: { subjectId: string; address: string; most: number },
  atMs: number,
): void {
  const owner = draft.findContact(draft.subject(subjectId).contactId);
  if (owner === null) return;
  const known = draft.identitiesOf([owner.personId]).filter(({ kind, value }) => kind === 'push' && isPushOf(value, subjectId));
  if (known.length >= most || known.some(({ value }) => value === address)) return;
  draft.addIdentities(owner.id, [{ kind: 'push', value: address }]);
  draft.stateConsent({ contactId: owner.id, channel: 'push', state: 'granted', basis: 'person', atMs, source: 'browser', wording: null });
}
