import { and, desc, eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { chats, subjectKeys, subjects } from '../../db/schema/index.ts';
import { chatLanguages } from '../../domain/chat/language.ts';
import { type ChatPhase, chatPhases } from '../../domain/chat/state.ts';

// For code that may not import `domain/`.
export { chatLanguages, chatPhases };

/** How a lead stands in their chat with the store's bot. Personal data. */
export interface LeadChat {
  chatId: string;
  phase: ChatPhase;
  language: (typeof chatLanguages)[number] | null;
  name: string | null;
  phone: string | null;
  goal: string | null;
  urgencyScore: number;
  fomoMessagesSent: number;
  ghostReminderSent: boolean;
  viewingScheduledAtMs: number | null;
  lastInteractionAtMs: number | null;
  createdAtMs: number;
  updatedAtMs: number;
}

/** The chat of a lead; of several, the one that was spoken in last. */
export async function readChatOfLead(tx: Tx, leadId: string): Promise<LeadChat | null> {
  const [row] = await tx
    .select({ chat: chats, subject: subjects })
    .from(subjectKeys)
    .innerJoin(chats, and(eq(chats.connectionId, subjectKeys.connectionId), eq(chats.chatId, subjectKeys.value)))
    .innerJoin(subjects, eq(subjects.id, subjectKeys.subjectId))
    .where(and(eq(subjectKeys.subjectId, leadId), eq(subjectKeys.kind, 'telegram_chat')))
    .orderBy(desc(chats.updatedAt))
    .limit(1);
  if (row === undefined) return null;
  const { chatId, phase, language, name, phone, goal, urgencyScore, fomoMessagesSent, createdAt, updatedAt } = row.chat;
  const { ghostReminderSent, viewingScheduledAt, lastInteractionAt } = row.subject;
  return {
    ...{ chatId, phase, language, name, phone, goal, urgencyScore, fomoMessagesSent, ghostReminderSent },
    viewingScheduledAtMs: viewingScheduledAt,
    lastInteractionAtMs: lastInteractionAt,
    createdAtMs: createdAt,
    updatedAtMs: updatedAt,
  };
}
