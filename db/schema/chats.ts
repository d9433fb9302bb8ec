import { sql } from 'drizzle-orm';
import { bigint, boolean, check, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { chatLanguages } from '../../domain/chat/language.ts';
import { chatPhases } from '../../domain/chat/state.ts';
import type { ChatAct } from '../../domain/chat/update.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { connections, tenants } from './tenants.ts';

/** A conversation with a bot. Its lead has the subject key `telegram_chat` of the connection. Turns of one chat wait for each other on its row. */
export const chats = pgTable(
  'chats',
  {
    tenantId: tenantId(),
    connectionId: uuid('connection_id').notNull(),
    /** As the provider names it. */
    chatId: text('chat_id').notNull(),
    phase: text('phase', { enum: chatPhases }).notNull(),
    /** null: not known. */
    language: text('language', { enum: chatLanguages }),
    name: text('name'),
    /** E.164. */
    phone: text('phone'),
    /** `buy`, `rent`, `invest`, or the person's own words. */
    goal: text('goal'),
    urgencyScore: integer('urgency_score').notNull().default(0),
    fomoMessagesSent: integer('fomo_messages_sent').notNull().default(0),
    /** How often contact details were asked for in vain. */
    asked: integer('asked').notNull().default(0),
    alerted: boolean('alerted').notNull().default(false),
    /** The update by which the person blocked the bot; null: it is not blocked. */
    blockedBy: bigint('blocked_by', { mode: 'number' }),
    standingBy: bigint('standing_by', { mode: 'number' }).notNull().default(0),
    /** Ids of the properties that were shown. */
    shown: jsonb('shown').$type<string[]>().notNull().default([]),
    /** Raised by every turn: what was read before is then stale. */
    version: integer('version').notNull().default(0),
    /** Wrong codes for `/set_admin`, and since when they are counted. */
    wrongCodes: integer('wrong_codes').notNull().default(0),
    wrongCodesSince: instant('wrong_codes_since'),
    createdAt: instantNow('created_at'),
    updatedAt: instantNow('updated_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.connectionId, t.chatId] }),
    check('chats_phase', sql`phase in ('CAPTURE_CONTACT', 'VALUE_PROPOSITION', 'ENGAGEMENT')`),
    check('chats_urgency', sql`urgency_score between 0 and 10`),
    foreignKey({ columns: [t.tenantId, t.connectionId], foreignColumns: [connections.tenantId, connections.id], name: 'chats_connection_fk' }),
    tenantPolicy(),
  ],
);

/** What became of one message of an answer. */
export interface ReplySent {
  /** null: the call was never made, or its process ended before it was known. */
  outcome: 'accepted' | 'refused' | 'unknown' | null;
  providerMessageId: string | null;
  response: string | null;
}

/**
 * What people did in chats, one row for each update of a bot, stored with its delivery; and how it was answered. `waiting`: not taken in yet.
 * `claimed`: the turn is stored, and its answer may be on its way; a process that dies leaves it so, and it is never sent again. `silent`: the turn has
 * no answer. Answers are no marketing: they are in no cap, gap or figure.
 */
export const chatUpdates = pgTable(
  'chat_updates',
  {
    tenantId: tenantId(),
    connectionId: uuid('connection_id').notNull(),
    updateId: bigint('update_id', { mode: 'number' }).notNull(),
    chatId: text('chat_id').notNull(),
    did: jsonb('did').$type<ChatAct>().notNull(),
    /** The token of a link that led into the chat. */
    token: text('token'),
    /** What the provider wants acknowledged. */
    queryId: text('query_id'),
    languageCode: text('language_code'),
    name: text('name'),
    /** It came in while the bot was down. */
    late: boolean('late').notNull().default(false),
    state: text('state', { enum: ['waiting', 'claimed', 'answered', 'silent'] })
      .notNull()
      .default('waiting'),
    /** The messages of the answer, as they were handed over. */
    replies: jsonb('replies').$type<string[]>(),
    sent: jsonb('sent').$type<ReplySent[]>(),
    attempts: integer('attempts').notNull().default(0),
    nextAt: instantNow('next_at'),
    lastError: text('last_error'),
    receivedAt: instantNow('received_at'),
    claimedAt: instant('claimed_at'),
    settledAt: instant('settled_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.connectionId, t.updateId] }),
    check('chat_updates_state', sql`state in ('waiting', 'claimed', 'answered', 'silent')`),
    index('chat_updates_waiting').on(t.tenantId, t.connectionId, t.chatId, t.updateId).where(sql`state = 'waiting'`),
    index('chat_updates_chat').on(t.tenantId, t.connectionId, t.chatId),
    foreignKey({ columns: [t.tenantId, t.connectionId], foreignColumns: [connections.tenantId, connections.id], name: 'chat_updates_connection_fk' }),
    tenantPolicy(),
  ],
);

/** One-time codes by which a chat becomes the tenant's admin chat. */
export const adminCodes = pgTable(
  'admin_codes',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** SHA-256, hex: the code itself is shown once and never stored. */
    hash: text('hash').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instantNow('created_at'),
    expiresAt: instant('expires_at').notNull(),
    usedAt: instant('used_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    unique('admin_codes_hash').on(t.tenantId, t.hash),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'admin_codes_tenant' }),
    tenantPolicy(),
  ],
);
