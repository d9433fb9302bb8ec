import { sql } from 'drizzle-orm';
import { check, foreignKey, index, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { connections } from './tenants.ts';

/**
 * What sources state about products, areas and offers, so that messages claim only what is true. Rows are added and never changed: of a kind and a
 * subject, the latest observation counts. What has been expired for long is deleted (`prune_facts`).
 */
export const facts = pgTable(
  'facts',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** By name, of `domain/facts/`. Rows of a kind that a later build does not know are left alone. */
    kind: text('kind').notNull(),
    /** The product, area or offer, in the spelling of its kind. */
    subject: text('subject').notNull(),
    value: jsonb('value').notNull(),
    source: text('source').notNull(),
    /** The shop whose products it names: ids of another shop's may be the same. Null: any. */
    connectionId: uuid('connection_id'),
    observedAt: instant('observed_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    recordedAt: instantNow('recorded_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    // Also finds the latest: a repeat of the same statement adds no row.
    uniqueIndex('facts_once').on(
      t.tenantId,
      t.kind,
      t.subject,
      t.observedAt,
      t.source,
      t.expiresAt,
      sql`coalesce(connection_id, '00000000-0000-0000-0000-000000000000'::uuid)`,
      sql`md5((value)::text)`,
    ),
    index('facts_lasting').on(t.tenantId, t.expiresAt),
    index('facts_connection').on(t.tenantId, t.connectionId),
    // By which the pruning finds what is long over.
    index('facts_expired').on(t.expiresAt),
    foreignKey({ columns: [t.tenantId, t.connectionId], foreignColumns: [connections.tenantId, connections.id], name: 'facts_connection_fk' }),
    check('facts_lasts', sql`expires_at > observed_at`),
    tenantPolicy(),
  ],
);
