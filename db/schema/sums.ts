import { sql } from 'drizzle-orm';
import { bigint, boolean, check, foreignKey, index, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { instant, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/** Which sequences are counted: those of one kind and segment that were activated in the hour (or UTC day) that begins then. */
const place = {
  subjectKind: text('subject_kind').notNull(),
  segment: text('segment').notNull(),
  /** Of the messages; empty where sequences and orders are counted. */
  channel: text('channel').notNull().default(''),
  /** Of the orders; empty where sequences, messages and orders of unknown value are counted. */
  currency: text('currency').notNull().default(''),
};

const sumOf = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);
const changeOf = (name: string) => integer(name).notNull().default(0);

/**
 * Sums of the figures of the sequences of an hour, and of a day: analytics read these sums, however many enrollments there were. Written by
 * `fold_rollups` alone. A sum outlives the rows that it counted. The build before reads the carts among them as the view `rollups`.
 * Source: docs/adr/0013-figures-are-sums-kept-by-the-database.md
 */
export const sums = pgTable(
  'sums',
  {
    tenantId: tenantId(),
    grain: text('grain', { enum: ['hour', 'day'] }).notNull(),
    startsAt: instant('starts_at').notNull(),
    ...place,
    started: sumOf('started'),
    purchased: sumOf('purchased'),
    /** Messages that went out, those of unknown outcome too. */
    steps: sumOf('steps'),
    /** Messages that a provider is known to have accepted. */
    sent: sumOf('sent'),
    opened: sumOf('opened'),
    clicked: sumOf('clicked'),
    orders: sumOf('orders'),
    /** What the shop keeps of the orders: net of edits, refunds and cancellations. */
    revenueMinor: sumOf('revenue_minor'),
    /** The orders as they were placed, cancelled ones too. */
    grossMinor: sumOf('gross_minor'),
    refundedMinor: sumOf('refunded_minor'),
    cancelledOrders: sumOf('cancelled_orders'),
    /** Orders whose amount or currency is unknown: in no other figure. */
    unknownOrders: sumOf('unknown_orders'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.grain, t.startsAt, t.subjectKind, t.segment, t.channel, t.currency], name: 'sums_pk' }),
    check('sums_grain', sql`grain in ('hour', 'day')`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'sums_tenant' }),
    tenantPolicy(),
  ],
);

/**
 * Changes of figures since the last folding, one row each, so that writers append and never wait. Written by triggers alone; without a foreign key,
 * which would cost a look-up and a lock per row.
 */
export const sumDeltas = pgTable(
  'sum_deltas',
  {
    tenantId: tenantId(),
    hour: instant('hour').notNull(),
    seq: bigint('seq', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    ...place,
    started: changeOf('started'),
    purchased: changeOf('purchased'),
    steps: changeOf('steps'),
    sent: changeOf('sent'),
    opened: changeOf('opened'),
    clicked: changeOf('clicked'),
    orders: changeOf('orders'),
    revenueMinor: sumOf('revenue_minor'),
    grossMinor: sumOf('gross_minor'),
    refundedMinor: sumOf('refunded_minor'),
    cancelledOrders: changeOf('cancelled_orders'),
    unknownOrders: changeOf('unknown_orders'),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.hour, t.seq] }), tenantPolicy()],
);

/**
 * How many enrollments of each version have not ended: rows to add up. Triggers append a row for each change, so that writers never wait, and `fold_rollups` puts them into
 * one `folded` row for each version. Source: docs/adr/0128-open-enrollments-are-counted-as-they-change.md
 */
export const openCounts = pgTable(
  'open_counts',
  {
    tenantId: tenantId(),
    seq: bigint('seq', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    sequenceId: uuid('sequence_id').notNull(),
    versionId: uuid('version_id').notNull(),
    change: integer('change').notNull(),
    folded: boolean('folded').notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.seq] }),
    uniqueIndex('open_counts_folded').on(t.tenantId, t.versionId).where(sql`folded`),
    index('open_counts_unfolded').on(t.tenantId, t.seq).where(sql`not folded`),
    tenantPolicy(),
  ],
);
