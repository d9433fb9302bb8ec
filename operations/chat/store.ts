import { and, asc, desc, eq, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { chats, chatUpdates, contacts, facts, subjectKeys, subjects } from '../../db/schema/index.ts';
import { isMarketHot } from '../../domain/chat/hot-market.ts';
import { type ChatState, newChat } from '../../domain/chat/state.ts';
import type { ChatUpdate } from '../../domain/chat/update.ts';
import type { FactOf } from '../../domain/facts/index.ts';
import { readStoredFact } from '../../domain/facts/index.ts';
import { lead } from '../../domain/subjects/lead/index.ts';

/** A chat of a bot. */
export interface ChatRef {
  tenantId: string;
  connectionId: string;
  chatId: string;
}

export type ChatRow = typeof chats.$inferSelect;
export type ChatUpdateRow = typeof chatUpdates.$inferSelect;

export const isChat = ({ connectionId, chatId }: ChatRef) => and(eq(chats.connectionId, connectionId), eq(chats.chatId, chatId));
export const isUpdate = ({ connectionId, updateId }: Pick<ChatUpdateRow, 'connectionId' | 'updateId'>) =>
  and(eq(chatUpdates.connectionId, connectionId), eq(chatUpdates.updateId, updateId));

/** The update to take in next: they are taken in the order of their numbers. */
export async function nextUpdate(tx: Tx, { connectionId, chatId }: ChatRef): Promise<ChatUpdateRow | null> {
  const [row] = await tx
    .select()
    .from(chatUpdates)
    .where(and(eq(chatUpdates.connectionId, connectionId), eq(chatUpdates.chatId, chatId), eq(chatUpdates.state, 'waiting')))
    .orderBy(asc(chatUpdates.updateId))
    .limit(1);
  return row ?? null;
}

/** As it stands; one that has not begun is new, and its version 0. */
export async function readChat(tx: Tx, ref: ChatRef): Promise<{ state: ChatState; version: number }> {
  const [row] = await tx.select().from(chats).where(isChat(ref));
  return row === undefined ? { state: newChat, version: 0 } : { state: stateOf(row), version: row.version };
}

/** The chat's row, locked; made where the chat begins. */
export async function lockChat(tx: Tx, ref: ChatRef): Promise<ChatRow> {
  await tx
    .insert(chats)
    .values({ ...ref, phase: newChat.phase })
    .onConflictDoNothing();
  const [row] = await tx.select().from(chats).where(isChat(ref)).for('update');
  if (row === undefined) throw new Error('a chat was neither made nor found');
  return row;
}

export const stateOf = (row: ChatRow): ChatState => ({
  phase: row.phase,
  language: row.language,
  name: row.name,
  phone: row.phone,
  goal: row.goal,
  urgencyScore: row.urgencyScore,
  fomoMessagesSent: row.fomoMessagesSent,
  asked: row.asked,
  alerted: row.alerted,
  blockedBy: row.blockedBy,
  standingBy: row.standingBy,
  shown: row.shown,
});

export const updateOf = ({ updateId, languageCode, name, did }: ChatUpdateRow): ChatUpdate => ({ id: updateId, languageCode, name, did });

/** The lead of a chat, as far as the conversation needs it; null: there is none. */
export interface ChatLead {
  subjectId: string;
  interest: string | null;
  area: string | null;
  locale: string | null;
}

export async function leadOfChat(tx: Tx, { connectionId, chatId }: ChatRef): Promise<ChatLead | null> {
  const [row] = await tx
    .select({ id: subjects.id, details: subjects.details, locale: contacts.locale })
    .from(subjectKeys)
    .innerJoin(subjects, eq(subjects.id, subjectKeys.subjectId))
    .leftJoin(contacts, eq(contacts.id, subjects.contactId))
    .where(and(eq(subjectKeys.connectionId, connectionId), eq(subjectKeys.kind, 'telegram_chat'), eq(subjectKeys.value, chatId)))
    .limit(1);
  if (row === undefined) return null;
  const details = lead.details.safeParse(row.details ?? {});
  return { subjectId: row.id, interest: details.data?.interest ?? null, area: details.data?.area ?? null, locale: row.locale };
}

const mostFacts = 200;

/** Whether a fresh fact says that the market moves where the lead looks. */
export async function readHotMarket(tx: Tx, words: readonly (string | null)[], nowMs: number): Promise<boolean> {
  const rows = await tx
    .select()
    .from(facts)
    .where(and(eq(facts.kind, 'market'), sql`${facts.expiresAt} > ${new Date(nowMs).toISOString()}`))
    .orderBy(desc(facts.observedAt))
    .limit(mostFacts);
  const known = rows.flatMap((row) => {
    const fact = readStoredFact({ ...row, observedAtMs: row.observedAt, expiresAtMs: row.expiresAt });
    return fact?.kind === 'market' ? [fact satisfies FactOf<'market'>] : [];
  });
  return isMarketHot(
    known,
    words.filter((text) => text !== null),
    nowMs,
  );
}

/** Chats in which something waits, the longest first. */
export async function waitingChats(tx: Tx, tenantId: string, most: number): Promise<ChatRef[]> {
  const rows = await tx
    .select({ connectionId: chatUpdates.connectionId, chatId: chatUpdates.chatId, since: sql`min(${chatUpdates.receivedAt})` })
    .from(chatUpdates)
    .where(eq(chatUpdates.state, 'waiting'))
    .groupBy(chatUpdates.connectionId, chatUpdates.chatId)
    // One that failed is not tried again before its pause is over, and those behind it wait for it.
    .having(sql`max(${chatUpdates.nextAt}) <= clock_timestamp()`)
    .orderBy(sql`min(${chatUpdates.receivedAt})`)
    .limit(most);
  return rows.map(({ connectionId, chatId }) => ({ tenantId, connectionId, chatId }));
}
