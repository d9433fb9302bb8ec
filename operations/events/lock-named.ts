import { callFunction, type Tx } from '../../db/client.ts';
import type { SubjectKey } from '../../domain/events.ts';
import { type EventSource, type Identity, MovedError } from './identities.ts';

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

/** What names find: every list sorted. */
export interface Found {
  /** Persons of the identities, and owners of the matched subjects. */
  named: string[];
  /** The named and, for a stop, whoever shares an identity with them. */
  reached: string[];
  /** Ids of the subjects. */
  subjects: string[];
}

/** The names as the database's functions take them. */
export function asArguments(
  source: EventSource,
  { identities, keys, stops }: Names,
): [string | null, string[], string[], string[], string[], boolean] {
  return [
    source.connectionId === '' ? null : source.connectionId,
    identities.map((i) => i.kind),
    identities.map((i) => i.value),
    keys.map((k) => k.kind),
    keys.map((k) => k.value),
    stops,
  ];
}

/**
 * Take the locks of an event in the order of design section 7: identities and subject keys sorted, then persons by id; resolve again
 * under the locks.
 * @throws MovedError when the second look differs from the first: the transaction starts over, with the larger set
 */
export async function lockNamed(tx: Tx, source: EventSource, names: Names): Promise<Found> {
  const values = [...asArguments(source, names), names.contactIds ?? [], names.bystanderIds ?? []];
  const found = await callFunction<Found | null>(tx, 'lock_named($1, $2, $3, $4, $5, $6, $7, $8)', values);
  if (found === null) throw new MovedError();
  return found;
}

/** The persons and subjects that these names find now. Takes no locks. */
export function findNamed(tx: Tx, source: EventSource, names: Names): Promise<Found> {
  const values = [...asArguments(source, names), names.contactIds ?? [], names.bystanderIds ?? []];
  return callFunction(tx, 'find_named($1, $2, $3, $4, $5, $6, $7, $8)', values);
}
