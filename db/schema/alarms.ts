import { sql } from 'drizzle-orm';
import { boolean, check, doublePrecision, foreignKey, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { alarmKinds } from '../../domain/alarms/decide-alarm.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/** How each figure of a store stood when it was looked at last. */
export const alarmStandings = pgTable(
  'alarm_standings',
  {
    tenantId: tenantId(),
    kind: text('kind', { enum: alarmKinds }).notNull(),
    /** null: there was nothing to measure. */
    figure: doublePrecision('figure'),
    raised: boolean('raised').notNull().default(false),
    crossedAt: instant('crossed_at'),
    checkedAt: instantNow('checked_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.kind] }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'alarm_standings_tenant' }),
    tenantPolicy(),
  ],
);

/** Every alarm that was raised. */
export const alarms = pgTable(
  'alarms',
  {
    tenantId: tenantId(),
    id: ownId(),
    kind: text('kind', { enum: alarmKinds }).notNull(),
    /** When it was raised. */
    figure: doublePrecision('figure').notNull(),
    threshold: doublePrecision('threshold').notNull(),
    raisedAt: instantNow('raised_at'),
    clearedAt: instant('cleared_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('alarms_open').on(t.tenantId, t.kind).where(sql`cleared_at is null`),
    check('alarms_kind', sql`kind in ('latency', 'success', 'escalation_share', 'failures', 'backlog')`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'alarms_tenant' }),
    tenantPolicy(),
  ],
);
