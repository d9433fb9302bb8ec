import { chooseContact, type Identity } from '../../../domain/people/choose-contact.ts';
import type { Draft } from '../../intake/draft.ts';
import type { KnownContact } from '../../intake/world.ts';
import { carryStops } from './carry-stops.ts';
import { supersedeOlder } from './supersede.ts';

/** A contact and the person it belongs to. */
export interface Resolved {
  contactId: string;
  personId: string;
}

/**
 * The contact that these identities name: found, extended by the identities it lacked, merged with every other person that shares an
 * address unless verified ids differ, or made new.
 * @returns null when no identity is given
 * Source: docs/rules.md#rule-10
 */
export function resolveContact(draft: Draft, identities: readonly Identity[]): Resolved | null {
  if (identities.length === 0) return null;
  const chosen = chooseContact(identities, draft.heldBesides(identities));
  if (chosen === null) {
    const { id } = draft.createContact(identities);
    return { contactId: id, personId: id };
  }
  const { contactId, together, missing } = chosen;
  draft.addIdentities(contactId, missing);
  const personId = together.length > 1 ? mergePersons(draft, together) : chosen.personId;
  // The new address may be suppressed: its opt-outs apply to the whole person.
  if (missing.length > 0) carryStops(draft, personId);
  return { contactId, personId };
}

/** Whom these identities name, where the event reaches nobody: a stop that comes before anybody is known is remembered with them. */
export function reachOrMeet(draft: Draft, identities: readonly Identity[]): void {
  if (draft.personsOf(draft.found.reached).length > 0) return;
  const met = resolveContact(draft, identities);
  if (met !== null) draft.found.reached.push(met.contactId);
}

/** Whoever answers one of them answers the person that they are: the takeover that lasts the longest. */
function takeoverOf(all: readonly KnownContact[]): Pick<KnownContact, 'takenOverAt' | 'takenOverUntil'> {
  const ends = (c: KnownContact) => (c.takenOverAt === null ? Number.NEGATIVE_INFINITY : (c.takenOverUntil ?? Number.POSITIVE_INFINITY));
  const [longest] = all.toSorted((a, b) => (ends(a) === ends(b) ? 0 : ends(b) > ends(a) ? 1 : -1));
  return { takenOverAt: longest?.takenOverAt ?? null, takenOverUntil: longest?.takenOverUntil ?? null };
}

/** Merge persons into the oldest one. A merge that brings a known stop to further enrollments counts as a stop. */
export function mergePersons(draft: Draft, personIds: readonly string[]): string {
  const [root, ...others] = [...new Set(personIds)].sort();
  if (root === undefined) throw new TypeError('a merge needs persons');
  if (others.length === 0) return root;
  const all = [root, ...others].map((id) => draft.contact(id));
  const latest = (times: (number | null)[]) => times.reduce((max, t) => ((t ?? 0) > (max ?? 0) ? t : max), null);
  draft.changeContact(root, {
    lastOrderAt: latest(all.map((c) => c.lastOrderAt)),
    lastReplyAt: latest(all.map((c) => c.lastReplyAt)),
    lastContactedAt: latest(all.map((c) => c.lastContactedAt)),
    lastSeenAt: latest(all.map((c) => c.lastSeenAt)),
    ...takeoverOf(all),
    ...(all.some((c) => c.lifecycle === 'DO_NOT_CONTACT') ? { lifecycle: 'DO_NOT_CONTACT' } : {}),
  });
  for (const { id } of draft.contactsOf(others)) draft.changeContact(id, { personId: root });
  carryStops(draft, root);
  supersedeOlder(draft, root);
  return root;
}
