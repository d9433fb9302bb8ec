import { and, eq } from 'drizzle-orm';
import { callFunction } from '../../db/client.ts';
import { connections } from '../../db/schema/index.ts';
import type { Bot, BotMessage, SendOutcome } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';
import { holdUp, scopesOfOutlet } from '../dispatch/pace.ts';
import { type Outlet, senderContextOf } from '../outlets.ts';
import type { BotRef } from './lease.ts';

/** An answer that cannot leave sooner is none any more. */
const longestWaitMs = 30_000;
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
 * Say something inside a conversation, in its turn under the rates of the bot and of the chat. It is said once, whatever comes of it: the caller has
 * stored before that it is being said (docs/adr/0057). Messages of sequences never go this way.
 */
export async function sayInChat(deps: Deps, ref: BotRef, chatId: string, message: BotMessage): Promise<SendOutcome> {
  const opened = await openBot(deps, ref);
  if (opened === null) return { kind: 'refused', severity: 'soft', response: 'the bot is not connected' };
  const { bot, outlet } = opened;
  const scopes = scopesOfOutlet(outlet, deps.sealing.addressHash(ref.tenantId, 'telegram', chatId));
  const latest = new Date(deps.clock.nowMs() + longestWaitMs).toISOString();
  const inMs = await deps.db.withTenant(ref.tenantId, (tx) =>
    callFunction<number>(tx, 'reserve_send_slot($1, $2)', [JSON.stringify(scopes), latest]),
  );
  if (inMs > longestWaitMs) return { kind: 'refused', severity: 'soft', outage: true, response: 'too many messages are waiting for their turn' };
  if (inMs > 0) await new Promise((done) => setTimeout(done, inMs));
  const outcome = await bot.reply(chatId, message, { timeoutMs: replyTimeoutMs });
  const retryAfterMs = outcome.kind === 'refused' ? outcome.retryAfterMs : undefined;
  if (retryAfterMs !== undefined) await deps.db.withTenant(ref.tenantId, (tx) => holdUp(tx, ref.tenantId, outlet, retryAfterMs));
  return outcome;
}

/** Tell the person's program that their button was heard. One that is too old to be acknowledged changes nothing. */
export async function acknowledgeButton(deps: Deps, ref: BotRef, queryId: string): Promise<void> {
  try {
    await (await openBot(deps, ref))?.bot.acknowledge(queryId);
  } catch (error) {
    deps.log.warn({ ...ref, err: error }, 'a button could not be acknowledged');
  }
}
