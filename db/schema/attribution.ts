import { sql } from 'drizzle-orm';
import { bigint, check, customType, foreignKey, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { attributionModels } from '../../domain/attribution/models.ts';
import { instant, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/** The id of a transaction that never repeats. */
const transactionId = customType<{ data: string }>({ dataType: () => 'xid8' });

/** By what credits are added up. Empty: none. */
const place = {
  model: text('model', { enum: attributionModels }).notNull(),
  /** The UTC day on which the order was placed, its beginning. */
  day: instant('day').notNull(),
  sequenceId: uuid('sequence_id').notNull(),
  stepId: text('step_id').notNull(),
  channel: text('channel').notNull(),
  variant: text('variant').notNull(),
  campaign: text('campaign').notNull(),
  /** Where the lead came from, as its source says. */
  source: text('source').notNull(),
  /** Of the order; empty: its value is unknown. */
  currency: text('currency').notNull(),
};
const amount = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);
const credit = {
  /** In millionths of an order. */
  orderMicros: amount('order_micros'),
  grossMinor: amount('gross_minor'),
  refundedMinor: amount('refunded_minor'),
  netMinor: amount('net_minor'),
};

/**
 * What each message is credited with of each order, by each model: the amounts of an order add up to what it counts for. Written by `fold_attribution` alone.
 * Source: docs/adr/0091-attribution-is-kept.md
 */
export const attributionCredits = pgTable(
  'attribution_credits',
  { tenantId: tenantId(), conversionId: uuid('conversion_id').notNull(), messageId: uuid('message_id').notNull(), ...place, ...credit },
  (t) => [primaryKey({ columns: [t.tenantId, t.conversionId, t.messageId, t.model] }), tenantPolicy()],
);

/** The sums of all credits. Written by `fold_attribution` alone. */
export const attributionSums = pgTable('attribution_sums', { tenantId: tenantId(), ...place, ...credit }, (t) => [
  primaryKey({
    columns: [t.tenantId, t.model, t.day, t.sequenceId, t.stepId, t.channel, t.variant, t.campaign, t.source, t.currency],
    name: 'attribution_sums_pk',
  }),
  foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'attribution_sums_tenant' }),
  tenantPolicy(),
]);

/** Orders whose credits have to be computed anew: one, all of a contact's person, or, where both are null, all of the store. Written by triggers alone. */
export const attributionMarks = pgTable(
  'attribution_marks',
  {
    tenantId: tenantId(),
    seq: bigint('seq', { mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    conversionId: uuid('conversion_id'),
    contactId: uuid('contact_id'),
    /** Set by the first folding that sees it: once every transaction before this one has ended, nothing that the mark is about is still unseen. */
    after: transactionId('after'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.seq] }),
    check('attribution_marks_one', sql`num_nonnulls(conversion_id, contact_id) <= 1`),
    index('attribution_marks_order').on(t.tenantId, t.conversionId),
    tenantPolicy(),
  ],
);
