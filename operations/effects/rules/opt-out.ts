import type { Channel } from '../../../domain/channels/index.ts';
import { type Identity, isStrong } from '../../../domain/people/choose-contact.ts';
import type { Draft } from '../../intake/draft.ts';
import { usableOf } from '../../intake/found.ts';
import { identitiesOf } from '../../intake/source.ts';
import type { KnownConsent } from '../../intake/world.ts';
import type { EventOf } from '../effect.ts';
import { resolveContact } from './persons.ts';
import { suppress } from './suppressions.ts';

/**
 * Apply an opt-out to the people whom it names. Even one that changes nothing covers the running calls of everybody whom it reaches.
 * @param wording - the person's own words, where there are any
 */
export function optOut(draft: Draft, event: EventOf<'contact.opted_out'>, wording: string | null = null): void {
  const given = identitiesOf(draft.context.source, event.person);
  const identities = usableOf(draft.found, given);
  const numberOnly = closesNumberOnly(draft, identities, event);
  // No contact is made for a number that is a placeholder or that too many people have.
  const contact = numberOnly || identities.length === 0 ? null : resolveContact(draft, identities);
  const own = contact === null ? [] : [contact.contactId];
  optOutPersons(draft, {
    channel: event.channel,
    final: event.final,
    source: event.source,
    basis: event.basis,
    occurredAtMs: event.occurredAtMs,
    wording,
    identities: given,
    personIds: numberOnly ? [] : draft.personsOf([...draft.found.named, ...own]),
    reachedPersonIds: draft.personsOf([...draft.found.reached, ...own]),
    numberOnly,
    ...(event.dnd === undefined ? {} : { dnd: event.dnd }),
  });
}

/**
 * Whether an opt-out is about a number that several share: it closes the number for everyone's texts and calls, and nobody's email. One
 * that names all channels, or is final, means each of them.
 */
function closesNumberOnly(draft: Draft, identities: readonly Identity[], { channel, final, source }: EventOf<'contact.opted_out'>): boolean {
  if (identities.some(isStrong) || draft.found.named.length < 2) return false;
  return source === 'reply' || (!final && channel !== null);
}

export interface OptOut {
  /** null: all channels. */
  channel: Channel | null;
  final: boolean;
  source: string;
  basis: 'person' | 'record';
  occurredAtMs: number;
  /** The person's own words; absent or null: there are none. */
  wording?: string | null;
  /** The identities named, whether or not anybody has them now. */
  identities: readonly Identity[];
  /** Who opts out. */
  personIds: string[];
  /** They, and those who share an address with them: for the others only that address is blocked. */
  reachedPersonIds: string[];
  /** Only the number is closed, and no enrollment ends. */
  numberOnly?: boolean;
  /** A switch of the CRM: no statement of anybody's. */
  dnd?: true;
}

/** Block marketing on a channel (all channels where the tenant says so, which is the default; rule 13), and end the open enrollments. */
export function optOutPersons(draft: Draft, said: OptOut): void {
  const { personIds, reachedPersonIds, numberOnly = false, basis, occurredAtMs: sinceMs, source } = said;
  draft.coverPersons(reachedPersonIds);
  const contactIds = draft.contactsOf(personIds).map((c) => c.id);
  // A switch that is closed stays closed, whatever was said before or after.
  const record = basis === 'record' && said.dnd !== true ? draft.consentsOf(contactIds) : [];
  if (isTakenBack(record, said)) return;
  const everywhere = said.final || said.channel === null || (draft.context.tenant.settings.optOutAllChannels && !numberOnly);
  const channel = everywhere ? 'all' : (said.channel ?? 'all');
  suppress(draft, [...said.identities, ...draft.identitiesOf(personIds)], {
    channel,
    reason: said.final ? 'complaint' : 'opted_out',
    basis,
    sinceMs,
  });
  // A shop repeats its record with every order: one statement of it is enough.
  const isKnown = record.some((s) => s.basis === 'record' && s.state === 'denied' && s.channel === channel && s.atMs >= sinceMs);
  for (const contactId of isKnown || said.dnd === true ? [] : personIds) {
    draft.stateConsent({ contactId, channel, state: 'denied', basis, atMs: sinceMs, source, wording: said.wording ?? null });
  }
  if (said.final) for (const id of contactIds) draft.moveLifecycle(id, 'closed');
  if (!everywhere || numberOnly) return;
  draft.end(
    draft.openEnrollmentsOf(reachedPersonIds).map((enrollment) => enrollment.id),
    'opted_out',
  );
}

/** A no on record that the person has taken back themselves since then no longer counts. */
function isTakenBack(statements: readonly KnownConsent[], { channel, occurredAtMs }: OptOut): boolean {
  return statements.some(
    (s) => s.state === 'granted' && s.basis === 'person' && s.atMs > occurredAtMs && (channel === null || s.channel === channel),
  );
}
