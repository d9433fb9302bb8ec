import { sql } from 'drizzle-orm';
import { faultOf, type Tx } from '../../db/client.ts';
import { chats, chatUpdates, tasks, type ReplySent } from '../../db/schema/index.ts';
import { renderChatMessage, skipLabels } from '../../content/chat/render.ts';
import { type ChatLanguage, chatLanguageOf } from '../../domain/chat/language.ts';
import type { Recommendations } from '../../domain/chat/property.ts';
import { showsList, type Turn, turn, type TurnFacts } from '../../domain/chat/turn.ts';
import { type Intent, intentOf } from '../../domain/chat/update.ts';
import type { DomainEvent } from '../../domain/events.ts';
import { settingsOf, type TenantSettings } from '../../domain/tenant-settings.ts';
import type { BotMessage } from '../../integrations/port.ts';
import { insertInbox } from '../apply-delivery.ts';
import { acknowledgeButton, sayInChat } from '../bots/say.ts';
import type { Deps } from '../deps.ts';
import { readTenant } from '../intake/tenant.ts';
import { changeSettingsIn } from '../settings.ts';
import { addTask } from '../tasks.ts';
import { useAdminCode } from './admin-codes.ts';
import { personOfLead, readChatToken } from './links.ts';
import { recommend } from './recommend.ts';
import {
  type ChatRef,
  type ChatUpdateRow,
  isChat,
  isUpdate,
  leadOfChat,
  lockChat,
  nextUpdate,
  readChat,
  readHotMarket,
  stateOf,
  updateOf,
} from './store.ts';

// An update is answered at most once: the turn, with the messages of its answer, is committed before the first of them is handed over, and a process that dies
// in between leaves them unsent. Source: docs/adr/0059-a-chat-is-answered-at-most-once.md

/** Recommendations that a turn chooses from: those that were shown before are left out of them. */
const mostAsked = 50;

/** What is read before the source is asked. */
interface Reading {
  update: ChatUpdateRow;
  version: number;
  intent: Intent;
  asks: boolean;
  goal: string | null;
  interest: string | null;
  area: string | null;
  language: string;
}

/** Take in and answer all that waits in a chat. @returns whether a hot lead or a new admin came of it */
export async function answerChat(deps: Deps, ref: ChatRef, signal: AbortSignal): Promise<boolean> {
  let alerts = false;
  while (!signal.aborted) {
    const reading = await deps.db.withTenant(ref.tenantId, (tx) => readBefore(tx, ref));
    if (reading === null) break;
    const recommendations = reading.asks ? await recommend(deps, ref.tenantId, { ...reading, limit: mostAsked }) : null;
    const stored = await deps.db.withTenant(ref.tenantId, (tx) => storeTurn(deps, tx, ref, reading, recommendations));
    // Another process has taken the update in meanwhile, or the chat has moved on: read again.
    if (stored === null) continue;
    await deps.checkpoints('chat.claimed');
    alerts ||= stored.turn.notifyAdmin || stored.turn.registersAdmin;
    await speak(deps, ref, reading.update, stored);
  }
  return alerts;
}

async function readBefore(tx: Tx, ref: ChatRef): Promise<Reading | null> {
  const update = await nextUpdate(tx, ref);
  if (update === null) return null;
  const { state, version } = await readChat(tx, ref);
  const settings = settingsOf(await readTenant(tx, ref.tenantId));
  const intent = intentFor(update, state.phase, settings);
  const asks = !update.late && showsList(state, updateOf(update), intent);
  const lead = asks ? await leadOfChat(tx, ref) : null;
  const goal = state.goal ?? (intent.kind === 'words' ? intent.text : intent.kind === 'goal' ? intent.goal : null);
  return {
    update,
    version,
    intent,
    asks,
    goal,
    interest: lead?.interest ?? null,
    area: lead?.area ?? null,
    language: state.language ?? chatLanguageOf(update.languageCode) ?? 'en',
  };
}

