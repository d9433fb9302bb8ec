import { sql } from 'drizzle-orm';
import { bigint, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { lifecycles } from '../../domain/people/lifecycle.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/**
 * A contact; `person_id` names the contact that stands for the whole person after merges (itself, if never merged).
 * Locks are taken on the person's row; what a stop means for later merges is written there too.
 */
export const contacts = pgTable(
  'contacts',
  {
    tenantId: tenantId(),
    id: ownId(),
    personId: uuid('person_id').notNull(),
    lifecycle: text('lifecycle', { enum: lifecycles }).notNull().default('NEW'),
    firstName: text('first_name'),
    lastName: text('last_name'),
    locale: text('locale'),
    timeZone: text('time_zone'),
    country: text('country'),
    region: text('region'),
    orderCount: integer('order_count'),
    lifetimeValueMinor: bigint('lifetime_value_minor', { mode: 'number' }),
    lastOrderAt: instant('last_order_at'),
    lastReplyAt: instant('last_reply_at'),
    /** When they last wrote by WhatsApp: free text may be sent there for a day. */
    lastWhatsappAt: instant('last_whatsapp_at'),
    /** When a colleague last spoke with the person: a lead of theirs from before is not written to, whenever it arrives. */
    lastContactedAt: instant('last_contacted_at'),
    /** A person answers since then; null: nobody does. */
    takenOverAt: instant('taken_over_at'),
    /** When that ends by itself; null: when somebody releases it. */
    takenOverUntil: instant('taken_over_until'),
    /** Any sign of life on the site, by the provider's clock. */
    lastSeenAt: instant('last_seen_at'),
    /** Contacts that a merge was undone with, and that merge: they are not made one person again. */
    apart: jsonb('apart').$type<Record<string, string>>().notNull().default({}),
    /** Provider time of the newest details: older ones do not overwrite them. */
    detailsAt: instant('details_at'),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('contacts_person').on(t.tenantId, t.personId),
    index('contacts_last_name').on(t.tenantId, t.lastName, t.id),
    foreignKey({ columns: [t.tenantId, t.personId], foreignColumns: [t.tenantId, t.id], name: 'contacts_person_fk' }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'contacts_tenant' }),
    tenantPolicy(),
  ],
);

/**
 * Two persons who turned out to be one, with what the merge brought along: an undo takes these contacts out again. Written once; only the undo is
 * added (docs/rules.md#rule-30).
 */
export const contactMerges = pgTable(
  'contact_merges',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** The person that stayed. */
    keptContactId: uuid('kept_contact_id').notNull(),
    /** The person that became part of it. */
    mergedContactId: uuid('merged_contact_id').notNull(),
    /** `identity`: an event named identities of both. `subject`: an anonymous contact's subject turned out to be the other's. `hand`: a colleague said so. */
    broughtBy: text('brought_by', { enum: ['identity', 'subject', 'hand'] }).notNull(),
    /** The kinds of identities that the event named. */
    identityKinds: jsonb('identity_kinds').$type<string[]>().notNull().default([]),
    /** The delivery that brought it; null: it came without a webhook. */
    inboxId: uuid('inbox_id'),
    /** Every contact of the merged person. */
    contactIds: uuid('contact_ids').array().notNull(),
    /** What these contacts had at that moment, by ids. */
    moved: jsonb('moved').$type<Record<'identities' | 'subjects' | 'enrollments' | 'consents', string[]>>().notNull(),
    /** Enrollments that the merge ended: an undo does not begin them again. */
    endedEnrollmentIds: uuid('ended_enrollment_ids').array().notNull(),
    mergedAt: instantNow('merged_at'),
    undoneAt: instant('undone_at'),
    undoneBy: text('undone_by'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('contact_merges_merged').on(t.tenantId, t.mergedContactId),
    index('contact_merges_kept').on(t.tenantId, t.keptContactId),
    foreignKey({ columns: [t.tenantId, t.keptContactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'contact_merges_kept_fk' }),
    foreignKey({ columns: [t.tenantId, t.mergedContactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'contact_merges_merged_fk' }),
    tenantPolicy(),
  ],
);

/** How a contact is known. Not unique per value: verified ids may keep two contacts apart that share an address (rule 10). */
export const contactIdentities = pgTable(
  'contact_identities',
  {
    tenantId: tenantId(),
    id: ownId(),
    contactId: uuid('contact_id').notNull(),
    /** `email`, `phone`, or `external:<connection id>`, which is verified by the provider. */
    kind: text('kind').notNull(),
    /** Normalised: lower-case address, E.164. */
    value: text('value').notNull(),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('contact_identities_value').on(t.tenantId, t.kind, t.value, t.contactId),
    index('contact_identities_contact').on(t.tenantId, t.contactId),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'contact_identities_contact_fk' }),
    tenantPolicy(),
  ],
);

/** Append-only: a person's statements about being contacted, with wording and proof. */
export const consents = pgTable(
  'consents',
  {
    tenantId: tenantId(),
    id: ownId(),
    contactId: uuid('contact_id').notNull(),
    channel: text('channel').notNull(),
    purpose: text('purpose').notNull().default('marketing'),
    state: text('state', { enum: ['granted', 'denied'] }).notNull(),
    source: text('source').notNull(),
    /** Null in rows of builds before 0008: a `source` that begins with `connection:` was a box, all others the person. */
    basis: text('basis', { enum: ['box', 'record', 'person'] }),
    wording: text('wording'),
    proof: jsonb('proof').$type<Record<string, unknown>>().notNull().default({}),
    occurredAt: instant('occurred_at').notNull(),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('consents_contact').on(t.tenantId, t.contactId, t.channel, t.occurredAt),
    index('consents_created').on(t.tenantId, t.createdAt),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'consents_contact_fk' }),
    tenantPolicy(),
  ],
);

/** Addresses that must not be contacted, as salted hashes: they survive the erasure of the contact. */
export const suppressions = pgTable(
  'suppressions',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** HMAC-SHA256 of kind and address under a key of this installation, hex. */
    addressHash: text('address_hash').notNull(),
    /** A channel, or `all`. */
    channel: text('channel').notNull(),
    reason: text('reason', { enum: ['opted_out', 'bounce', 'complaint', 'refused'] }).notNull(),
    since: instantNow('since'),
    /** Who stated it; null: unknown. `record`: the shop's record, whose later statement may lift it. */
    basis: text('basis', { enum: ['person', 'record'] }),
    liftedAt: instant('lifted_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('suppressions_active').on(t.tenantId, t.addressHash).where(sql`lifted_at is null`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'suppressions_tenant' }),
    tenantPolicy(),
  ],
);

/** Requests under data protection law that a shop has passed on. A worker makes erasures and exports of them. */
export const privacyRequests = pgTable(
  'privacy_requests',
  {
    tenantId: tenantId(),
    id: ownId(),
    topic: text('topic', { enum: ['data_request', 'redact', 'shop_redact'] }).notNull(),
    contactId: uuid('contact_id'),
    connectionId: uuid('connection_id'),
    requestedAt: instant('requested_at').notNull(),
    doneAt: instant('done_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('privacy_requests_contact').on(t.tenantId, t.contactId),
    index('privacy_requests_open').on(t.tenantId).where(sql`done_at is null`),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'privacy_requests_contact_fk' }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'privacy_requests_tenant' }),
    tenantPolicy(),
  ],
);
