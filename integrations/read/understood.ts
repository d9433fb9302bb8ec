import { createHash } from 'node:crypto';
import type { DomainEvent, PersonRef, SubjectKey } from '../../domain/events.ts';
import type { EpochMs } from '../../domain/sequence/plan.ts';
import type { Normalised } from '../port.ts';
import type { Instant } from './instant.ts';
import { type Notes, note, sentenceOf } from './notes.ts';
import { namesSomebody } from './person.ts';

/** The events in a body; none where it names nobody and nothing. */
export function understood(topic: string, events: readonly DomainEvent[], notes: Notes, mayBeStop: boolean): Normalised {
  if (events.length > 0) return { kind: 'events', topic, events: [...events], notes };
  if (notes.length === 0) note(notes, 'body', 'names nobody and nothing');
  return { kind: 'unreadable', topic, reason: sentenceOf(notes), fields: notes, mayBeStop };
}

/** When an event happened: the flag as its type wants it. */
export type Occurred = { occurredAtMs: EpochMs; toTheSecond?: true };

const toleranceMs = 5 * 60_000;

/**
 * The time of an event. Events are folded by these, so a clock that runs ahead must not silence everything that follows: never later than
 * the arrival.
 * @param stated - null: the event has no readable time
 * @param path - the field of the time, for the note; null: the event has no such field and happened when it arrived
 */
export function occurredAt(stated: Instant | null, path: string | null, notes: Notes, receivedAtMs: EpochMs): Occurred {
  if (stated === null) {
    if (path !== null) note(notes, path, 'is not known: the time of arrival is taken');
    return { occurredAtMs: receivedAtMs };
  }
  if (stated.ms > receivedAtMs) {
    if (stated.ms > receivedAtMs + toleranceMs) note(notes, path ?? 'time', 'lies in the future: the time of arrival is taken');
    return { occurredAtMs: receivedAtMs };
  }
  return { occurredAtMs: stated.ms, ...(stated.toTheSecond ? { toTheSecond: true } : {}) };
}

/**
 * The keys of a cart. A cart without a key is its shopper's only one: such a source keeps one cart for each customer.
 * @returns none where the event names nobody and nothing
 */
export function cartKeys(keys: readonly SubjectKey[], person: PersonRef, path: string, notes: Notes): SubjectKey[] {
  if (keys.length > 0 || !namesSomebody(person)) return [...keys];
  note(notes, path, "is missing: taken as the shopper's only cart");
  const shopper = person.externalId ?? person.email ?? person.phone ?? '';
  return [{ kind: 'cart_of', value: createHash('sha256').update(shopper).digest('hex') }];
}
