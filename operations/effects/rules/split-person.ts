import type { Channel } from '../../../domain/channels/index.ts';
import { isClosed, type Lifecycle, unitedLifecycle } from '../../../domain/people/lifecycle.ts';
import { deniesEverything, foldConsent } from '../../../domain/people/consent.ts';
import type { Draft, StatedConsent } from '../../intake/draft.ts';
import type { KnownConsent, KnownContact, KnownSuppression } from '../../intake/world.ts';
import { lastOf } from './persons.ts';
import { suppress } from './suppressions.ts';

/** The merge that is undone. */
export interface UndoneMerge {
  id: string;
  keptContactId: string;
  contactIds: readonly string[];
}

/**
 * Take the contacts of a merge out of the person again, with everything that is theirs, and keep the two apart from now on. What stops a message stays
 * with both: who knows whose opt-out, purchase or reply it was.
 * @returns null: they are two persons already
 * Source: docs/rules.md#rule-30
 */
export function splitPerson(draft: Draft, merge: UndoneMerge): { keptId: string; splitId: string } | null {
  const united = draft.contact(merge.keptContactId).personId;
  const everyone = draft.contactsOf([united]);
  const leaving = everyone.filter((c) => merge.contactIds.includes(c.id));
  const staying = everyone.filter((c) => !leaving.includes(c));
  const [first] = leaving;
  if (first === undefined || staying.length === 0) return null;
  const stops = stopsOf(draft, everyone);
  draft.changeContact(first.id, lastOf(everyone));
  for (const contact of everyone) {
    const others = leaving.includes(contact) ? staying : leaving;
    draft.changeContact(contact.id, {
      ...(leaving.includes(contact) ? { personId: first.id } : {}),
      ...(stops.lifecycle === null ? {} : { lifecycle: stops.lifecycle }),
      apart: { ...contact.apart, ...Object.fromEntries(others.map(({ id }) => [id, merge.id])) },
    });
  }
  for (const side of [united, first.id]) {
    stopFor(draft, side, stops);
    for (const { id } of draft.openEnrollmentsOf([side])) draft.addStoryEntry({ enrollmentId: id, type: 'person.split', data: {} });
  }
  return { keptId: united, splitId: first.id };
}

interface Stops {
  closed: readonly KnownSuppression[];
  denied: readonly (KnownConsent & { channel: string })[];
  /** What closes the person to every message; null: nothing. */
  lifecycle: Lifecycle | null;
}

/** What keeps the united person from getting messages: opt-outs, complaints and denials that nothing has taken back. */
function stopsOf(draft: Draft, everyone: readonly KnownContact[]): Stops {
  const said = draft.consentsOf(everyone.map((c) => c.id));
  const persons = [...new Set(everyone.map((c) => c.personId))];
  const hashes = new Set(draft.identitiesOf(persons).map((i) => draft.context.addressHash(i)));
  const united = unitedLifecycle(everyone.map((c) => c.lifecycle));
  return {
    closed: draft.suppressions().filter((s) => hashes.has(s.addressHash) && (s.reason === 'opted_out' || s.reason === 'complaint')),
    denied: said.filter((s) => s.state === 'denied' && isDenied(said, s.channel)),
    lifecycle: isClosed(united) ? united : null,
  };
}

const isDenied = (said: readonly KnownConsent[], channel: string) =>
  channel === 'all' ? deniesEverything(said) : foldConsent(said.filter((s) => s.channel === channel || s.channel === 'all')) === 'denied';

function stopFor(draft: Draft, personId: string, { closed, denied }: Stops): void {
  const identities = draft.identitiesOf([personId]);
  for (const s of closed) {
    const { reason, basis, sinceMs } = s;
    if (reason !== 'opted_out' && reason !== 'complaint') continue;
    suppress(draft, identities, { channel: s.channel as Channel | 'all', reason, basis: basis ?? 'person', sinceMs });
  }
  const own = draft.consentsOf(draft.contactsOf([personId]).map((c) => c.id));
  for (const { channel, basis, atMs } of denied) {
    if (isDenied(own, channel)) continue;
    const stated: StatedConsent = { contactId: personId, channel, state: 'denied', basis, atMs, source: 'unmerge', wording: null };
    draft.stateConsent(stated);
    own.push(stated);
  }
}
