import { sql } from 'drizzle-orm';
import { boolean, check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { connections } from './tenants.ts';

/**
 * What a delivery named and its provider still has to be asked about: stored before the delivery is answered, asked afterwards, outside of any
 * transaction. Of a connection, each is known by its key, so that what several deliveries name is looked up once.
 */
export const lookups = pgTable(
  'lookups',
  {
    tenantId: tenantId(),
    id: ownId(),
    connectionId: uuid('connection_id').notNull(),
    key: text('key').notNull(),
    topic: text('topic').notNull(),
    /** What the receiver asks with: ids, no personal data. */
    what: jsonb('what').$type<Record<string, string>>().notNull(),
    state: text('state', { enum: ['waiting', 'done', 'set_aside'] })
      .notNull()
      .default('waiting'),
    attempts: integer('attempts').notNull().default(0),
    /** Not asked before that; while it is being asked, not by another worker. */
    nextAt: instantNow('next_at'),
    /** The provider did not let us in: asked at once when the connection's fault is gone. */
    lockedOut: boolean('locked_out').notNull().default(false),
    lastError: text('last_error'),
    createdAt: instantNow('created_at'),
    settledAt: instant('settled_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('lookups_state', sql`state in ('waiting', 'done', 'set_aside')`),
    unique('lookups_key').on(t.tenantId, t.connectionId, t.key),
    index('lookups_due').on(t.nextAt).where(sql`state = 'waiting'`),
    foreignKey({ columns: [t.tenantId, t.connectionId], foreignColumns: [connections.tenantId, connections.id], name: 'lookups_connection_fk' }),
    tenantPolicy(),
  ],
);
