import type { Tx } from '../../db/client.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { effectOf } from '../effects/index.ts';
import { contactsByIdentity, subjectsByKey } from './found.ts';
import { type EventSource, namedBy } from './source.ts';

/**
 * Whether an event must be answered like a stop, because it is one or may bring one along: it merges persons or subjects, adds an address to a
 * person, or moves a subject to another person. Read without locks.
 */
export async function mayCarryStop(tx: Tx, source: EventSource, event: DomainEvent): Promise<boolean> {
  const { stops } = effectOf(event);
  if (stops !== 'when_it_merges') return stops === 'always';
  const { identities, keys } = namedBy(source, event);
  const known = await contactsByIdentity(tx, identities);
  const matched = await subjectsByKey(tx, keys);
  const persons = new Set([...known, ...matched].flatMap((found) => found.personId ?? []));
  const tellsNews = persons.size > 0 && identities.some((i) => !known.some((k) => k.kind === i.kind && k.value === i.value));
  return matched.length > 1 || persons.size > 1 || tellsNews;
}
