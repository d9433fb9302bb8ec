import type { Deps } from '../deps.ts';
import { askNext, deliverNext } from './deliver.ts';

/** Of one store at once, so that one receiver that takes its time does not hold up the others. */
const atOnce = 3;
const mostStores = 10;

export interface NotificationWorker {
  /** Attend to every store that has notifications to send. */
  pass(): Promise<boolean>;
  /** Resolves when the calls in hand are settled. */
  stop(): Promise<void>;
}

export function createNotificationWorker(deps: Deps): NotificationWorker {
  const running = new Map<string, Promise<void>>();
  const inHand = new Set<string>();
  let stopped = false;

  const attend = async (tenantId: string) => {
    const lane = async () => {
      while (!stopped && (await deliverNext(deps, tenantId, inHand)));
      while (!stopped && (await askNext(deps, tenantId)));
    };
    const done = await Promise.allSettled(Array.from({ length: atOnce }, lane));
    const failed = done.find((one) => one.status === 'rejected');
    if (failed !== undefined) deps.log.error({ tenantId, err: failed.reason as unknown }, 'notifications failed and are tried again');
  };

  return {
    async pass() {
      if (stopped) return false;
      for (const tenantId of await deps.db.tenantsWithWork('notifications')) {
        if (running.has(tenantId) || running.size >= mostStores) continue;
        running.set(
          tenantId,
          attend(tenantId).finally(() => running.delete(tenantId)),
        );
      }
      return false;
    },
    async stop() {
      stopped = true;
      await Promise.all(running.values());
    },
  };
}
