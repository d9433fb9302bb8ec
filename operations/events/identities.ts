import { and, asc, eq, inArray, or } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { contactIdentities, contacts, subjectKeys, subjects } from '../../db/schema/index.ts';
import type { DomainEvent, PersonRef, SubjectKey } from '../../domain/events.ts';
import type { Identity } from '../../domain/people/choose-contact.ts';
import { normaliseEmail, normalisePhone } from '../../domain/people/identity.ts';
import { placeholderReason } from '../../domain/people/placeholder.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';

export type { Identity } from '../../domain/people/choose-contact.ts';

/** What decides how an event's raw fields are read. */
export interface EventSource {
  tenantId: string;
  connectionId: string;
  /** ISO 3166-1 alpha-2, for phone numbers without a country code. */
  country: string;
  /** The store's own addresses, normalised: they name no shopper. */
  ownAddresses: string[];
  /** Kinds of keys that several connections of the store share (`sharedKeys` of the tenant's settings). */
  sharedKeys: TenantSettings['sharedKeys'];
}

/** A subject's key and the connection in whose names it is unique. */
export interface ScopedKey extends SubjectKey {
  connectionId: string;
}

/** The identities that a reference names. What cannot be an address or a number is left out, and so is what shops write where nobody is meant. */
export function identitiesOf(source: EventSource, ref: PersonRef): Identity[] {
  const email = ref.email === null ? null : normaliseEmail(ref.email);
  const phone = ref.phone === null ? null : normalisePhone(ref.phone, source.country);
  const all = [
    ...(ref.externalId === null ? [] : [{ kind: `external:${source.connectionId}`, value: ref.externalId }]),
    ...(email === null ? [] : [{ kind: 'email', value: email }]),
    ...(phone === null ? [] : [{ kind: 'phone', value: phone }]),
  ];
  return all.filter(({ kind, value }) => placeholderReason(kind, value, { addresses: source.ownAddresses }) === null);
}

/** Who and what an event is about, before anything is looked up. */
export function namedBy(source: EventSource, event: DomainEvent): { identities: Identity[]; keys: ScopedKey[] } {
  const identities = 'person' in event && event.person !== null ? identitiesOf(source, event.person) : [];
  return { identities, keys: 'keys' in event ? keysOf(source, event.keys) : [] };
}

/** The kind under which a key is kept that several connections share. */
const sharedKind = 'shared';

/**
 * The keys of an event as the store has declared them: each belongs to its connection; one of a shared kind is known once more under a
 * name that all these connections have in common, so that the same cart told by two of them is one subject.
 */
export function keysOf(source: EventSource, keys: readonly SubjectKey[]): ScopedKey[] {
  const own = keys.map((key) => ({ ...key, connectionId: source.connectionId }));
  const shared = source.sharedKeys.flatMap(({ connections, kinds }) => {
    const [first] = [...connections].sort();
    if (first === undefined || !connections.includes(source.connectionId)) return [];
    return own.filter((key) => kinds.includes(key.kind)).map(({ value }) => ({ connectionId: first, kind: sharedKind, value }));
  });
  return [...own, ...shared.filter((key, at) => shared.findIndex((other) => other.value === key.value) === at)];
}

/** Thrown when persons or subjects moved while the locks were awaited: the transaction starts over. */
export class MovedError extends Error {
  constructor() {
    super('persons moved while their locks were awaited');
    this.name = 'MovedError';
  }
}

/** Contacts that carry any of the identities, oldest first, with the identity that found them. */
export async function contactsByIdentity(tx: Tx, identities: Identity[]) {
  // An empty `or` is no condition at all: it would find everybody.
  if (identities.length === 0) return [];
  return tx
    .select({ contactId: contacts.id, personId: contacts.personId, kind: contactIdentities.kind, value: contactIdentities.value })
    .from(contactIdentities)
    .innerJoin(contacts, and(eq(contacts.tenantId, contactIdentities.tenantId), eq(contacts.id, contactIdentities.contactId)))
    .where(or(...identities.map((i) => and(eq(contactIdentities.kind, i.kind), eq(contactIdentities.value, i.value)))))
    .orderBy(asc(contacts.id));
}

/** The persons whom these contacts belong to, sorted. */
export async function personsOf(tx: Tx, contactIds: string[]): Promise<string[]> {
  if (contactIds.length === 0) return [];
  const rows = await tx.selectDistinct({ personId: contacts.personId }).from(contacts).where(inArray(contacts.id, contactIds));
  return rows.map((r) => r.personId).sort();
}

/** Subjects that any of the keys names, oldest first, with their owner's person. */
export async function subjectsByKey(tx: Tx, keys: readonly ScopedKey[]) {
  if (keys.length === 0) return [];
  return tx
    .selectDistinct({ id: subjects.id, contactId: subjects.contactId, state: subjects.state, personId: contacts.personId })
    .from(subjectKeys)
    .innerJoin(subjects, and(eq(subjects.tenantId, subjectKeys.tenantId), eq(subjects.id, subjectKeys.subjectId)))
    .leftJoin(contacts, and(eq(contacts.tenantId, subjects.tenantId), eq(contacts.id, subjects.contactId)))
    .where(or(...keys.map((k) => and(eq(subjectKeys.connectionId, k.connectionId), eq(subjectKeys.kind, k.kind), eq(subjectKeys.value, k.value)))))
    .orderBy(asc(subjects.id));
}