const intentFor = ({ did }: ChatUpdateRow, phase: Parameters<typeof intentOf>[1]['phase'], { country }: TenantSettings) =>
  intentOf(did, { phase, country, skips: skipLabels });

/** The turn under the chat's lock, with everything that follows from it, in one transaction. @returns null: what was read before is stale */
async function storeTurn(
  deps: Deps,
  tx: Tx,
  ref: ChatRef,
  reading: Reading,
  recommendations: Recommendations | null,
): Promise<{ turn: Turn; messages: BotMessage[]; leadId: string | null; language: ChatLanguage } | null> {
  const { tenantId } = ref;
  // The update first, then the chat, as an erasure takes them: whoever erases one meanwhile leaves nothing to answer.
  const [update] = await tx.select().from(chatUpdates).where(isUpdate(reading.update)).for('update');
  if (update?.state !== 'waiting') return null;
  const row = await lockChat(tx, ref);
  if (row.version !== reading.version) return null;
  const nowMs = deps.clock.nowMs();
  const state = stateOf(row);
  const tenant = await readTenant(tx, tenantId);
  const settings = settingsOf(tenant);
  const { intent } = reading;
  const lead = await leadOfChat(tx, ref);
  const isAnswered = !update.late && state.blockedBy === null;
  const code = intent.kind === 'set_admin' && intent.code !== '' && isAnswered ? await useAdminCode(tx, tenantId, intent.code, row, nowMs) : null;
  const result = turn(state, updateOf(update), intent, {
    nowMs,
    answers: !update.late,
    recommendations,
    hotMarket: reading.asks && (await readHotMarket(tx, [lead?.area ?? null, reading.goal, reading.interest], nowMs)),
    lowStockAt: settings.lowStockAt,
    joined: await joinedBy(deps, tx, ref, update),
    adminCode: code?.verdict ?? null,
    waitingAlerts: code?.verdict === 'accepted' ? await waitingAlerts(tx) : 0,
  });
  const language = result.state.language ?? 'en';
  const messages = result.messages.map((message) => asBotMessage(renderChatMessage(message, language, storeOf(settings))));
  await tx
    .update(chats)
    .set({ ...result.state, shown: [...result.state.shown], ...code?.guesses, version: row.version + 1, updatedAt: nowMs })
    .where(isChat(ref));
  await tx
    .update(chatUpdates)
    .set(
      messages.length === 0
        ? { state: 'silent', settledAt: nowMs }
        : { state: 'claimed', claimedAt: nowMs, replies: messages.map(({ text }) => text) },
    )
    .where(isUpdate(update));
  await storeTasks(tx, ref, result, lead?.subjectId ?? null);
  await tellIntake(tx, ref, update, result);
  if (result.registersAdmin) await changeSettingsIn(tx, tenantId, { changes: { adminChatId: ref.chatId }, expectedVersion: null, by: 'telegram' });
  return { turn: result, messages, leadId: lead?.subjectId ?? null, language };
}

export const storeOf = ({ storeName, timeZone }: TenantSettings) => ({ name: storeName, timeZone });

async function joinedBy(deps: Deps, tx: Tx, { tenantId }: ChatRef, { token }: ChatUpdateRow): Promise<TurnFacts['joined']> {
  const leadId = token === null ? null : readChatToken(deps, tenantId, token);
  return leadId === null ? null : personOfLead(tx, leadId);
}

async function waitingAlerts(tx: Tx): Promise<number> {
  const [row] = await tx
    .select({ count: sql<number>`count(*)::int` })
    .from(tasks)
    .where(sql`kind = 'hot_lead' and state = 'open' and claimed_at is null`);
  return row?.count ?? 0;
}

