import { and, asc, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { renderHotLead } from '../../content/chat/render.ts';
import { faultOf } from '../../db/client.ts';
import { chats, tasks } from '../../db/schema/index.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { SendOutcome } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';
import { readTenant } from '../intake/tenant.ts';
import { sayInChat } from '../bots/say.ts';
import { storeOf } from './answer.ts';

const atOnce = 20;
const pauseMs = 60_000;

const alertData = z.object({
  name: z.string().nullable(),
  phone: z.string(),
  goal: z.string().nullable(),
  time: z.string(),
  connectionId: z.string(),
});

/**
 * Tell the admin chat about hot leads that wait. Each is told at most once: it is claimed before it is handed over, and what became of it in a process that
 * died stays an open task, which a person sees. Without an admin chat all of them wait.
 */
export async function sendAlerts(deps: Deps, tenantId: string): Promise<void> {
  const claimed = await deps.db.withTenant(tenantId, async (tx) => {
    const settings = settingsOf(await readTenant(tx, tenantId));
    const { adminChatId } = settings;
    if (adminChatId === null) return null;
    const waiting = await tx
      .select()
      .from(tasks)
      .where(and(eq(tasks.kind, 'hot_lead'), eq(tasks.state, 'open'), isNull(tasks.claimedAt), sql`due_at <= clock_timestamp()`))
      .orderBy(asc(tasks.id))
      .limit(atOnce)
      .for('update', { skipLocked: true });
    for (const { id } of waiting) await tx.update(tasks).set({ claimedAt: deps.clock.nowMs(), owner: 'admin' }).where(eq(tasks.id, id));
    const [chat] = await tx.select({ language: chats.language }).from(chats).where(eq(chats.chatId, adminChatId)).limit(1);
    return { settings, adminChatId, waiting, language: chat?.language ?? 'en' };
  });
  for (const task of claimed?.waiting ?? []) {
    if (claimed === null) return;
    const { settings, adminChatId, language } = claimed;
    const outcome = await tell(deps, tenantId, task.data, (data) => renderHotLead(data, language, storeOf(settings)), adminChatId);
    const { state, result, closedAt, closedBy, claimedAt, dueAt } = afterwards(outcome, deps.clock.nowMs());
    await deps.db.withTenant(tenantId, (tx) =>
      tx.update(tasks).set({ state, result, closedAt, closedBy, claimedAt, dueAt }).where(eq(tasks.id, task.id)),
    );
  }
}

type Told = SendOutcome | { kind: 'failed'; response: string };

async function tell(
  deps: Deps,
  tenantId: string,
  data: unknown,
  text: (hot: { name: string | null; phone: string; goal: string | null; atMs: number }) => string,
  adminChatId: string,
): Promise<Told> {
  try {
    const { connectionId, time, ...hot } = alertData.parse(data);
    return await sayInChat(deps, { tenantId, connectionId }, adminChatId, { text: text({ ...hot, atMs: Date.parse(time) }), buttons: [] });
  } catch (error) {
    deps.log.error({ tenantId, err: error }, 'an alert about a hot lead could not be sent: it stays an open task');
    return { kind: 'failed', response: faultOf(error) };
  }
}

function afterwards(outcome: Told, nowMs: number): Partial<typeof tasks.$inferInsert> {
  if (outcome.kind === 'accepted') return { state: 'done', result: 'told in the admin chat', closedAt: nowMs, closedBy: 'telegram' };
  const result = `the admin chat was not told: ${outcome.response}`.slice(0, 500);
  // Certainly not delivered, and a later attempt may succeed.
  if (outcome.kind === 'refused' && outcome.severity === 'soft') return { claimedAt: null, dueAt: nowMs + pauseMs, result };
  return { result };
}
