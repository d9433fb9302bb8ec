import type { StoredRow } from '../../db/row-of.ts';
import type { CartOrigin, ProductRef } from '../../domain/events.ts';
import type { CartContent } from '../../domain/fold-cart.ts';
import type { StopReason } from '../../domain/sequence/plan.ts';
import { type KnownPeople, parsePeople, type StoredPeople } from './known-people.ts';
import { instant, maybe, text } from './stored-rows.ts';

/**
 * Everything that the rules of a cart ask, as it stood under the locks: the persons whom the event names, and the cart's owner. Oldest
 * first in every list. Times in epoch milliseconds, UTC.
 */
export interface CartWorld extends KnownPeople {
  /** The carts that the event's keys find. */
  subjects: KnownCart[];
  /** Every run of a sequence about one of them, ended ones too. */
  enrollments: KnownRun[];
  /** Active sequences, each with its current version. */
  sequences: { id: string; versionId: string }[];
  /** What else runs for these persons: one person is in one conversation per sequence. */
  rivals: Rival[];
  /** Hashes of the event's identities to which all marketing is closed. */
  suppressed: string[];
}

/** An open run about another cart of the same person. */
export interface Rival {
  id: string;
  personId: string;
  subjectId: string;
  sequenceId: string;
  activatedAt: number | null;
  /** Of its cart. */
  lastActivityAt: number;
}

export interface KnownCart extends CartContent {
  id: string;
  contactId: string | null;
  state: 'open' | 'converted' | 'gone';
  convertedAt: number | null;
  /** What its order named. */
  bought: ProductRef[] | null;
  /** When the cart that had its keys before was bought; null: there was none. */
  previousBoughtAt: number | null;
}

/** A cart as it is to be written: it has an owner by then. */
export type DecidedCart = Omit<KnownCart, 'bought' | 'convertedAt' | 'previousBoughtAt'> & { contactId: string };

interface KnownRun {
  id: string;
  subjectId: string;
  sequenceId: string;
  activatedAt: number | null;
  endedAt: number | null;
  stopReason: StopReason | null;
}

/** The world as the database's `read_cart_2` writes it. */
export interface StoredCartWorld extends StoredPeople {
  subjects: StoredRow[];
  enrollments: StoredRow[];
  rivals: StoredRow[];
  sequences: StoredRow[];
  suppressed: string[];
}

/** The same in the shapes of the domain. */
export function parseCartWorld(stored: StoredCartWorld): CartWorld {
  return {
    ...parsePeople(stored),
    subjects: stored.subjects.map((row) => ({
      id: text(row, 'id'),
      contactId: maybe<string>(row, 'contact_id'),
      state: row['state'] as KnownCart['state'],
      currency: maybe<string>(row, 'currency'),
      totalMinor: maybe<number>(row, 'total_minor'),
      items: row['items'] as KnownCart['items'],
      restoreUrl: maybe<string>(row, 'restore_url'),
      email: maybe<string>(row, 'email'),
      emailAt: instant(row, 'email_at'),
      phone: maybe<string>(row, 'phone'),
      phoneAt: instant(row, 'phone_at'),
      origin: maybe<CartOrigin>(row, 'origin'),
      convertedAt: instant(row, 'converted_at'),
      bought: maybe<ProductRef[]>(row, 'bought'),
      previousBoughtAt: instant(row, 'previous_bought_at'),
      startedAt: Date.parse(text(row, 'started_at')),
      lastActivityAt: Date.parse(text(row, 'last_activity_at')),
    })),
    enrollments: stored.enrollments.map((row) => ({
      id: text(row, 'id'),
      subjectId: text(row, 'subject_id'),
      sequenceId: text(row, 'sequence_id'),
      activatedAt: instant(row, 'activated_at'),
      endedAt: instant(row, 'ended_at'),
      stopReason: maybe<StopReason>(row, 'stop_reason'),
    })),
    rivals: stored.rivals.map((row) => ({
      id: text(row, 'id'),
      personId: text(row, 'person_id'),
      subjectId: text(row, 'subject_id'),
      sequenceId: text(row, 'sequence_id'),
      activatedAt: instant(row, 'activated_at'),
      lastActivityAt: Date.parse(text(row, 'last_activity_at')),
    })),
    sequences: stored.sequences.map((row) => ({ id: text(row, 'id'), versionId: text(row, 'version_id') })),
    suppressed: stored.suppressed,
  };
}
