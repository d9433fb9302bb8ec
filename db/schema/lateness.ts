import { bigint, foreignKey, index, integer, pgTable, primaryKey } from 'drizzle-orm/pg-core';
import { instant, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/**
 * How late steps were dispatched in the last minute, by store, for /healthz, /metrics and the live page: so that every process can read what the
 * workers measured. A ring: the rows of one minute are overwritten in the next. Nothing is written while steps are punctual.
 */
export const lateness = pgTable(
  'lateness',
  {
    tenantId: tenantId(),
    slot: integer('slot').notNull(),
    /** When the span of this slot began. */
    at: instant('at').notNull(),
    steps: integer('steps').notNull(),
    worstMs: bigint('worst_ms', { mode: 'number' }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.slot] }),
    index('lateness_at').on(t.at),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'lateness_tenant' }),
    tenantPolicy(),
  ],
);
