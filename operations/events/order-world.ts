import type { StoredRow } from '../../db/row-of.ts';
import type { LineItem } from '../../domain/events.ts';
import type { LiveClaim } from '../lease-watch.ts';
import { type KnownPeople, parsePeople, type StoredPeople } from './known-people.ts';
import { instant, maybe, text } from './stored-rows.ts';

/**
 * Everything that the rules of a purchase ask, as it stood under the locks: everybody whom it reaches. Oldest first in every list. Times
 * in epoch milliseconds, UTC.
 */
export interface OrderWorld extends KnownPeople {
  /** The carts that the order's keys find, what had these keys before, and the cart that a known order was about. */
  subjects: { id: string; contactId: string | null; startedAt: number; previousSubjectId: string | null; items: LineItem[] }[];
  /** The order itself, where it is known already. */
  order: { subjectId: string | null } | null;
  /** Sequences about one of these carts that came to their end, or gave way to a newer cart. */
  completed: { id: string; subjectId: string }[];
  /** What runs for these persons. `startedAt`: when its cart was begun. */
  open: { id: string; contactId: string; subjectId: string; activatedAt: number | null; startedAt: number; items: LineItem[] }[];
  /** The calls to any of these persons that may be running. */
  claims: (LiveClaim & { contact_id: string })[];
}

/** The world as the database's `read_order_2` writes it. */
export interface StoredOrderWorld extends StoredPeople {
  subjects: StoredRow[];
  completed: StoredRow[];
  open: StoredRow[];
  order: StoredRow | null;
  claims: (LiveClaim & { contact_id: string })[];
}

/** The same in the shapes of the domain. */
export function parseOrderWorld(stored: StoredOrderWorld): OrderWorld {
  return {
    ...parsePeople(stored),
    subjects: stored.subjects.map((row) => ({
      id: text(row, 'id'),
      contactId: maybe<string>(row, 'contact_id'),
      startedAt: Date.parse(text(row, 'started_at')),
      previousSubjectId: maybe<string>(row, 'previous_subject_id'),
      items: row['items'] as LineItem[],
    })),
    order: stored.order === null ? null : { subjectId: maybe<string>(stored.order, 'subject_id') },
    completed: stored.completed.map((row) => ({ id: text(row, 'id'), subjectId: text(row, 'subject_id') })),
    open: stored.open.map((row) => ({
      id: text(row, 'id'),
      subjectId: text(row, 'subject_id'),
      contactId: text(row, 'contact_id'),
      activatedAt: instant(row, 'activated_at'),
      items: row['items'] as LineItem[],
      startedAt: Date.parse(text(row, 'started_at')),
    })),
    claims: stored.claims,
  };
}
