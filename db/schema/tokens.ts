import { foreignKey, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, instantNow, tenantId, tenantPolicy } from './columns.ts';
import { connections } from './tenants.ts';

/** Tokens that a provider gave a connection by OAuth, sealed. A renewal leases the row instead of locking it, so no transaction waits for a provider. */
export const connectionTokens = pgTable(
  'connection_tokens',
  {
    tenantId: tenantId(),
    connectionId: uuid('connection_id').notNull(),
    /** The app and the account that they were given for (`OAuth.grantedFor`). */
    grantedFor: text('granted_for').notNull(),
    sealedAccess: text('sealed_access').notNull(),
    sealedRefresh: text('sealed_refresh').notNull(),
    /** Of the access token. */
    expiresAt: instant('expires_at').notNull(),
    /** How often they were renewed. */
    generation: integer('generation').notNull().default(0),
    /** Who renews them, since when; null: nobody does. A renewal that takes longer than its lease was left behind by a crash. */
    renewer: uuid('renewer'),
    renewingSince: instant('renewing_since'),
    updatedAt: instantNow('updated_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.connectionId] }),
    foreignKey({
      columns: [t.tenantId, t.connectionId],
      foreignColumns: [connections.tenantId, connections.id],
      name: 'connection_tokens_connection_fk',
    }),
    tenantPolicy(),
  ],
);
