import { and, asc, eq, gte, inArray, isNull, type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { webhookAttempts, webhookDeliveries, webhookEndpoints, webhookEvents } from '../../db/schema/index.ts';
import { recordAudit } from '../audit.ts';
import type { Deps } from '../deps.ts';
import { beyond, byAge, isDescending, type Page, pageOf, type PageWanted, readList, since } from '../read/page.ts';
import { messageIdOf } from './body.ts';

export const deliveryStates = ['waiting', 'held', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** One event for one endpoint. Times in epoch milliseconds. */
export interface WebhookDelivery {
  id: string;
  /** `webhook-id` of all its attempts. */
  messageId: string;
  type: string;
  state: DeliveryState;
  attempts: number;
  /** When it is attempted next; null: not by itself. */
  nextAtMs: number | null;
  lastStatus: number | null;
  lastError: string | null;
  eventAtMs: number;
  createdAtMs: number;
  settledAtMs: number | null;
}

export interface WebhookAttempt {
  number: number;
  startedAtMs: number;
  durationMs: number | null;
  status: number | null;
  error: string | null;
  answer: string | null;
}

export interface DeliverySearch {
  state?: DeliveryState | undefined;
  type?: string | undefined;
  sinceMs?: number | undefined;
}

const columns = { delivery: webhookDeliveries, type: webhookEvents.type, at: webhookEvents.at };
const ofEvent = and(eq(webhookEvents.tenantId, webhookDeliveries.tenantId), eq(webhookEvents.id, webhookDeliveries.eventId));

const present = ({
  delivery: d,
  type,
  at,
}: {
  delivery: typeof webhookDeliveries.$inferSelect;
  type: string | null;
  at: number;
}): WebhookDelivery => ({
  id: d.id,
  messageId: messageIdOf(d.eventId),
  type: type ?? '',
  state: d.state,
  attempts: d.attempts,
  nextAtMs: d.state === 'waiting' ? d.nextAt : null,
  lastStatus: d.lastStatus,
  lastError: d.lastError,
  eventAtMs: at,
  createdAtMs: d.createdAt,
  settledAtMs: d.settledAt,
});

async function exists(tx: Tx, endpointId: string): Promise<boolean> {
  const [row] = await tx
    .select({ id: webhookEndpoints.id })
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, endpointId), isNull(webhookEndpoints.removedAt)));
  return row !== undefined;
}

const inOrder = <T extends { delivery: { id: string } }>(rows: readonly T[], descending: boolean): T[] =>
  rows.toSorted(({ delivery: a }, { delivery: b }) => (a.id < b.id === descending ? 1 : -1));

/** The newest first. @returns null when there is no such endpoint */
export function listWebhookDeliveries(
  { db }: Pick<Deps, 'db'>,
  tenantId: string,
  endpointId: string,
  { state, type, sinceMs }: DeliverySearch,
  page: PageWanted,
): Promise<Page<WebhookDelivery> | null> {
  return readList({ db }, tenantId, async (tx) => {
    if (!(await exists(tx, endpointId))) return null;
    const readThose = (ofType: SQL | undefined) =>
      tx
        .select(columns)
        .from(webhookDeliveries)
        .innerJoin(webhookEvents, ofEvent)
        .where(
          and(
            eq(webhookDeliveries.endpointId, endpointId),
            beyond(webhookDeliveries.id, 'newest', page),
            state === undefined ? undefined : eq(webhookDeliveries.state, state),
            ofType,
            sinceMs === undefined ? undefined : since(webhookDeliveries.createdAt, webhookDeliveries.id, sinceMs),
          ),
        )
        .orderBy(byAge(webhookDeliveries.id, 'newest', page))
        .limit(page.limit + 1);
    const rows =
      type === undefined
        ? await readThose(undefined)
        : // Deliveries from before the column are known by their events: a page of their own.
          inOrder(
            [
              ...(await readThose(eq(webhookDeliveries.type, type))),
              ...(await readThose(and(isNull(webhookDeliveries.type), eq(webhookEvents.type, type)))),
            ],
            isDescending('newest', page),
          ).slice(0, page.limit + 1);
    const { items, next } = pageOf(rows, page.limit, ({ delivery }) => delivery.id);
    return { items: items.map(present), next };
  });
}

