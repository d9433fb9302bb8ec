import { and, eq, sql } from 'drizzle-orm';
import { chatUpdates } from '../../db/schema/index.ts';
import { faultOf } from '../../db/client.ts';
import type { Deps } from '../deps.ts';
import { sendAlerts } from './alerts.ts';
import { answerChat } from './answer.ts';
import { type ChatRef, isUpdate, nextUpdate, waitingChats } from './store.ts';

/** So many chats of a store are answered at once by one process. */
const atOnce = 50;
/** A chat whose update fails is taken up again after that, longer each time. */
const longestPauseS = 300;

export interface ChatWorker {
  /** Take up every chat in which something waits. @returns false: there is nothing to do at once */
  pass(): Promise<boolean>;
  /** Ends when no answer is on its way any more. */
  stop(): Promise<void>;
}

/** Answers chats: different ones at once, the updates of one in their order. It waits for no rate of marketing: an answer is due within a second. */
export function createChatWorker(deps: Deps): ChatWorker {
  const ended = new AbortController();
  const running = new Map<string, Promise<void>>();
  const run = (key: string, work: () => Promise<void>) => {
    if (!running.has(key))
      running.set(
        key,
        work().finally(() => running.delete(key)),
      );
  };
  const take = (ref: ChatRef) =>
    run(`${ref.tenantId} ${ref.connectionId} ${ref.chatId}`, () =>
      answerChat(deps, ref, ended.signal)
        .then((alerts) => (alerts ? sendAlerts(deps, ref.tenantId) : undefined))
        .catch((error: unknown) => putOff(deps, ref, error)),
    );
  // Beside the chats: an admin chat whose bot has to wait holds up no conversation.
  const tellAdmin = (tenantId: string) =>
    run(`alerts ${tenantId}`, () =>
      sendAlerts(deps, tenantId).catch((error: unknown) => deps.log.error({ tenantId, err: error }, 'alerts about hot leads are tried again')),
    );
  return {
    async pass() {
      if (ended.signal.aborted) return false;
      for (const tenantId of await deps.db.tenantsWithWork('chats')) {
        for (const ref of await deps.db.withTenant(tenantId, (tx) => waitingChats(tx, tenantId, atOnce))) take(ref);
      }
      for (const tenantId of await deps.db.tenantsWithWork('alerts')) tellAdmin(tenantId);
      return false;
    },
    async stop() {
      ended.abort();
      await Promise.all(running.values());
    },
  };
}

/** After so many attempts an update is left without an answer: those behind it wait no longer. */
const mostAttempts = 8;

/** An update that cannot be taken in holds up its own chat for a while, and no other. */
async function putOff(deps: Deps, ref: ChatRef, error: unknown): Promise<void> {
  const { tenantId, connectionId } = ref;
  try {
    const update = await deps.db.withTenant(tenantId, async (tx) => {
      const next = await nextUpdate(tx, ref);
      if (next === null) return null;
      const isOver = next.attempts + 1 >= mostAttempts;
      await tx
        .update(chatUpdates)
        .set({
          state: isOver ? 'silent' : 'waiting',
          attempts: sql`attempts + 1`,
          nextAt: sql`clock_timestamp() + make_interval(secs => least(${longestPauseS}, power(2, attempts)))`,
          lastError: faultOf(error),
        })
        .where(and(isUpdate(next), eq(chatUpdates.state, 'waiting')));
      return { id: next.updateId, isOver };
    });
    const message =
      update?.isOver === true
        ? 'an update of a chat could not be taken in, and is left without an answer'
        : 'an update of a chat could not be taken in, and is tried again';
    deps.log.error({ tenantId, connectionId, update: update?.id ?? null, err: error }, message);
  } catch (cause) {
    deps.log.error(
      { tenantId, connectionId, err: error, reason: faultOf(cause) },
      'an update of a chat could not be taken in, and nor could that be stored',
    );
  }
}
