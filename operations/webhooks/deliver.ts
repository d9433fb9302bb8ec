import { and, asc, eq, inArray, isNull, lte, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { webhookAttempts, webhookDeliveries, webhookEndpoints, webhookEvents } from '../../db/schema/index.ts';
import { isGivenUp, mostLost, nextAttempt, type NextAttempt } from '../../domain/webhooks/next-attempt.ts';
import type { Deps } from '../deps.ts';
import { messageIdOf, readBody } from './body.ts';
import { attemptMs, type Posted, postWebhook } from './post.ts';

type DeliveryRow = typeof webhookDeliveries.$inferSelect;
type EndpointRow = typeof webhookEndpoints.$inferSelect;

export interface Where {
  tenantId: string;
  endpointId: string;
}

/** An attempt that is to be made, and that nobody else makes before the lease is over. */
interface Claimed {
  delivery: DeliveryRow;
  endpoint: EndpointRow;
  body: string;
}

/** Far longer than an attempt: what a worker that died had begun is attempted again after that. */
const leaseMs = 4 * attemptMs;

/**
 * Make the attempt of one endpoint that is due first.
 * @param ended - aborted when the process ends: the attempt does not count then, and is made again
 * @returns what came of it; null: none is due
 */
export async function deliverNext(deps: Deps, where: Where, ended: AbortSignal): Promise<'taken' | 'not_taken' | null> {
  const claimed = await claim(deps, where);
  if (claimed === null) return null;
  if (claimed === 'given_up') return 'not_taken';
  await deps.checkpoints('webhook.claimed');
  const { delivery, endpoint, body } = claimed;
  const posted = await postWebhook(
    deps.clock,
    { url: endpoint.url, id: messageIdOf(delivery.eventId), body, secrets: secretsOf(deps, endpoint) },
    ended,
  );
  await deps.checkpoints('webhook.answered');
  if (ended.aborted && posted.outcome.kind === 'unanswered') await giveBack(deps, where, delivery);
  else await settle(deps, where, claimed, posted);
  return posted.outcome.kind === 'answered' && posted.outcome.status < 300 ? 'taken' : 'not_taken';
}

/** The older of two secrets signs as well until its time is over. */
function secretsOf({ sealing, clock }: Pick<Deps, 'sealing' | 'clock'>, { secrets, oldSecretUntil }: EndpointRow): string[] {
  const live = oldSecretUntil !== null && oldSecretUntil > clock.nowMs() ? secrets : secrets.slice(0, 1);
  return live.map((secret) => sealing.open(secret));
}

/** The first process to update the row makes the attempt; `next_at` hides it from the others meanwhile, and `claims` says whose it is. */
function claim({ db, clock }: Deps, { tenantId, endpointId }: Where): Promise<Claimed | 'given_up' | null> {
  return db.withTenant(tenantId, async (tx) => {
    const [endpoint] = await tx
      .select()
      .from(webhookEndpoints)
      .where(and(eq(webhookEndpoints.id, endpointId), eq(webhookEndpoints.state, 'enabled'), isNull(webhookEndpoints.removedAt)));
    if (endpoint === undefined) return null;
    const [due] = await tx
      .select()
      .from(webhookDeliveries)
      .where(
        and(
          eq(webhookDeliveries.endpointId, endpointId),
          eq(webhookDeliveries.state, 'waiting'),
          lte(webhookDeliveries.nextAt, sql`clock_timestamp()`),
        ),
      )
      .orderBy(asc(webhookDeliveries.nextAt))
      .limit(1)
      .for('update', { skipLocked: true });
    if (due === undefined) return null;
    const { claimedAt } = due;
    const lost = due.lost + (claimedAt === null ? 0 : 1);
    if (claimedAt !== null) await noteLost(tx, due, claimedAt);
    if (lost > mostLost) {
      const gone = { state: 'failed' as const, lost, claimedAt: null, settledAt: clock.nowMs(), lastError: `${lostError}, ${lost} times in a row` };
      await tx.update(webhookDeliveries).set(gone).where(eq(webhookDeliveries.id, due.id));
      return 'given_up';
    }
    const [event] = await tx.select().from(webhookEvents).where(eq(webhookEvents.id, due.eventId));
    if (event === undefined) return null;
    const body = await readBody(tx, event, endpoint.includePersonalData);
    const [delivery] = await tx
      .update(webhookDeliveries)
      .set({
        lost,
        claims: due.claims + 1,
        claimedAt: sql`clock_timestamp()`,
        nextAt: sql`clock_timestamp() + make_interval(secs => ${leaseMs / 1_000})`,
      })
      .where(eq(webhookDeliveries.id, due.id))
      .returning();
    return delivery === undefined ? null : { delivery, endpoint, body };
  });
}

const lostError = 'the worker that made the attempt ended before it knew the answer';

/** A claim whose lease is over without an outcome. */
async function noteLost(tx: Tx, { tenantId, id, claims }: DeliveryRow, startedAt: number): Promise<void> {
  await tx
    .insert(webhookAttempts)
    .values({ tenantId, id: uuidv7(), deliveryId: id, number: claims, startedAt, error: lostError })
    .onConflictDoNothing();
}

const mine = ({ id, claims }: DeliveryRow) => and(eq(webhookDeliveries.id, id), eq(webhookDeliveries.claims, claims), sql`claimed_at is not null`);

/** The process ends: another worker makes the attempt at once. */
function giveBack({ db }: Deps, { tenantId }: Where, delivery: DeliveryRow): Promise<unknown> {
  return db.withTenant(tenantId, (tx) => tx.update(webhookDeliveries).set({ claimedAt: null, nextAt: sql`clock_timestamp()` }).where(mine(delivery)));
}

/** Record what came of an attempt, and decide what follows. One that took so long that another worker has begun the next is recorded by that one. */
async function settle(deps: Deps, { tenantId, endpointId }: Where, { delivery, endpoint }: Claimed, posted: Posted): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const attempts = delivery.attempts + 1;
  const next = nextAttempt(posted.outcome, { attempts, random: Math.random(), nowMs });
  const status = posted.outcome.kind === 'answered' ? posted.outcome.status : null;
  const disabled = await deps.db.withTenant(tenantId, async (tx) => {
    const settled = await tx
      .update(webhookDeliveries)
      .set({ attempts, claimedAt: null, lost: 0, lastStatus: status, lastError: posted.error, ...columnsAfter(next, nowMs) })
      .where(mine(delivery))
      .returning({ id: webhookDeliveries.id });
    if (settled.length === 0) return null;
    await tx.insert(webhookAttempts).values({
      tenantId,
      id: uuidv7(),
      deliveryId: delivery.id,
      number: delivery.claims,
      startedAt: nowMs - posted.durationMs,
      durationMs: posted.durationMs,
      status,
      error: posted.error,
      answer: endpoint.includePersonalData ? null : posted.answer,
    });
    return noteHealth(tx, endpointId, next, nowMs);
  });
  if (disabled !== null)
    deps.log.warn(
      { tenantId, endpointId, reason: disabled },
      'an endpoint of outgoing webhooks was disabled: what it is to be told waits until it is enabled again',
    );
}

