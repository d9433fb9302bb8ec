import { and, asc, eq, inArray, or } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { contactIdentities, contacts, subjectKeys, subjects } from '../../db/schema/index.ts';
import type { DomainEvent, PersonRef, SubjectKey } from '../../domain/events.ts';
import type { Identity } from '../../domain/people/choose-contact.ts';
import { normaliseEmail, normalisePhone } from '../../domain/people/identity.ts';

export type { Identity } from '../../domain/people/choose-contact.ts';

/** What decides how an event's raw fields are read. */
export interface EventSource {
  tenantId: string;
  connectionId: string;
  /** ISO 3166-1 alpha-2, for phone numbers without a country code. */
  country: string;
}

/** The identities that a reference names; fields that cannot be an address or a number are left out. */
export function identitiesOf(source: EventSource, ref: PersonRef): Identity[] {
  const email = ref.email === null ? null : normaliseEmail(ref.email);
  const phone = ref.phone === null ? null : normalisePhone(ref.phone, source.country);
  return [
    ...(ref.externalId === null ? [] : [{ kind: `external:${source.connectionId}`, value: ref.externalId }]),
    ...(email === null ? [] : [{ kind: 'email', value: email }]),
    ...(phone === null ? [] : [{ kind: 'phone', value: phone }]),
  ];
}

/** Who and what an event is about, before anything is looked up. */
export function namedBy(source: EventSource, event: DomainEvent): { identities: Identity[]; keys: SubjectKey[] } {
  const identities = 'person' in event && event.person !== null ? identitiesOf(source, event.person) : [];
  return { identities, keys: 'keys' in event ? event.keys : [] };
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
export async function subjectsByKey(tx: Tx, source: EventSource, keys: SubjectKey[]) {
  if (keys.length === 0) return [];
  return tx
    .selectDistinct({ id: subjects.id, contactId: subjects.contactId, state: subjects.state, personId: contacts.personId })
    .from(subjectKeys)
    .innerJoin(subjects, and(eq(subjects.tenantId, subjectKeys.tenantId), eq(subjects.id, subjectKeys.subjectId)))
    .leftJoin(contacts, and(eq(contacts.tenantId, subjects.tenantId), eq(contacts.id, subjects.contactId)))
    .where(
      and(
        eq(subjectKeys.connectionId, source.connectionId),
        or(...keys.map((k) => and(eq(subjectKeys.kind, k.kind), eq(subjectKeys.value, k.value)))),
      ),
    )
    .orderBy(asc(subjects.id));
}
