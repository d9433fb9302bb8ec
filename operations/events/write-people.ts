import { v7 as uuidv7 } from 'uuid';
import type { ConsentStatement } from '../../domain/people/consent.ts';
import type { ContactDetails } from '../../domain/people/fold-details.ts';
import type { EventSource, Identity, ScopedKey } from './identities.ts';
import { iso } from './stored-rows.ts';

/** What an event tells about a contact, as the database's `write_people_2` takes it. What is null or empty is left as it stands. */
export interface PeopleWrites {
  /** The contact that the event speaks of: one that is made now, with its identities, or one that is known. */
  owner: {
    id: string;
    details: ContactDetails;
    lifecycle: string;
    fresh: { identities: Identity[]; lastSeenAt: number | null; lastOrderAt: number | null } | null;
    /** Signs of life, where the contact stands for its person; the later one counts. */
    lastSeenAt?: number;
    lastOrderAt?: number;
  } | null;
  consents: (ConsentStatement & { contactId: string; channel: string })[];
}

export function peopleRows(source: EventSource, { owner, consents }: PeopleWrites): Record<string, unknown> {
  return {
    ...(owner === null ? {} : { [owner.fresh === null ? 'contact' : 'new_contact']: contactRow(owner) }),
    ...some('identities', owner?.fresh?.identities.map((i) => ({ id: uuidv7(), ...i })) ?? []),
    ...some(
      'consents',
      consents.map((c) => ({
        id: uuidv7(),
        contact_id: c.contactId,
        channel: c.channel,
        state: c.state,
        basis: c.basis,
        source: `${c.basis === 'record' ? 'record' : 'connection'}:${source.connectionId}`,
        occurred_at: iso(c.atMs),
      })),
    ),
  };
}

export function keyRows(subjectId: string, keys: readonly ScopedKey[]): Record<string, unknown>[] {
  return keys.map((k) => ({ id: uuidv7(), subject_id: subjectId, connection_id: k.connectionId, kind: k.kind, value: k.value }));
}

/** Nothing to write is not mentioned. */
export const some = (name: string, rows: unknown[]) => (rows.length === 0 ? {} : { [name]: rows });

function contactRow({ id, lifecycle, details: d, fresh, ...seen }: NonNullable<PeopleWrites['owner']>) {
  const at = (ms: number | null | undefined) => (ms == null ? null : iso(ms));
  return {
    id,
    lifecycle,
    first_name: d.firstName,
    last_name: d.lastName,
    locale: d.locale,
    time_zone: d.timeZone,
    country: d.country,
    region: d.region,
    order_count: d.orderCount,
    lifetime_value_minor: d.lifetimeValueMinor,
    details_at: at(d.detailsAt),
    last_seen_at: at(fresh === null ? seen.lastSeenAt : fresh.lastSeenAt),
    last_order_at: at(fresh === null ? seen.lastOrderAt : fresh.lastOrderAt),
  };
}