async function storeTasks(tx: Tx, ref: ChatRef, { alert, tasks: wishes, state }: Turn, subjectId: string | null): Promise<void> {
  const { tenantId, connectionId, chatId } = ref;
  const chat = { connectionId, chatId };
  if (alert !== null) {
    const { name, phone, goal, atMs } = alert;
    await addTask(tx, tenantId, { kind: 'hot_lead', key: null, subjectId, data: { name, phone, goal, time: new Date(atMs).toISOString(), ...chat } });
  }
  for (const { kind, note } of wishes) {
    const data = { name: state.name, phone: state.phone, goal: state.goal, ...(note === null ? {} : { note }), ...chat };
    await addTask(tx, tenantId, { kind, key: `${kind}:${connectionId}:${chatId}`, subjectId, data });
  }
}

/** What became known about the person is an event like any other: the same rules join it to what is known. Applied by the inbox worker. */
async function tellIntake(tx: Tx, { tenantId, connectionId, chatId }: ChatRef, update: ChatUpdateRow, { leadChanges, state }: Turn): Promise<void> {
  const { phone, language } = leadChanges;
  // A shared contact has come as an event of its own; a language that the app states, too.
  const isWritten = phone !== undefined && update.did.kind === 'text';
  const isChosen = language !== undefined && update.did.kind === 'button';
  if (!isWritten && !isChosen) return;
  const unknown = { email: null, externalId: null, firstName: null, lastName: null, timeZone: null, country: null, region: null };
  const event: DomainEvent = {
    type: 'contact.updated',
    occurredAtMs: update.receivedAt,
    person: {
      ...unknown,
      telegram: chatId,
      phone: isWritten ? phone : null,
      locale: isChosen ? state.language : null,
      orderCount: null,
      lifetimeValueMinor: null,
      consents: [],
    },
  };
  await insertInbox(tx, { tenantId, connectionId, dedupeKey: `chat:${update.updateId}`, topic: 'chat' }, 'pending', [event]);
}

/** Hand the messages over, one after another. Never throws. */
async function speak(
  deps: Deps,
  ref: ChatRef,
  update: ChatUpdateRow,
  { messages, leadId, language }: { messages: readonly BotMessage[]; leadId: string | null; language: ChatLanguage },
): Promise<void> {
  const { tenantId, connectionId } = ref;
  const sent: ReplySent[] = [];
  try {
    // The button stops waiting; whether it does is no part of the answer.
    if (update.queryId !== null && !update.late) void acknowledgeButton(deps, ref, update.queryId);
    for (const message of messages) {
      const outcome = await sayInChat(deps, ref, ref.chatId, message);
      if (sent.length === 0 && outcome.kind === 'accepted') deps.telemetry.chatAnswered(Math.max(0, deps.clock.nowMs() - update.receivedAt));
      sent.push({
        outcome: outcome.kind,
        providerMessageId: outcome.kind === 'accepted' ? outcome.providerMessageId : null,
        response: outcome.response.slice(0, 500),
      });
      if (outcome.kind === 'refused') break;
    }
  } catch (error) {
    deps.log.error({ tenantId, connectionId, err: error }, 'a chat could not be answered');
    sent.push({ outcome: null, providerMessageId: null, response: faultOf(error) });
  }
  if (messages.length === 0) return;
  await deps.db.withTenant(tenantId, (tx) =>
    tx.update(chatUpdates).set({ state: 'answered', sent, settledAt: deps.clock.nowMs() }).where(isUpdate(update)),
  );
  const failed = sent.find(({ outcome }) => outcome !== 'accepted');
  if (failed === undefined) deps.log.info({ tenantId, connectionId, lead: leadId, language, messages: sent.length }, 'message sent');
  else deps.log.warn({ tenantId, connectionId, lead: leadId, reason: failed.response }, 'an answer in a chat did not arrive');
}

function asBotMessage({ text, keys }: ReturnType<typeof renderChatMessage>): BotMessage {
  const buttons = keys?.kind === 'buttons' ? keys.rows.map((row) => row.map((button) => ({ text: button.text, value: button.data }))) : [];
  if (keys === null || keys.kind === 'buttons') return { text, buttons };
  if (keys.kind === 'closed') return { text, buttons, keyboard: { kind: 'closed' } };
  return { text, buttons, keyboard: { kind: 'share_contact', share: keys.share, skip: keys.skip } };
}
