import type { ConsentStatement } from '../../domain/people/consent.ts';
import type { HeldIdentity } from '../../domain/people/choose-contact.ts';
import type { CartContent } from '../../domain/fold-cart.ts';
import type { ContactDetails } from '../../domain/people/fold-details.ts';
import type { StopReason } from '../../domain/sequence/plan.ts';

/** Everything that the rules of a cart ask, as it stood under the locks. Oldest first in every list. Times in epoch milliseconds, UTC. */
export interface CartWorld {
  /** Contacts of the persons whom the event names, and of the cart's owner. */
  contacts: KnownContact[];
  identities: HeldIdentity[];
  /** When each of them said what about a channel last. */
  consents: (ConsentStatement & { contactId: string; channel: string })[];
  /** The carts that the event's keys find. */
  subjects: KnownCart[];
  /** Every run of a sequence about one of them, ended ones too. */
  enrollments: KnownRun[];
  /** Active sequences, each with its current version. */
  sequences: { id: string; versionId: string }[];
  /** Hashes of the event's identities to which all marketing is closed. */
  suppressed: string[];
}

export interface KnownContact {
  id: string;
  personId: string;
  lifecycle: string;
  lastOrderAt: number | null;
  lastSeenAt: number | null;
  details: ContactDetails;
}

export interface KnownCart extends CartContent {
  id: string;
  contactId: string | null;
  state: 'open' | 'converted' | 'gone';
}

interface KnownRun {
  id: string;
  subjectId: string;
  sequenceId: string;
  activatedAt: number | null;
  endedAt: number | null;
  stopReason: StopReason | null;
}

/** The world as the database's `read_cart` writes it: rows in JSON, times as ISO 8601. */
export interface StoredWorld {
  contacts: Row[];
  identities: Row[];
  consents: Row[];
  subjects: Row[];
  enrollments: Row[];
  sequences: Row[];
  suppressed: string[];
}
type Row = Record<string, unknown>;

/** The same in the shapes of the domain. */
export function parseWorld(stored: StoredWorld): CartWorld {
  return {
    contacts: stored.contacts.map((row) => ({
      id: text(row, 'id'),
      personId: text(row, 'person_id'),
      lifecycle: text(row, 'lifecycle'),
      lastOrderAt: instant(row, 'last_order_at'),
      lastSeenAt: instant(row, 'last_seen_at'),
      details: {
        firstName: maybe<string>(row, 'first_name'),
        lastName: maybe<string>(row, 'last_name'),
        locale: maybe<string>(row, 'locale'),
        timeZone: maybe<string>(row, 'time_zone'),
        country: maybe<string>(row, 'country'),
        region: maybe<string>(row, 'region'),
        orderCount: maybe<number>(row, 'order_count'),
        lifetimeValueMinor: maybe<number>(row, 'lifetime_value_minor'),
        detailsAt: instant(row, 'details_at'),
      },
    })),
    identities: stored.identities.map((row) => ({
      contactId: text(row, 'contact_id'),
      personId: text(row, 'person_id'),
      kind: text(row, 'kind'),
      value: text(row, 'value'),
    })),
    consents: stored.consents.map((row) => ({
      contactId: text(row, 'contact_id'),
      channel: text(row, 'channel'),
      state: row['state'] as ConsentStatement['state'],
      atMs: Date.parse(text(row, 'latest_at')),
    })),
    subjects: stored.subjects.map((row) => ({
      id: text(row, 'id'),
      contactId: maybe<string>(row, 'contact_id'),
      state: row['state'] as KnownCart['state'],
      currency: text(row, 'currency'),
      totalMinor: row['total_minor'] as number,
      items: row['items'] as KnownCart['items'],
      restoreUrl: maybe<string>(row, 'restore_url'),
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
    sequences: stored.sequences.map((row) => ({ id: text(row, 'id'), versionId: text(row, 'version_id') })),
    suppressed: stored.suppressed,
  };
}

// The boundary to rows that our own function wrote from our own columns.
const text = (row: Row, column: string) => row[column] as string;
const maybe = <T>(row: Row, column: string) => (row[column] ?? null) as T | null;
const instant = (row: Row, column: string) => (row[column] == null ? null : Date.parse(text(row, column)));