/** @returns null when the endpoint has no such delivery */
export function readWebhookDelivery(
  { db }: Pick<Deps, 'db'>,
  tenantId: string,
  endpointId: string,
  id: string,
): Promise<(WebhookDelivery & { log: WebhookAttempt[] }) | null> {
  return db.withTenant(tenantId, async (tx) => {
    const [row] = await tx
      .select(columns)
      .from(webhookDeliveries)
      .innerJoin(webhookEvents, ofEvent)
      .where(and(eq(webhookDeliveries.endpointId, endpointId), eq(webhookDeliveries.id, id)));
    if (row === undefined) return null;
    const attempts = await tx.select().from(webhookAttempts).where(eq(webhookAttempts.deliveryId, id)).orderBy(asc(webhookAttempts.number));
    return {
      ...present(row),
      log: attempts.map(({ number, startedAt, durationMs, status, error, answer }) => ({
        ...{ number, startedAtMs: startedAt, durationMs, status, error, answer },
      })),
    };
  });
}

/** Begins its schedule anew, at once. */
const anew = {
  state: 'waiting' as const,
  attempts: 0,
  lost: 0,
  settledAt: null,
  // An attempt that is under way keeps its lease.
  nextAt: sql`case when claimed_at is null then clock_timestamp() else next_at end`,
};

export type Redelivered = { kind: 'asked' } | { kind: 'unknown' } | { kind: 'disabled' };

/** Deliver it once more, whatever became of it: with the same `webhook-id`. */
export async function redeliver(
  deps: Pick<Deps, 'db' | 'kickRelay'>,
  { tenantId, endpointId, id, actor }: { tenantId: string; endpointId: string; id: string; actor: string },
): Promise<Redelivered> {
  const done = await deps.db.withTenant(tenantId, async (tx): Promise<Redelivered> => {
    const state = await stateOf(tx, endpointId);
    if (state !== 'enabled') return { kind: state === null ? 'unknown' : 'disabled' };
    const rows = await tx
      .update(webhookDeliveries)
      .set(anew)
      .where(and(eq(webhookDeliveries.endpointId, endpointId), eq(webhookDeliveries.id, id)))
      .returning({ id: webhookDeliveries.id });
    if (rows.length === 0) return { kind: 'unknown' };
    await recordAudit(tx, { tenantId, actor, action: 'webhook_delivery.redeliver', subject: id });
    return { kind: 'asked' };
  });
  if (done.kind === 'asked') deps.kickRelay();
  return done;
}

export type AllRedelivered = { kind: 'asked'; count: number; unfinished: boolean } | { kind: 'unknown' } | { kind: 'disabled' };

const mostRedelivered = 5_000;

/** Deliver everything once more that has failed since a moment, the oldest first. `unfinished`: there is more, ask again. */
export async function redeliverFailed(
  deps: Pick<Deps, 'db' | 'kickRelay'>,
  { tenantId, endpointId, sinceMs, actor }: { tenantId: string; endpointId: string; sinceMs: number; actor: string },
): Promise<AllRedelivered> {
  const done = await deps.db.withTenant(tenantId, async (tx): Promise<AllRedelivered> => {
    const state = await stateOf(tx, endpointId);
    if (state !== 'enabled') return { kind: state === null ? 'unknown' : 'disabled' };
    const failed = tx
      .select({ id: webhookDeliveries.id })
      .from(webhookDeliveries)
      .where(and(eq(webhookDeliveries.endpointId, endpointId), eq(webhookDeliveries.state, 'failed'), gte(webhookDeliveries.createdAt, sinceMs)))
      .orderBy(asc(webhookDeliveries.id))
      .limit(mostRedelivered);
    const rows = await tx.update(webhookDeliveries).set(anew).where(inArray(webhookDeliveries.id, failed)).returning({ id: webhookDeliveries.id });
    const data = { since: new Date(sinceMs).toISOString(), count: rows.length };
    await recordAudit(tx, { tenantId, actor, action: 'webhook_endpoint.redeliver', subject: endpointId, data });
    return { kind: 'asked', count: rows.length, unfinished: rows.length === mostRedelivered };
  });
  if (done.kind === 'asked') deps.kickRelay();
  return done;
}

async function stateOf(tx: Tx, endpointId: string): Promise<'enabled' | 'disabled' | null> {
  const [row] = await tx
    .select({ state: webhookEndpoints.state })
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.id, endpointId), isNull(webhookEndpoints.removedAt)));
  return row?.state ?? null;
}
