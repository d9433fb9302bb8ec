import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { bots } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { type BotTimes, keepBot } from './keep-bot.ts';
import { takeBot } from './lease.ts';

/** A worker's part in keeping the bots of all stores: each bot is kept by one process. */
export interface BotWorker {
  /** Take over bots without a live lease. @returns false: there is nothing to do at once */
  pass(): Promise<boolean>;
  /** Ends what this process keeps; others take it. */
  stop(): Promise<void>;
}

const usualTimes: BotTimes = { leaseMs: 20_000, renewEveryMs: 3_000, pollMs: 25_000 };

/** Bots come and go with the tokens of connections, and a process that ends leaves its own to the others. Source: docs/adr/0057-a-bot-is-kept-by-lease.md */
export function createBotWorker(deps: Deps, times: BotTimes = usualTimes): BotWorker {
  const ended = new AbortController();
  const kept = new Map<string, Promise<void>>();
  const holder = randomUUID();
  return {
    async pass() {
      if (ended.signal.aborted) return false;
      for (const tenantId of await deps.db.tenantsWithWork('bots')) {
        const free = await deps.db.withTenant(tenantId, (tx) =>
          tx
            .select({ connectionId: bots.connectionId })
            .from(bots)
            .where(sql`(held_until is null or held_until <= clock_timestamp()) and next_try_at <= clock_timestamp()`)
            .orderBy(bots.connectionId),
        );
        for (const { connectionId } of free) {
          if (kept.has(connectionId) || ended.signal.aborted) continue;
          const ref = { tenantId, connectionId };
          const taken = await takeBot(deps, ref, holder, times.leaseMs);
          if (taken === null) continue;
          const keeping = keepBot(deps, { ref, holder, times, ending: ended.signal, wasDown: taken.wasDown })
            .catch((error: unknown) => deps.log.error({ ...ref, err: error }, 'a bot is not kept any more, and another process takes it'))
            .finally(() => kept.delete(connectionId));
          kept.set(connectionId, keeping);
        }
      }
      return false;
    },
    async stop() {
      ended.abort();
      await Promise.all(kept.values());
    },
  };
}
