import { foreignKey, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { sweepKinds } from '../../domain/people/sweep-interval.ts';
import { instantNow, tenantId, tenantPolicy } from './columns.ts';
import { tenants } from './tenants.ts';

/** When the sweeps for missed leads have examined a store that has an interval of its own. */
export const sweeps = pgTable(
  'sweeps',
  {
    tenantId: tenantId(),
    kind: text('kind', { enum: [...sweepKinds, 'hours'] }).notNull(),
    sweptAt: instantNow('swept_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.kind] }),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'sweeps_tenant' }),
    tenantPolicy(),
  ],
);
