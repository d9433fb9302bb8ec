import { sql } from 'drizzle-orm';
import { bigint, check, foreignKey, index, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { conversionOutcomes } from '../../domain/conversions/outcome.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { messages } from './messages.ts';
import { subjects } from './subjects.ts';
import { connections } from './tenants.ts';

/**
 * What a tracker reported about a click: one row for each status of a transaction. Revenue is counted as an order (`conversions`) once it is matched
 * with a lead; see docs/adr/0052-conversions.md.
 */
export const leadConversions = pgTable(
  'lead_conversions',
  {
    tenantId: tenantId(),
    id: ownId(),
    connectionId: uuid('connection_id').notNull(),
    /** By which reports belong together: the tracker's id of the click, or else ours. */
    click: text('click').notNull(),
    /** As it was given back to us: the id of an attempt, or what the lead's source calls it. */
    subId: text('sub_id'),
    clickId: text('click_id'),
    /** Empty: none was given. */
    tid: text('tid').notNull().default(''),
    /** As stated, in lower case. */
    status: text('status').notNull(),
    outcome: text('outcome', { enum: conversionOutcomes }).notNull(),
    currency: text('currency'),
    payoutMinor: bigint('payout_minor', { mode: 'number' }),
    reportedAt: instant('reported_at').notNull(),
    /** Whose it is; null: it is not matched yet. */
    subjectId: uuid('subject_id'),
    /** The attempt whose link was followed; null: it is not known. */
    messageId: uuid('message_id'),
    /** Of that attempt, else of the enrollment that its revenue is credited to; null: of none. Written by triggers. */
    campaignId: uuid('campaign_id'),
    matchedAt: instant('matched_at'),
    /** `report`: when it came. `lead`: when its lead came. `hand`: by a person or a program. */
    matchedBy: text('matched_by', { enum: ['report', 'lead', 'hand'] }),
    /** A refusal has taken it back. */
    reversedAt: instant('reversed_at'),
    createdAt: instantNow('created_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('lead_conversions_outcome', sql`outcome in ('sale', 'rebill', 'reject', 'lead', 'registration', 'other')`),
    check('lead_conversions_matched', sql`(subject_id is null) = (matched_at is null)`),
    unique('lead_conversions_report').on(t.tenantId, t.connectionId, t.click, t.status, t.tid),
    index('lead_conversions_subject').on(t.tenantId, t.subjectId),
    index('lead_conversions_message').on(t.tenantId, t.messageId),
    index('lead_conversions_outcome').on(t.tenantId, t.outcome, t.id),
    index('lead_conversions_campaign').on(t.tenantId, t.campaignId, t.id).where(sql`campaign_id is not null`),
    index('lead_conversions_unmatched').on(t.tenantId, t.id).where(sql`subject_id is null`),
    foreignKey({
      columns: [t.tenantId, t.connectionId],
      foreignColumns: [connections.tenantId, connections.id],
      name: 'lead_conversions_connection_fk',
    }),
    foreignKey({ columns: [t.tenantId, t.subjectId], foreignColumns: [subjects.tenantId, subjects.id], name: 'lead_conversions_subject_fk' }),
    foreignKey({ columns: [t.tenantId, t.messageId], foreignColumns: [messages.tenantId, messages.id], name: 'lead_conversions_message_fk' }),
    tenantPolicy(),
  ],
);

/** The ids by which trackers name leads and conversions: any of them finds the other. */
export const trackerIds = pgTable(
  'tracker_ids',
  {
    tenantId: tenantId(),
    value: text('value').notNull(),
    /** `sub_id` and `click_id`: of a lead. `conversion`: of a conversion. */
    kind: text('kind', { enum: ['sub_id', 'click_id', 'conversion'] }).notNull(),
    /** The lead or the conversion. */
    refId: uuid('ref_id').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.value, t.kind, t.refId] }),
    check('tracker_ids_kind', sql`kind in ('sub_id', 'click_id', 'conversion')`),
    index('tracker_ids_ref').on(t.tenantId, t.refId),
    tenantPolicy(),
  ],
);
