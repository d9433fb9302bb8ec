import type { Tx } from '../../db/client.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { effectOf } from '../effects/index.ts';
import { contactsByIdentity, subjectKeysOf } from './found.ts';
import { type EventSource, namedBy } from './source.ts';

/** An event and how its connection's raw fields are read. */
export interface Sourced {
  source: EventSource;
  event: DomainEvent;
}

/**
 * Which of these events must be answered like a stop, because they are one or may bring one along: such an event makes one person of several,
 * tells a person's further address, moves a subject to somebody else, or makes one subject of two. Read without locks, for all at once.
 * @returns one answer for each, in their order
 */
export async function mayCarryStops(tx: Tx, events: readonly Sourced[]): Promise<boolean[]> {
  const open = events.map(({ source, event }) => (effectOf(event).stops === 'when_it_merges' ? namedBy(source, event) : null));
  const identities = open.flatMap((names) => names?.identities ?? []);
  const keys = open.flatMap((names) => names?.keys ?? []);
  const known = await contactsByIdentity(tx, identities);
  const matched = await subjectKeysOf(tx, keys);
  return events.map(({ event }, index) => {
    const names = open[index] ?? null;
    if (names === null) return effectOf(event).stops === 'always';
    const holders = known.filter((k) => names.identities.some((i) => i.kind === k.kind && i.value === k.value));
    const subjects = matched.filter((m) => names.keys.some((k) => k.connectionId === m.connectionId && k.kind === m.kind && k.value === m.value));
    const persons = new Set([...holders, ...subjects].flatMap((found) => found.personId ?? []));
    const tellsNews = persons.size > 0 && names.identities.some((i) => !holders.some((k) => k.kind === i.kind && k.value === i.value));
    return new Set(subjects.map((s) => s.id)).size > 1 || persons.size > 1 || tellsNews;
  });
}
