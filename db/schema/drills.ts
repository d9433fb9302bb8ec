import { sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { drilledParts } from '../../domain/drills/outage-drill.ts';
import { instant, ownId, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/** Outages that were practised: for a share of a store's enrollments a part counts as away until `ends_at`, or `ended_at` where somebody ended it. */
export const outageDrills = pgTable(
  'outage_drills',
  {
    tenantId: tenantId(),
    id: ownId(),
    part: text('part', { enum: drilledParts }).notNull(),
    /** Of a provider; null: every channel that disturbs people. */
    channel: text('channel'),
    sharePercent: integer('share_percent').notNull(),
    startedAt: instant('started_at').notNull(),
    endsAt: instant('ends_at').notNull(),
    endedAt: instant('ended_at'),
    startedBy: text('started_by').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('outage_drills_part', sql`part in ('provider', 'worker', 'temporal')`),
    check('outage_drills_share', sql`share_percent between 1 and 100`),
    check('outage_drills_end', sql`ends_at > started_at and ends_at <= started_at + interval '4 hours'`),
    index('outage_drills_on').on(t.tenantId, t.endsAt).where(sql`ended_at is null`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'outage_drills_tenant' }),
    tenantPolicy(),
  ],
);
