import { and, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import { webhookEndpoints } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import { deliverNext } from './deliver.ts';
import { expandEvents } from './expand.ts';

// One slow or dead endpoint delays no other: each has attempts of its own, so many at once, and one that fails has one.
const atOnce = 5;
const atOnceWhileFailing = 1;
/** Transactions at once: attempts wait for receivers, and must not take the connections that dispatches need. */
const transactionsAtOnce = 6;
/** Endpoints that one process attends to at once; half of them at most may be failing ones, which take their time. */
const mostEndpoints = 100;
const mostFailing = mostEndpoints / 2;

export interface WebhookWorker {
  /** Make deliveries of new events, and attend to every endpoint that has something due. @returns whether there may be more to do at once */
  pass(): Promise<boolean>;
  /** Ends the attempts; those without an answer are made by another worker. */
  stop(): Promise<void>;
}

export function createWebhookWorker(given: Deps): WebhookWorker {
  const inLine = createLine(transactionsAtOnce);
  const deps: Deps = {
    ...given,
    db: { ...given.db, withTenant: (tenantId, work, wanted) => inLine(() => given.db.withTenant(tenantId, work, wanted)) },
  };
  const ended = new AbortController();
  const running = new Map<string, { failing: boolean; done: Promise<void> }>();

  const attend = (tenantId: string, endpointId: string, failing: boolean) => {
    const key = `${tenantId} ${endpointId}`;
    const done = Promise.all(
      Array.from({ length: failing ? atOnceWhileFailing : atOnce }, async () => {
        do if ((await deliverNext(deps, { tenantId, endpointId }, ended.signal)) === null) return;
        while (
          // A failing one gives its place to the next after each attempt.
          !failing &&
          !ended.signal.aborted
        );
      }),
    )
      .catch((err: unknown) => deps.log.error({ tenantId, endpointId, err }, 'outgoing webhooks failed and are tried again'))
      .then(() => void running.delete(key));
    running.set(key, { failing, done });
  };

  return {
    async pass() {
      if (ended.signal.aborted) return false;
      let more = false;
      for (const tenantId of await deps.db.tenantsWithWork('webhook_events')) more = (await expandEvents(deps, tenantId)) || more;
      for (const tenantId of shuffled(await deps.db.tenantsWithWork('webhook_deliveries'))) {
        for (const { id, failing } of shuffled(await dueEndpoints(deps, tenantId))) {
          if (running.has(`${tenantId} ${id}`) || running.size >= mostEndpoints) continue;
          if (failing && [...running.values()].filter((one) => one.failing).length >= mostFailing) continue;
          attend(tenantId, id, failing);
        }
      }
      return more;
    },
    async stop() {
      ended.abort();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}

/** Where there are more than are attended to, each gets its turn. */
const shuffled = <T>(list: readonly T[]): T[] =>
  list
    .map((one) => ({ one, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ one }) => one);

function dueEndpoints({ db }: Pick<Deps, 'db'>, tenantId: string): Promise<{ id: string; failing: boolean }[]> {
  return db.withTenant(tenantId, async (tx) => {
    const rows = await tx
      .select({ id: webhookEndpoints.id, failing: isNotNull(webhookEndpoints.failingSince) })
      .from(webhookEndpoints)
      .where(
        and(
          eq(webhookEndpoints.state, 'enabled'),
          isNull(webhookEndpoints.removedAt),
          sql`exists (select from webhook_deliveries d where d.tenant_id = ${webhookEndpoints.tenantId} and d.endpoint_id = ${webhookEndpoints.id}
            and d.state = 'waiting' and d.next_at <= clock_timestamp())`,
        ),
      );
    return rows.map(({ id, failing }) => ({ id, failing: Boolean(failing) }));
  });
}

/** Runs so many at once; the others wait in line. */
function createLine(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((turn) => waiting.push(turn));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
