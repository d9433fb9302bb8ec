import { sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { type AutoAssign, campaignStatuses } from '../../domain/campaigns/campaign.ts';
import type { Rate } from '../../domain/rate.ts';
import type { WeeklyWindow } from '../../domain/time/weekly-window.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { enrollments, sequences } from './sequences.ts';
import { subjects } from './subjects.ts';
import { tenants } from './tenants.ts';

/** Leads that are contacted by one sequence, under one schedule. */
export const campaigns = pgTable(
  'campaigns',
  {
    tenantId: tenantId(),
    id: ownId(),
    name: text('name').notNull(),
    status: text('status', { enum: campaignStatuses }).notNull().default('ACTIVE'),
    /** Null: it takes no leads by itself. */
    autoAssign: jsonb('auto_assign').$type<AutoAssign>(),
    /** Null: it takes leads and contacts nobody. */
    sequenceId: uuid('sequence_id'),
    /** Null: at any hour. */
    schedule: jsonb('schedule').$type<WeeklyWindow>(),
    /** Null: no limit of its own. */
    rate: jsonb('rate').$type<Rate>(),
    /** How it is called: overrides the connection's configuration key by key. */
    call: jsonb('call').$type<Record<string, unknown>>(),
    /** How many leads it has; changed under the lock of this row, so that `maxLeads` holds. */
    leads: integer('leads').notNull().default(0),
    createdAt: instantNow('created_at'),
    endedAt: instant('ended_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('campaigns_name').on(t.tenantId, t.name),
    check('campaigns_status', sql`status in ('ACTIVE', 'PAUSED', 'ENDED')`),
    index('campaigns_sequence').on(t.tenantId, t.sequenceId),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'campaigns_tenant' }),
    foreignKey({ columns: [t.tenantId, t.sequenceId], foreignColumns: [sequences.tenantId, sequences.id], name: 'campaigns_sequence_fk' }),
    tenantPolicy(),
  ],
);

/** Who is in a campaign, and what came of it. */
export const campaignLeads = pgTable(
  'campaign_leads',
  {
    tenantId: tenantId(),
    campaignId: uuid('campaign_id').notNull(),
    subjectId: uuid('subject_id').notNull(),
    /** `routing`: by its source; else a person or a program put it in. */
    cameBy: text('came_by', { enum: ['routing', 'hand', 'bulk'] }).notNull(),
    /** Who put it in; null: routing did. */
    actor: text('actor'),
    /** The enrollment that began with it, the latest; null: none. */
    enrollmentId: uuid('enrollment_id'),
    /** Why the latest try began none; null: it did. */
    reason: text('reason'),
    at: instantNow('at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.campaignId, t.subjectId] }),
    index('campaign_leads_subject').on(t.tenantId, t.subjectId),
    index('campaign_leads_enrollment').on(t.tenantId, t.enrollmentId),
    foreignKey({ columns: [t.tenantId, t.campaignId], foreignColumns: [campaigns.tenantId, campaigns.id], name: 'campaign_leads_campaign_fk' }),
    foreignKey({ columns: [t.tenantId, t.subjectId], foreignColumns: [subjects.tenantId, subjects.id], name: 'campaign_leads_subject_fk' }),
    foreignKey({
      columns: [t.tenantId, t.enrollmentId],
      foreignColumns: [enrollments.tenantId, enrollments.id],
      name: 'campaign_leads_enrollment_fk',
    }),
    tenantPolicy(),
  ],
);

/** New leads on their way to the campaigns that take them. */
export const leadRoutings = pgTable(
  'lead_routings',
  {
    tenantId: tenantId(),
    subjectId: uuid('subject_id').notNull(),
    at: instantNow('at'),
    /** Null: still to be routed. */
    routedAt: instant('routed_at'),
    /** Null: still to be routed. `duplicate`: the person is a lead already. `failed`: the log says why. */
    outcome: text('outcome', { enum: ['routed', 'no_campaign', 'duplicate', 'gone', 'failed'] }),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.subjectId] }),
    index('lead_routings_open').on(t.tenantId, t.at).where(sql`routed_at is null`),
    foreignKey({ columns: [t.tenantId, t.subjectId], foreignColumns: [subjects.tenantId, subjects.id], name: 'lead_routings_subject_fk' }),
    tenantPolicy(),
  ],
);
