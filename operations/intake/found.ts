import { callFunction, type Tx } from '../../db/client.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import type { Identity } from '../../domain/people/choose-contact.ts';
import type { ScopedKey } from './source.ts';

/** The people that an event is about, and how far it reaches. */
export interface Names {
  identities: readonly Identity[];
  keys: readonly ScopedKey[];
  /** A stop reaches every contact that shares an address or a verified id with the persons named (docs/rules.md#rule-10). */
  stops: boolean;
  /** Contacts that are named as such. */
  contactIds?: string[];
  /** Contacts that are not reached, but whose persons are locked as well. */
  bystanderIds?: string[];
}

/** What names find: every list sorted. */
export interface Found {
  /** Persons of the strong identities, or of the number where it is alone, and owners of the matched subjects. */
  named: string[];
  /** The named and, for a stop, whoever shares a strong identity with them. */
  reached: string[];
  /** Locked like these: persons who share nothing but the event's number. */
  near: string[];
  /** Identities of the event that too many persons are said to have: they name nobody. */
  crowded: (Identity & { holders: number })[];
  /** Ids of the subjects. */
  subjects: string[];
  /** Everybody whose row is locked; absent where nothing was locked by these names. */
  locked?: string[];
}

/** As the database's `most_holders()`: beyond this number of persons an identity names nobody. */
export const mostHolders = 5;

/** Thrown when persons or subjects moved while the locks were awaited: the transaction starts over. */
export class MovedError extends Error {
  constructor() {
    super('persons moved while their locks were awaited');
    this.name = 'MovedError';
  }
}

/**
 * Thrown where an event is about something that is not stored yet, such as the outcome of a call whose receipt came first: the event is stored and
 * applied later.
 */
export class NotYetError extends Error {
  constructor(what: string) {
    super(`not there yet: ${what}`);
    this.name = 'NotYetError';
  }
}

/** The names as the database's functions take them. */
export function asArguments({ identities, keys, stops }: Names): [string[], string[], string[], string[], string[], boolean] {
  return [
    identities.map((i) => i.kind),
    identities.map((i) => i.value),
    keys.map((k) => k.connectionId),
    keys.map((k) => k.kind),
    keys.map((k) => k.value),
    stops,
  ];
}

/**
 * Take the locks of an event: identities and subject keys sorted, then persons by id; resolve again under the locks.
 * @throws MovedError when the second result differs from the first: the transaction starts over, with the larger set
 */
export async function lockNamed(tx: Tx, names: Names): Promise<Found> {
  const values = [...asArguments(names), names.contactIds ?? [], names.bystanderIds ?? []];
  const found = await callFunction<Found | null>(tx, 'lock_named_2($1, $2, $3, $4, $5, $6, $7, $8)', values);
  if (found === null) throw new MovedError();
  return found;
}

/** The persons and subjects that these names find now. Takes no locks. */
export function findNamed(tx: Tx, names: Names): Promise<Found> {
  const values = [...asArguments(names), names.contactIds ?? [], names.bystanderIds ?? []];
  return callFunction(tx, 'find_named_2($1, $2, $3, $4, $5, $6, $7, $8)', values);
}

/** An event's identities without those that too many persons are said to have. */
export function usableOf(found: Pick<Found, 'crowded'>, identities: readonly Identity[]): Identity[] {
  return identities.filter((i) => !found.crowded.some((c) => c.kind === i.kind && c.value === i.value));
}

const fieldOf = (kind: string) => (kind.startsWith('external:') ? 'id' : kind);

/** Why an event's identity named nobody, for the delivery's notes. */
export function noteCrowded(crowded: Found['crowded']): FieldNote[] {
  return crowded.map(({ kind, holders }) => ({
    field: fieldOf(kind),
    reason: `at least ${holders} people are said to have it: it names nobody`,
  }));
}

/** A contact that carries an identity, with the identity that found it. */
export interface Holder extends Identity {
  contactId: string;
  personId: string;
}

// One statement whatever the number, as `find_named_2` reads them: lists of every length would each be planned and kept.

/** Contacts that carry any of the identities, oldest first. */
export async function contactsByIdentity(tx: Tx, identities: readonly Identity[]): Promise<Holder[]> {
  if (identities.length === 0) return [];
  const { rows } = await tx.$client.query<Holder>({
    text: `select c.id as "contactId", c.person_id as "personId", k.kind, k.value
      from unnest($1::text[], $2::text[]) as k(kind, value)
        cross join lateral (select i.contact_id from contact_identities i where i.kind = k.kind and i.value = k.value offset 0) held
        cross join lateral (select p.id, p.person_id from contacts p where p.id = held.contact_id offset 0) c
      order by c.id`,
    values: [identities.map((i) => i.kind), identities.map((i) => i.value)],
  });
  return rows;
}

/** The subjects that the keys name, with the key that found them and their owner's person. */
export async function subjectKeysOf(tx: Tx, keys: readonly ScopedKey[]): Promise<(ScopedKey & { id: string; personId: string | null })[]> {
  if (keys.length === 0) return [];
  const { rows } = await tx.$client.query<ScopedKey & { id: string; personId: string | null }>({
    text: `select k.connection as "connectionId", k.kind, k.value, s.id, c.person_id as "personId"
      from unnest($1::uuid[], $2::text[], $3::text[]) as k(connection, kind, value)
        cross join lateral (
          select sk.subject_id as id from subject_keys sk
          where sk.connection_id = k.connection and sk.kind = k.kind and sk.value = k.value offset 0) s
        cross join lateral (select o.contact_id from subjects o where o.id = s.id offset 0) owner
        left join lateral (select p.person_id from contacts p where p.id = owner.contact_id offset 0) c on true`,
    values: [keys.map((k) => k.connectionId), keys.map((k) => k.kind), keys.map((k) => k.value)],
  });
  return rows;
}

/** Whether this is the key of a message of ours, `enrollment:step`: it is stored before the call, so that whatever names it finds its message at once. */
export const isSendKey = (key: string | undefined): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:./.test(key ?? '');
