import { foreignKey, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instantNow, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/** What a person has seen in the list of parked work, and said that nothing is to be done about. */
export const parkedSkips = pgTable(
  'parked_skips',
  {
    tenantId: tenantId(),
    kind: text('kind').notNull(),
    /** The id of what was parked; of a sequence, with its version. */
    ref: text('ref').notNull(),
    actor: text('actor').notNull(),
    note: text('note').notNull(),
    at: instantNow('at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.kind, t.ref] }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'parked_skips_tenant' }),
    tenantPolicy(),
  ],
);
