import { createHash } from 'node:crypto';
import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Tx } from '../../db/client.ts';
import { contactIdentities, contacts, enrollments } from '../../db/schema/index.ts';
import type { SubjectKey } from '../../domain/events.ts';
import { contactsByIdentity, type EventSource, type Identity, MovedError, personsOf, subjectsByKey } from './identities.ts';

/** Whom something is about, and how far it goes. */
export interface Names {
  identities: Identity[];
  keys: SubjectKey[];
  /** A stop reaches every contact that shares any identity with the persons named (design, section 4, rule 10). */
  stops: boolean;
  /** Contacts that are named as such. */
  contactIds?: string[];
  /** Contacts that are not reached, but whose persons must stand still meanwhile. */
  bystanderIds?: string[];
}

export interface Found {
  /** Persons of the identities, and owners of the matched subjects. */
  namedPersonIds: string[];
  /** The named and, for a stop, whoever shares an identity with them. */
  reachedPersonIds: string[];
  lockedPersonIds: string[];
  subjectIds: string[];
  /** Identities of the named persons, over which a stop reaches others. */
  shared: Identity[];
}

/**
 * Take the locks of an event in the order of design section 7: identities and subject keys sorted, then persons by id; resolve again
 * under the locks.
 * @throws MovedError when the second look differs from the first: the transaction starts over, with the larger set
 */
export async function lockNamed(tx: Tx, source: EventSource, names: Names): Promise<Found> {
  // Over which further identities a stop reaches others has to be known before the locks, which are taken in one sorted go.
  const glimpse = names.stops ? await findNamed(tx, source, names) : null;
  await lockNames(tx, source, names, glimpse?.shared ?? []);
  const before = glimpse ?? (await findNamed(tx, source, names));
  if (before.lockedPersonIds.length > 0) {
    await tx
      .select({ id: contacts.id })
      .from(contacts)
      .where(inArray(contacts.id, before.lockedPersonIds))
      .orderBy(asc(contacts.id))
      .for('no key update');
  } else if (glimpse === null) return before;
  const after = await findNamed(tx, source, names);
  if (JSON.stringify(after) !== JSON.stringify(before)) throw new MovedError();
  return after;
}

// An address that a shop puts into thousands of customers' records must not use up the server's lock table. Beyond this number only
// what the event itself names is locked by name; all the persons' rows still are.
const maxSharedLocks = 500;

async function lockNames(tx: Tx, source: EventSource, { identities, keys }: Names, shared: Identity[]): Promise<void> {
  const persons = shared.length > maxSharedLocks ? identities : [...identities, ...shared];
  const names = [
    ...persons.map((i) => `${source.tenantId} person ${i.kind} ${i.value}`),
    ...keys.map((k) => `${source.tenantId} subject ${source.connectionId} ${k.kind} ${k.value}`),
  ];
  const locks = [...new Set(names.map(lockKey))];
  if (locks.length === 0) return;
  await tx.execute(sql`select pg_advisory_xact_lock(k) from (select k from unnest(${sql.param(locks)}::bigint[]) as k order by k) as sorted`);
}

const lockKey = (text: string) => createHash('sha256').update(text).digest().readBigInt64BE(0).toString();

/** The persons and subjects that these names find now; every list sorted. */
export async function findNamed(tx: Tx, source: EventSource, names: Names): Promise<Found> {
  const byIdentity = await contactsByIdentity(tx, names.identities);
  const matched = await subjectsByKey(tx, source, names.keys);
  const subjectIds = matched.map((s) => s.id).sort();
  const named = new Set([...byIdentity.map((c) => c.personId), ...matched.flatMap((s) => (s.personId === null ? [] : [s.personId]))]);
  for (const personId of await personsOf(tx, names.contactIds ?? [])) named.add(personId);
  if (names.stops) for (const personId of await ownersOfEnrollments(tx, subjectIds)) named.add(personId);
  const sharing = names.stops ? await whoSharesIdentities(tx, [...named]) : [];
  const reached = new Set([...named, ...sharing.map((s) => s.personId)]);
  const locked = new Set([...reached, ...(await personsOf(tx, names.bystanderIds ?? []))]);
  const shared = new Map(sharing.map(({ kind, value }) => [`${kind} ${value}`, { kind, value }]));
  return {
    namedPersonIds: [...named].sort(),
    reachedPersonIds: [...reached].sort(),
    lockedPersonIds: [...locked].sort(),
    subjectIds,
    shared: [...shared.keys()].sort().flatMap((key) => shared.get(key) ?? []),
  };
}

/** Whose sequences run or ran about these subjects: a cart may have changed hands since. */
async function ownersOfEnrollments(tx: Tx, subjectIds: string[]): Promise<string[]> {
  if (subjectIds.length === 0) return [];
  const rows = await tx
    .selectDistinct({ personId: contacts.personId })
    .from(enrollments)
    .innerJoin(contacts, and(eq(contacts.tenantId, enrollments.tenantId), eq(contacts.id, enrollments.contactId)))
    .where(inArray(enrollments.subjectId, subjectIds));
  return rows.map((r) => r.personId);
}

/** Every identity of these persons, with everybody who has it: themselves, and others from whom verified ids keep them apart. */
async function whoSharesIdentities(tx: Tx, personIds: string[]) {
  if (personIds.length === 0) return [];
  const theirs = alias(contactIdentities, 'theirs');
  const holder = alias(contacts, 'holder');
  return tx
    .selectDistinct({ kind: theirs.kind, value: theirs.value, personId: holder.personId })
    .from(contacts)
    .innerJoin(theirs, and(eq(theirs.tenantId, contacts.tenantId), eq(theirs.contactId, contacts.id)))
    .innerJoin(
      contactIdentities,
      and(eq(contactIdentities.tenantId, theirs.tenantId), eq(contactIdentities.kind, theirs.kind), eq(contactIdentities.value, theirs.value)),
    )
    .innerJoin(holder, and(eq(holder.tenantId, contactIdentities.tenantId), eq(holder.id, contactIdentities.contactId)))
    .where(inArray(contacts.personId, personIds));
}
