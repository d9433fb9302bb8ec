import { and, eq } from 'drizzle-orm';
import { connections } from '../../db/schema/index.ts';
import type { Bot, BotMessage, SendOutcome } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';
import { holdUp, makeRoom } from '../dispatch/pace.ts';
import { type Outlet, senderContextOf } from '../outlets.ts';
import type { BotRef } from './lease.ts';

/** An answer that cannot leave sooner has lost its place in the conversation. */
const patienceMs = 10_000;
const replyTimeoutMs = 5_000;

/** The bot of a connection, and the outlet whose rates its answers share with messages of sequences. @returns null: it is not connected */
async function openBot(deps: Deps, { tenantId, connectionId }: BotRef): Promise<{ bot: Bot; outlet: Outlet } | null> {
  const [row] = await deps.db.withTenant(tenantId, (tx) =>
    tx
      .select()
      .from(connections)
      .where(and(eq(connections.id, connectionId), eq(connections.state, 'connected'))),
  );
  if (row === undefined || row.sealedConfig === null) return null;
  const config = deps.sealing.open(row.sealedConfig);
  const bot = deps.integrations[row.integration]?.bot?.(JSON.parse(config));
  const [sender] = deps.createSenders(row.integration, config, senderContextOf(deps, row));
  return bot === undefined || sender === undefined ? null : { bot, outlet: { connectionId, rate: row.rate, sender } };
}

/**
 * Say something inside a conversation, at once: somebody waits for it. It takes its place in the rate of the bot, and what messages of sequences
 * have reserved moves back for it where needed: it waits behind none of them. It is said once, whatever comes of it: the caller has stored before that it is being said (docs/adr/0057). Only a
 * refusal that asks for a short pause is followed by another attempt.
 */
export async function sayInChat(deps: Deps, ref: BotRef, chatId: string, message: BotMessage): Promise<SendOutcome> {
  const opened = await openBot(deps, ref);
  if (opened === null) return { kind: 'refused', severity: 'soft', response: 'the bot is not connected' };
  const { bot, outlet } = opened;
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const waitMs = await deps.db.withTenant(ref.tenantId, (tx) => makeRoom(tx, outlet));
    if (performance.now() + waitMs > untilMs) return { kind: 'refused', severity: 'soft', response: 'the provider takes no more messages for now' };
    if (waitMs > 0) await new Promise((done) => setTimeout(done, Math.ceil(waitMs)));
    const outcome = await bot.reply(chatId, message, { timeoutMs: replyTimeoutMs });
    const retryAfterMs = outcome.kind === 'refused' ? outcome.retryAfterMs : undefined;
    if (retryAfterMs === undefined) return outcome;
    await deps.db.withTenant(ref.tenantId, (tx) => holdUp(tx, ref.tenantId, outlet, retryAfterMs));
    if (performance.now() + retryAfterMs > untilMs) return outcome;
    await new Promise((done) => setTimeout(done, retryAfterMs));
  }
}

/** Tell the person's program that their button was heard. One that is too old to be acknowledged changes nothing. */
export async function acknowledgeButton(deps: Deps, ref: BotRef, queryId: string): Promise<void> {
  try {
    await (await openBot(deps, ref))?.bot.acknowledge(queryId);
  } catch (error) {
    deps.log.warn({ ...ref, err: error }, 'a button could not be acknowledged');
  }
}
