import type { DomainEvent } from '../../domain/events.ts';
import type { StoreContext } from '../port.ts';
import { type Fields, type Notes, readFields } from '../read/notes.ts';
import type { Occurred } from '../read/understood.ts';

/** One event while it is read. */
export interface Reading {
  /** `data` of the body. */
  data: Fields;
  notes: Notes;
  store: StoreContext;
  /** When it happened. */
  occurred: Occurred;
}

/** The events in a body; none: it names nobody and nothing. */
export type Read = (reading: Reading) => DomainEvent[];

/** An object inside of `data`; one that is missing or unreadable has no fields. */
export function within({ data, notes }: Reading, field: string): Fields {
  return readFields(data[field], `data.${field}`, notes) ?? {};
}
