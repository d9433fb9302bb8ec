import { unitedLifecycle } from '../../../domain/people/lifecycle.ts';
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
  const chosen = chooseContact(identities, draft.heldBesides(identities), (one, other) => draft.areApart(one, other));
  if (chosen === null) {
    const { id } = draft.createContact(identities);
    return { contactId: id, personId: id };
  }
  const { contactId, together, missing } = chosen;
  draft.addIdentities(contactId, missing);
  const personId = together.length > 1 ? mergePersons(draft, together, { by: 'identity', kinds: kindsOf(identities) }) : chosen.personId;
  // The new address may be suppressed: its opt-outs apply to the whole person.
  if (missing.length > 0) carryStops(draft, personId);
  return { contactId, personId };
}

/** The identities to remember a stop by, where it arrives before any contact is known by them. */
export function reachOrMeet(draft: Draft, identities: readonly Identity[]): void {
  if (draft.personsOf(draft.found.reached).length > 0) return;
  const met = resolveContact(draft, identities);
  if (met !== null) draft.found.reached.push(met.contactId);
}

/** A takeover of one of these records holds for the person they are: the one that lasts the longest. */
function takeoverOf(all: readonly KnownContact[]): Pick<KnownContact, 'takenOverAt' | 'takenOverUntil'> {
  const ends = (c: KnownContact) => (c.takenOverAt === null ? Number.NEGATIVE_INFINITY : (c.takenOverUntil ?? Number.POSITIVE_INFINITY));
  const [longest] = all.toSorted((a, b) => (ends(a) === ends(b) ? 0 : ends(b) > ends(a) ? 1 : -1));
  return { takenOverAt: longest?.takenOverAt ?? null, takenOverUntil: longest?.takenOverUntil ?? null };
}

/** The latest order, reply, call and sign of life of any of them, and whoever answers them. */
export function lastOf(all: readonly KnownContact[]): Partial<KnownContact> {
  const latest = (times: (number | null)[]) => times.reduce((max, t) => ((t ?? 0) > (max ?? 0) ? t : max), null);
  return {
    lastOrderAt: latest(all.map((c) => c.lastOrderAt)),
    lastReplyAt: latest(all.map((c) => c.lastReplyAt)),
    lastContactedAt: latest(all.map((c) => c.lastContactedAt)),
    lastWhatsappAt: latest(all.map((c) => c.lastWhatsappAt)),
    lastSeenAt: latest(all.map((c) => c.lastSeenAt)),
    ...takeoverOf(all),
  };
}

/** What makes one person of several: identities that an event named, a subject that turned out to be somebody's, or a colleague. */
type Brought = { by: 'identity'; kinds: string[] } | { by: 'subject' } | { by: 'hand' };

const kindsOf = (identities: readonly Identity[]) => [...new Set(identities.map((i) => i.kind))].sort();

function tellEach(draft: Draft, personId: string, type: string): void {
  for (const { id } of draft.openEnrollmentsOf([personId])) draft.addStoryEntry({ enrollmentId: id, type, data: {} });
}

/** Merge persons into the oldest one. A merge that brings a known stop to further enrollments counts as a stop. */
export function mergePersons(draft: Draft, personIds: readonly string[], brought: Brought): string {
  const [root, ...others] = [...new Set(personIds)].sort();
  if (root === undefined) throw new TypeError('a merge needs persons');
  if (others.length === 0) return root;
  const all = [root, ...others].map((id) => draft.contact(id));
  draft.changeContact(root, {
    ...lastOf(all),
    lifecycle: unitedLifecycle(all.map((c) => c.lifecycle)),
  });
  const joining = others.map((id) => ({ mergedId: id, contactIds: draft.contactsOf([id]).map((c) => c.id) }));
  for (const { id } of draft.contactsOf(others)) draft.changeContact(id, { personId: root });
  const endedBefore = draft.changes.ends.length;
  carryStops(draft, root);
  supersedeOlder(draft, root);
  const endedIds = draft.changes.ends.slice(endedBefore).map((end) => end.id);
  const identityKinds = brought.by === 'identity' ? brought.kinds : [];
  for (const merged of joining) draft.addMerge({ keptId: root, ...merged, broughtBy: brought.by, identityKinds, endedIds });
  if (brought.by !== 'subject') tellEach(draft, root, 'person.merged');
  return root;
}
