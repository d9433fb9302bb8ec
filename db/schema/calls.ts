import { sql } from 'drizzle-orm';
import { check, foreignKey, index, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, instantNow, tenantId, tenantPolicy } from './columns.ts';
import { messages } from './messages.ts';

/** A telephone call, as its provider reported it. What was said is personal data: it goes when the person is erased. */
export const calls = pgTable(
  'calls',
  {
    tenantId: tenantId(),
    messageId: uuid('message_id').notNull(),
    outcome: text('outcome', { enum: ['answered', 'not_reached', 'failed'] }).notNull(),
    /** As the provider names it. */
    reason: text('reason').notNull(),
    /** null: nothing was said, or it was erased. */
    transcript: text('transcript'),
    /** The words by which a wish was heard. */
    keywords: jsonb('keywords').$type<string[]>().notNull(),
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
    reportedAt: instantNow('reported_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.messageId] }),
    index('calls_apart').on(t.tenantId, t.messageId).where(sql`outcome in ('not_reached', 'failed')`),
    check('calls_outcome', sql`outcome in ('answered', 'not_reached', 'failed')`),
    foreignKey({ columns: [t.tenantId, t.messageId], foreignColumns: [messages.tenantId, messages.id], name: 'calls_message_fk' }),
    tenantPolicy(),
  ],
);