/** A delivery that was held meanwhile stays so, unless it is over. */
function columnsAfter(next: NextAttempt, nowMs: number) {
  switch (next.kind) {
    case 'delivered':
      return { state: 'delivered' as const, settledAt: nowMs };
    case 'given_up':
      return { state: 'failed' as const, settledAt: nowMs };
    case 'retry':
      return { nextAt: next.atMs };
    case 'gone':
      return { nextAt: nowMs };
  }
}

/** What an attempt says about its endpoint. @returns why it was disabled by it; null: it was not */
async function noteHealth(tx: Tx, endpointId: string, next: NextAttempt, nowMs: number): Promise<'gone' | 'failing' | null> {
  if (next.kind === 'delivered') {
    await tx
      .update(webhookEndpoints)
      .set({ failingSince: null })
      .where(and(eq(webhookEndpoints.id, endpointId), sql`failing_since is not null`));
    return null;
  }
  const [endpoint] = await tx
    .update(webhookEndpoints)
    .set({ failingSince: sql`coalesce(failing_since, ${new Date(nowMs).toISOString()}::timestamptz)` })
    .where(eq(webhookEndpoints.id, endpointId))
    .returning();
  if (endpoint === undefined || endpoint.state === 'disabled') return null;
  const reason = next.kind === 'gone' ? 'gone' : isGivenUp(endpoint.failingSince ?? nowMs, nowMs) ? 'failing' : null;
  if (reason !== null) await disableEndpoint(tx, endpointId, reason, nowMs);
  return reason;
}

/** Nothing is attempted any more. By hand: nothing is recorded for it either; else what happens meanwhile waits. */
export async function disableEndpoint(tx: Tx, endpointId: string, reason: 'by_hand' | 'gone' | 'failing', nowMs: number): Promise<void> {
  await tx
    .update(webhookEndpoints)
    .set({ state: 'disabled', disabledReason: reason, disabledAt: nowMs, listens: reason !== 'by_hand' })
    .where(eq(webhookEndpoints.id, endpointId));
  await tx
    .update(webhookDeliveries)
    .set({ state: 'held' })
    .where(and(eq(webhookDeliveries.endpointId, endpointId), eq(webhookDeliveries.state, 'waiting')));
}

/** What waits is attempted at once. */
export async function enableEndpoint(tx: Tx, endpointId: string): Promise<void> {
  await tx
    .update(webhookEndpoints)
    .set({ state: 'enabled', disabledReason: null, disabledAt: null, listens: true, failingSince: null })
    .where(eq(webhookEndpoints.id, endpointId));
  await tx
    .update(webhookDeliveries)
    // An attempt that is under way keeps its lease.
    .set({ state: 'waiting', nextAt: sql`case when claimed_at is null then clock_timestamp() else next_at end` })
    .where(and(eq(webhookDeliveries.endpointId, endpointId), inArray(webhookDeliveries.state, ['held', 'waiting'])));
}
