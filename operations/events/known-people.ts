import type { StoredRow } from '../../db/row-of.ts';
import type { HeldIdentity } from '../../domain/people/choose-contact.ts';
import type { ConsentStatement } from '../../domain/people/consent.ts';
import type { ContactDetails } from '../../domain/people/fold-details.ts';
import { instant, maybe, text } from './stored-rows.ts';

/** What is known about some persons, as it stood under their locks. Oldest first in every list. Times in epoch milliseconds, UTC. */
export interface KnownPeople {
  contacts: KnownContact[];
  identities: HeldIdentity[];
  /** The latest statement of each kind, by contact and channel. */
  consents: (ConsentStatement & { contactId: string; channel: string })[];
}

export interface KnownContact {
  id: string;
  personId: string;
  lifecycle: string;
  lastOrderAt: number | null;
  lastSeenAt: number | null;
  details: ContactDetails;
}

/** The same as the database's `read_people_2` writes it. */
export interface StoredPeople {
  contacts: StoredRow[];
  identities: StoredRow[];
  consents: StoredRow[];
}

export function parsePeople(stored: StoredPeople): KnownPeople {
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
      basis: row['basis'] as ConsentStatement['basis'],
      atMs: Date.parse(text(row, 'latest_at')),
    })),
  };
}
