import type { StoredRow } from '../../db/row-of.ts';
import type { LiveClaim } from '../lease-watch.ts';
import { type KnownPeople, parsePeople, type StoredPeople } from './known-people.ts';
import { instant, maybe, text } from './stored-rows.ts';

/**
 * Everything that the rules of a purchase ask, as it stood under the locks: everybody whom it reaches. Oldest first in every list. Times
 * in epoch milliseconds, UTC.
 */
export interface OrderWorld extends KnownPeople {
  /** The carts that the order's keys find. */
  subjects: { id: string; contactId: string | null }[];
  /** Sequences about one of these carts that came to their end. */
  completed: { id: string; subjectId: string }[];
  /** What runs for these persons. `startedAt`: when its cart was begun. */
  open: { id: string; subjectId: string; activatedAt: number | null; startedAt: number }[];
  /** The calls to any of these persons that may be running. */
  claims: LiveClaim[];
}

/** The world as the database's `read_order` writes it. */
export interface StoredOrderWorld extends StoredPeople {
  subjects: StoredRow[];
  completed: StoredRow[];
  open: StoredRow[];
  claims: LiveClaim[];
}

/** The same in the shapes of the domain. */
export function parseOrderWorld(stored: StoredOrderWorld): OrderWorld {
  return {
    ...parsePeople(stored),
    subjects: stored.subjects.map((row) => ({ id: text(row, 'id'), contactId: maybe<string>(row, 'contact_id') })),
    completed: stored.completed.map((row) => ({ id: text(row, 'id'), subjectId: text(row, 'subject_id') })),
    open: stored.open.map((row) => ({
      id: text(row, 'id'),
      subjectId: text(row, 'subject_id'),
      activatedAt: instant(row, 'activated_at'),
      startedAt: Date.parse(text(row, 'started_at')),
    })),
    claims: stored.claims,
  };
}
