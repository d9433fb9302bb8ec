import { sql } from 'drizzle-orm';
import { bigint, boolean, check, customType, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import type { DomainEvent } from '../../domain/events.ts';
import type { FieldNote } from '../../domain/field-note.ts';
import { fromStored } from '../../domain/stored-event.ts';
import { instant, instantNow, ownId, requestId, tenantId, tenantPolicy } from './columns.ts';
import { enrollments } from './sequences.ts';
import { connections } from './tenants.ts';

/** Events as this build knows them, whichever build stored them. */
const storedEvents = customType<{ data: readonly DomainEvent[]; driverData: unknown }>({
  dataType: () => 'jsonb',
  toDriver: (events) => JSON.stringify(events),
  fromDriver: (stored) => (stored as DomainEvent[]).map(fromStored),
});

/** Every verified delivery, once: unique by connection and dedupe key. What is answered 2xx stands here (G3). */
export const inbox = pgTable(
  'inbox',
  {
    tenantId: tenantId(),
    id: ownId(),
    connectionId: uuid('connection_id').notNull(),
    dedupeKey: text('dedupe_key').notNull(),
    topic: text('topic').notNull(),
    /** `pending`: stored, its effects still to be written by the inbox worker. */
    state: text('state', { enum: ['applied', 'pending', 'ignored', 'quarantined'] }).notNull(),
    events: storedEvents('events').notNull().default(sql`'[]'::jsonb`),
    /** Contacts whose running calls a stop waits for; a repeat waits for the same ones. Empty: not a stop. */
    coveredContactIds: uuid('covered_contact_ids').array().notNull().default(sql`'{}'`),
    /** Fields that were left out or read with a guess, each with its reason. */
    notes: jsonb('notes').$type<FieldNote[]>().notNull().default([]),
    receivedAt: instantNow('received_at'),
    appliedAt: instant('applied_at'),
    attempts: integer('attempts').notNull().default(0),
    lastError: text('last_error'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('inbox_state', sql`state in ('applied', 'pending', 'ignored', 'quarantined')`),
    unique('inbox_delivery').on(t.tenantId, t.connectionId, t.dedupeKey),
    index('inbox_pending').on(t.receivedAt).where(sql`state = 'pending'`),
    foreignKey({ columns: [t.tenantId, t.connectionId], foreignColumns: [connections.tenantId, connections.id], name: 'inbox_connection_fk' }),
    tenantPolicy(),
  ],
);

/** Verified deliveries that an adapter could not read, kept whole with the reason. */
export const quarantine = pgTable(
  'quarantine',
  {
    tenantId: tenantId(),
    id: ownId(),
    connectionId: uuid('connection_id').notNull(),
    inboxId: uuid('inbox_id').notNull(),
    topic: text('topic').notNull(),
    reason: text('reason').notNull(),
    body: text('body').notNull(),
    /** The headers that the receiver reads besides the signature, e.g. the topic: a replay needs them. */
    headers: jsonb('headers').$type<Record<string, string>>().notNull().default({}),
    /** It may have been a purchase, a reply or an opt-out: until it is corrected, messages go on. */
    mayBeStop: boolean('may_be_stop').notNull().default(false),
    receivedAt: instantNow('received_at'),
    /** When it was closed: read after all, or dismissed. */
    releasedAt: instant('released_at'),
    /** A person judged that it is not to take effect. */
    dismissedAt: instant('dismissed_at'),
    dismissedBy: text('dismissed_by'),
    dismissalReason: text('dismissal_reason'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('quarantine_open').on(t.tenantId, t.id).where(sql`released_at is null`),
    index('quarantine_dismissed').on(t.tenantId, t.id).where(sql`dismissed_at is not null`),
    index('quarantine_inbox').on(t.tenantId, t.inboxId),
    foreignKey({ columns: [t.tenantId, t.inboxId], foreignColumns: [inbox.tenantId, inbox.id], name: 'quarantine_inbox_fk' }),
    tenantPolicy(),
  ],
);

/** What the relay still has to send to Temporal. Rows of one enrollment go in order of `seq`; a row that was sent is deleted. */
export const outbox = pgTable(
  'outbox',
  {
    tenantId: tenantId(),
    seq: bigint('seq', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    enrollmentId: uuid('enrollment_id').notNull(),
    kind: text('kind', { enum: ['start', 'stop', 'wake'] }).notNull(),
    createdAt: instantNow('created_at'),
    nextAttemptAt: instantNow('next_attempt_at'),
    claimedUntil: instant('claimed_until'),
    attempts: integer('attempts').notNull().default(0),
    lastError: text('last_error'),
    requestId: requestId(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.seq] }),
    index('outbox_order').on(t.tenantId, t.enrollmentId, t.seq),
    index('outbox_due_of_store').on(t.tenantId, t.nextAttemptAt, t.seq),
    foreignKey({ columns: [t.tenantId, t.enrollmentId], foreignColumns: [enrollments.tenantId, enrollments.id], name: 'outbox_enrollment_fk' }),
    tenantPolicy(),
  ],
);
