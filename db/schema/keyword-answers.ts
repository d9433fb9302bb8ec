import { sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { answeredKeywords, keywordChannels } from '../../domain/people/keyword-answers.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { connections } from './tenants.ts';

/**
 * Answers to STOP, START and HELP, where the provider gives none: written with the message that asked. `claimed`: it may be on its way; a process that dies
 * leaves it so. They are no marketing: they are in no cap, gap or figure. Nothing personal is left once one is settled.
 * Source: docs/adr/0101-keywords-are-answered-once.md
 */
export const keywordAnswers = pgTable(
  'keyword_answers',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** By which the message came in, and the answer goes out. */
    connectionId: uuid('connection_id').notNull(),
    channel: text('channel', { enum: keywordChannels }).notNull(),
    keyword: text('keyword', { enum: answeredKeywords }).notNull(),
    /** E.164; null: it is settled. */
    address: text('address'),
    addressHash: text('address_hash').notNull(),
    /** BCP 47; null: not known. */
    locale: text('locale'),
    askedAt: instant('asked_at').notNull(),
    state: text('state', { enum: ['waiting', 'claimed', 'sent', 'unknown', 'refused', 'too_late', 'not_connected'] })
      .notNull()
      .default('waiting'),
    attempts: integer('attempts').notNull().default(0),
    nextAt: instantNow('next_at'),
    claimedAt: instant('claimed_at'),
    settledAt: instant('settled_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    check('keyword_answers_state', sql`state in ('waiting', 'claimed', 'sent', 'unknown', 'refused', 'too_late', 'not_connected')`),
    index('keyword_answers_open').on(t.tenantId, t.nextAt).where(sql`state in ('waiting', 'claimed')`),
    index('keyword_answers_of_address').on(t.tenantId, t.addressHash, t.askedAt),
    index('keyword_answers_of_connection').on(t.tenantId, t.connectionId),
    foreignKey({ columns: [t.tenantId, t.connectionId], foreignColumns: [connections.tenantId, connections.id], name: 'keyword_answers_connection' }),
    tenantPolicy(),
  ],
);
