import { sql } from 'drizzle-orm';
import { bigint, boolean, check, foreignKey, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, instantNow, tenantId, tenantPolicy } from './columns.ts';
import { connections } from './tenants.ts';

/**
 * The bot of a connection, and which process keeps it: one, by lease. What it was started with stays until it is stopped, so that a bot whose token was
 * replaced or removed is stopped with its own.
 */
export const bots = pgTable(
  'bots',
  {
    tenantId: tenantId(),
    connectionId: uuid('connection_id').notNull(),
    /** Its provider delivers or is asked, with `sealedConfig`. */
    running: boolean('running').notNull().default(false),
    /** How its updates come while it runs. */
    delivery: text('delivery', { enum: ['webhook', 'polling'] }),
    /** The connection's configuration that it was started with, sealed, and the account in it. */
    sealedConfig: text('sealed_config'),
    account: text('account'),
    /** Where its provider delivers. */
    webhookUrl: text('webhook_url'),
    /** The update to ask for next, which confirms those before it; null: nothing is to be confirmed. */
    nextUpdate: bigint('next_update', { mode: 'number' }),
    /** What was said before is not answered: the bot was down. */
    answersFrom: instant('answers_from'),
    /** The process that keeps it, and until when nobody else does. */
    holder: text('holder'),
    heldUntil: instant('held_until'),
    /** After a failure, not tried before. */
    nextTryAt: instantNow('next_try_at'),
    failures: integer('failures').notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.connectionId] }),
    check('bots_delivery', sql`delivery in ('webhook', 'polling')`),
    index('bots_kept').on(t.heldUntil),
    foreignKey({ columns: [t.tenantId, t.connectionId], foreignColumns: [connections.tenantId, connections.id], name: 'bots_connection_fk' }),
    tenantPolicy(),
  ],
);
