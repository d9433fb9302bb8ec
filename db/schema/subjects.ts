import { sql } from 'drizzle-orm';
import { bigint, boolean, check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { cartOrigins, type LineItem, noRevenueReasons, type ProductRef } from '../../domain/events.ts';
import type { NoSequence } from '../../domain/subjects/no-sequence.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { contacts } from './people.ts';
import { connections } from './tenants.ts';

/**
 * What a sequence is about: a cart, a lead, whatever is registered in `domain/subjects/`. Folded from events by the provider's clock;
 * `converted` absorbs.
 */
export const subjects = pgTable(
  'subjects',
  {
    tenantId: tenantId(),
    id: ownId(),
    kind: text('kind').notNull().default('cart'),
    /** Null only where an order, a deletion or a colleague’s call arrived before its subject. */
    contactId: uuid('contact_id'),
    state: text('state', { enum: ['open', 'converted', 'gone'] })
      .notNull()
      .default('open'),
    /** Null: unknown, and then every amount is. */
    currency: text('currency').default('USD'),
    /** What it is worth. Null: unknown, or not written since the column exists: `total_minor` has it then. */
    valueMinor: bigint('value_minor', { mode: 'number' }),
    /** The details that only its kind has. Null: not written since the column exists: `subject_details` has them then. */
    details: jsonb('details'),
    detailsVersion: integer('details_version'),
    // `total_minor`, `items`, `restore_url`, `origin` and `bought` are of builds before `details`; triggers keep both equal.
    totalMinor: bigint('total_minor', { mode: 'number' }).default(0),
    items: jsonb('items').$type<LineItem[]>().notNull().default([]),
    restoreUrl: text('restore_url'),
    /** The address and number that it was left with, normalised: the latest that its events gave, each with the provider's time. */
    email: text('email'),
    emailAt: instant('email_at'),
    phone: text('phone'),
    phoneAt: instant('phone_at'),
    /** Where it was filled; null: the source does not say. */
    origin: text('origin', { enum: cartOrigins }),
    /** The subject that had these keys before: its source used an id again after the order. */
    previousSubjectId: uuid('previous_subject_id'),
    /** The products of its order; null: it was not bought, or the order named none. */
    bought: jsonb('bought').$type<ProductRef[]>(),
    startedAt: instant('started_at').notNull(),
    lastActivityAt: instant('last_activity_at').notNull(),
    convertedAt: instant('converted_at'),
    /** When a colleague last spoke with its person about it, named by its key. */
    contactedAt: instant('contacted_at'),
    /** The latest message about it in either direction, ours excepted; null: none, or not since the column exists. */
    lastContactAt: instant('last_contact_at'),
    /** When its person last wrote or pressed a button in a chat; null: never. */
    lastInteractionAt: instant('last_interaction_at'),
    /** The one reminder of a lead that left a chat has gone out, or may have. Set by a trigger in the transaction that settles the message. */
    ghostReminderSent: boolean('ghost_reminder_sent').notNull().default(false),
    /** When a viewing was agreed with its person; null: none is. */
    viewingScheduledAt: instant('viewing_scheduled_at'),
    /** When the sweep for silent subjects last examined it; null: never. */
    sweptAt: instant('swept_at'),
    /** Why no sequence was begun when it was last reported. Null: one was, or it was never reported, or not since the column exists. */
    noSequence: jsonb('no_sequence').$type<NoSequence>(),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('subjects_state', sql`state in ('open', 'converted', 'gone')`),
    index('subjects_contact').on(t.tenantId, t.contactId),
    // The sweep asks for the oldest silences of a kind.
    index('subjects_open').on(t.tenantId, t.kind, t.lastActivityAt).where(sql`state = 'open'`),
    index('subjects_apart').on(t.tenantId, t.state, t.id).where(sql`state <> 'open'`),
    // The list of leads by their latest activity.
    index('subjects_activity').on(t.tenantId, t.kind, t.lastActivityAt, t.id),
    // The sweep for leads that left a chat asks for the oldest interactions.
    index('subjects_ghosts')
      .on(t.tenantId, t.lastInteractionAt, t.phone)
      .where(sql`last_interaction_at is not null and not ghost_reminder_sent and viewing_scheduled_at is null and state = 'open'`),
    foreignKey({ columns: [t.tenantId, t.contactId], foreignColumns: [contacts.tenantId, contacts.id], name: 'subjects_contact_fk' }),
    tenantPolicy(),
  ],
);

/** The keys by which a source knows a subject; any of them finds it. */
export const subjectKeys = pgTable(
  'subject_keys',
  {
    tenantId: tenantId(),
    id: ownId(),
    subjectId: uuid('subject_id').notNull(),
    connectionId: uuid('connection_id').notNull(),
    kind: text('kind').notNull(),
    value: text('value').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('subject_keys_value').on(t.tenantId, t.connectionId, t.kind, t.value),
    index('subject_keys_subject').on(t.tenantId, t.subjectId),
    foreignKey({ columns: [t.tenantId, t.subjectId], foreignColumns: [subjects.tenantId, subjects.id], name: 'subject_keys_subject_fk' }),
    foreignKey({ columns: [t.tenantId, t.connectionId], foreignColumns: [connections.tenantId, connections.id], name: 'subject_keys_connection_fk' }),
    tenantPolicy(),
  ],
);

/**
 * An order, or changes of one that is not stored yet. `enrollment_id` is the recovery it is credited to, if any. What it counts for in the figures
 * is defined once, in db/functions/figures_of_order.sql.
 */
export const conversions = pgTable(
  'conversions',
  {
    tenantId: tenantId(),
    id: ownId(),
    connectionId: uuid('connection_id').notNull(),
    orderId: text('order_id').notNull(),
    contactId: uuid('contact_id'),
    subjectId: uuid('subject_id'),
    enrollmentId: uuid('enrollment_id'),
    /** Null: the order did not say, or not readably. */
    currency: text('currency'),
    /** As ordered: before edits, refunds and a cancellation. */
    valueMinor: bigint('value_minor', { mode: 'number' }),
    /** The provider's time of the event that currency and value are from; null: the order itself is not known yet, or an older build wrote it. */
    valueAt: instant('value_at'),
    placedAt: instant('placed_at').notNull(),
    /** An order that was cancelled keeps its row and does not restart a sequence. */
    reversedAt: instant('reversed_at'),
    /** The time of the shop's latest statement on whether the order is cancelled; null: none but `reversed_at`. */
    standingAt: instant('standing_at'),
    /** Why it counts as no revenue; null: it counts. */
    noRevenue: text('no_revenue', { enum: noRevenueReasons }),
    /** What it is worth after edits and refunds, by the shop's latest statement; null: the shop has not stated it since. */
    currentMinor: bigint('current_minor', { mode: 'number' }),
    currentCurrency: text('current_currency'),
    currentAt: instant('current_at'),
    /** Sum of the refunds in the order's currency. */
    refundedMinor: bigint('refunded_minor', { mode: 'number' }).notNull().default(0),
    /** Of them, what `current_minor` does not contain: refunds made after it, and amounts that the shop does not take off its total. */
    refundedBesidesMinor: bigint('refunded_besides_minor', { mode: 'number' }).notNull().default(0),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('conversions_order').on(t.tenantId, t.connectionId, t.orderId),
    index('conversions_enrollment').on(t.tenantId, t.enrollmentId),
    index('conversions_subject').on(t.tenantId, t.subjectId),
    index('conversions_contact').on(t.tenantId, t.contactId),
    foreignKey({ columns: [t.tenantId, t.connectionId], foreignColumns: [connections.tenantId, connections.id], name: 'conversions_connection_fk' }),
    foreignKey({ columns: [t.tenantId, t.subjectId], foreignColumns: [subjects.tenantId, subjects.id], name: 'conversions_subject_fk' }),
    tenantPolicy(),
  ],
);

/** Money given back. A refund is known by its own id, so that it counts once, however often and in whatever order it is reported. */
export const refunds = pgTable(
  'refunds',
  {
    tenantId: tenantId(),
    id: ownId(),
    connectionId: uuid('connection_id').notNull(),
    orderId: text('order_id').notNull(),
    refundId: text('refund_id').notNull(),
    /** Null: the order's own. A refund in another currency is kept and shown, and counts in no sum. */
    currency: text('currency'),
    amountMinor: bigint('amount_minor', { mode: 'number' }).notNull(),
    /** Of the amount, what the shop does not take off the order's current total; negative: it took off more. */
    besidesTotalMinor: bigint('besides_total_minor', { mode: 'number' }).notNull().default(0),
    refundedAt: instant('refunded_at').notNull(),
    /** The provider's time of the event that the amount is from. */
    toldAt: instant('told_at').notNull(),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('refunds_refund').on(t.tenantId, t.connectionId, t.orderId, t.refundId),
    foreignKey({
      columns: [t.tenantId, t.connectionId, t.orderId],
      foreignColumns: [conversions.tenantId, conversions.connectionId, conversions.orderId],
      name: 'refunds_order_fk',
    }),
    tenantPolicy(),
  ],
);
