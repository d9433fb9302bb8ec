import { createHash } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { CommitUnclearError, faultOf, isLockFailure, type Tx } from '../db/client.ts';
import { inbox, quarantine } from '../db/schema/index.ts';
import type { DomainEvent } from '../domain/events.ts';
import type { Delivery, Secrets } from '../integrations/port.ts';
import { type Applied, applyEvents, isStop } from './events/apply.ts';
import { MovedError } from './events/identities.ts';
import type { Deps } from './deps.ts';
import { readLiveClaims } from './lease-watch.ts';

/** How long a shop may wait for its answer, from the delivery's arrival (design: shops give up at 5 s). */
export const answerBudgetMs = 4_500;

/** What a delivery is answered with; `api/` turns it into a status. */
export type Acceptance =
  | { kind: 'accepted'; result: 'applied' | 'repeated' | 'ignored' | 'quarantined' | 'pending' }
  | { kind: 'refused'; reason: 'unknown_connection' | 'missing_signature' | 'bad_signature' | 'stale' | 'not_json' }
  /** Stored or not, the sender must come again: the answer could not be given in time. */
  | { kind: 'busy' };

/**
 * Take in one webhook delivery: verify, store, apply, wait for the calls that a stop covers, and only then accept.
 * Nothing is accepted that is not committed (G3); a repeat is accepted no earlier than the first would have been (G2).
 * @param connectionId - from the URL; null where the URL names only the integration
 */
export async function acceptDelivery(deps: Deps, integration: string, connectionId: string | null, delivery: Delivery): Promise<Acceptance> {
  const startedMs = deps.clock.monotonicMs();
  const acceptance = await accept(deps, integration, connectionId, delivery, startedMs);
  const result = acceptance.kind === 'accepted' ? acceptance.result : acceptance.kind === 'busy' ? 'busy' : acceptance.reason;
  deps.telemetry.webhook(integration, result, deps.clock.monotonicMs() - startedMs);
  return acceptance;
}

async function accept(deps: Deps, integration: string, connectionId: string | null, delivery: Delivery, startedMs: number): Promise<Acceptance> {
  const receiver = deps.receivers[integration];
  if (receiver === undefined) return { kind: 'refused', reason: 'unknown_connection' };
  const connection = await deps.db.resolveConnection(integration, connectionId);
  if (connection === null) return { kind: 'refused', reason: 'unknown_connection' };
  const [first, second] = connection.secrets.map((s) => deps.sealing.open(s));
  if (first === undefined) return { kind: 'refused', reason: 'unknown_connection' };
  const secrets: Secrets = second === undefined ? [first] : [first, second];
  const fault = receiver.verify(delivery, secrets);
  if (fault !== null) return { kind: 'refused', reason: fault };
  let body: unknown;
  try {
    body = JSON.parse(delivery.raw.toString('utf8'));
  } catch {
    return { kind: 'refused', reason: 'not_json' };
  }
  const understood = receiver.normalise(delivery, body);
  // A delivery without an id of its own is known by its bytes: a repeat sends the same.
  const dedupeKey = receiver.dedupeKey(delivery) ?? `sha256:${createHash('sha256').update(understood.topic).update('\n').update(delivery.raw).digest('hex')}`;
  const row: StoredDelivery = { tenantId: connection.tenantId, connectionId: connection.id, dedupeKey, topic: understood.topic };
  switch (understood.kind) {
    case 'ignored':
      return store(deps, row, 'ignored', null);
    case 'unreadable':
      return store(deps, row, 'quarantined', { reason: understood.reason, body: delivery.raw.toString('utf8') });
    case 'events':
      return acceptEvents(deps, row, understood.events, startedMs);
  }
}

export interface StoredDelivery {
  tenantId: string;
  connectionId: string;
  dedupeKey: string;
  topic: string;
}

async function store(deps: Deps, row: StoredDelivery, state: 'ignored' | 'quarantined', kept: { reason: string; body: string } | null): Promise<Acceptance> {
  const fresh = await twiceIfUnclear(() =>
    deps.db.withTenant(row.tenantId, async (tx) => {
      const id = await insertInbox(tx, row, state, []);
      if (id !== null && kept !== null) {
        // A NUL is the one character that Postgres's text cannot hold.
        await tx.insert(quarantine).values({ tenantId: row.tenantId, id: uuidv7(), connectionId: row.connectionId, inboxId: id, topic: row.topic, reason: kept.reason, body: kept.body.replaceAll('\0', '\uFFFD') });
      }
      return id !== null;
    }),
  );
  return { kind: 'accepted', result: fresh ? state : 'repeated' };
}

async function insertInbox(tx: Tx, row: StoredDelivery, state: 'applied' | 'pending' | 'ignored' | 'quarantined', events: DomainEvent[]): Promise<string | null> {
  const id = uuidv7();
  const made = await tx
    .insert(inbox)
    .values({ ...row, id, state, events, ...(state === 'applied' ? { appliedAt: sql`clock_timestamp()` } : {}) })
    .onConflictDoNothing({ target: [inbox.tenantId, inbox.connectionId, inbox.dedupeKey] })
    .returning({ id: inbox.id });
  return made.length === 0 ? null : id;
}

/** COMMIT's fate unclear: the inbox row makes doing it again, on a new connection, harmless. */
async function twiceIfUnclear<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CommitUnclearError)) throw error;
    return work();
  }
}

type Attempt = { kind: 'applied' | 'repeated'; applied: Applied } | { kind: 'locked' };

async function acceptEvents(deps: Deps, row: StoredDelivery, events: DomainEvent[], startedMs: number): Promise<Acceptance> {
  const budgetLeft = () => answerBudgetMs - (deps.clock.monotonicMs() - startedMs);
  let attempt = await tryApply(deps, row, events);
  if (attempt.kind === 'locked') {
    // Somebody holds the locks. Store the event, so that it cannot be lost, and go on trying while the shop waits.
    const stored = await storePending(deps, row, events);
    if (stored && !events.some(isStop)) return { kind: 'accepted', result: 'pending' };
    while (attempt.kind === 'locked' && budgetLeft() > 0) attempt = await tryApply(deps, row, events);
    if (attempt.kind === 'locked') return { kind: 'busy' };
  }
  const { applied } = attempt;
  if (applied.outboxWritten) deps.kickRelay();
  await deps.checkpoints('stop.committed');
  const waitFromMs = deps.clock.monotonicMs();
  const waited = await deps.leases.wait(row.tenantId, applied.liveClaims, applied.lockedAtMs, budgetLeft() + (waitFromMs - applied.lockedAtMs));
  if (applied.coveredContactIds.length > 0) deps.telemetry.leaseWait(waited, deps.clock.monotonicMs() - waitFromMs);
  if (waited === 'budget_spent') return { kind: 'busy' };
  return { kind: 'accepted', result: attempt.kind };
}

/** One transaction: inbox row, effects, outbox. A repeat finds its row, applies it if it is still pending, and waits like the first. */
async function tryApply(deps: Deps, row: StoredDelivery, events: DomainEvent[]): Promise<Attempt> {
  try {
    return await twiceIfUnclear(() => untilStill(() => deps.db.withTenant(row.tenantId, (tx) => applyOrRepeat(tx, deps, row, events))));
  } catch (error) {
    if (isLockFailure(error)) return { kind: 'locked' };
    throw error;
  }
}

/** Persons that move while their locks are awaited move rarely: start over, a few times. */
async function untilStill<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof MovedError) || attempt === 10) throw error;
    }
  }
}

async function applyOrRepeat(tx: Tx, deps: Deps, row: StoredDelivery, events: DomainEvent[]): Promise<Exclude<Attempt, { kind: 'locked' }>> {
  const inboxId = await insertInbox(tx, row, 'applied', events);
  if (inboxId !== null) return { kind: 'applied', applied: await applyInto(tx, deps, row, inboxId, events) };
  const [known] = await tx
    .select()
    .from(inbox)
    .where(and(eq(inbox.connectionId, row.connectionId), eq(inbox.dedupeKey, row.dedupeKey)))
    .for('no key update');
  if (known === undefined) throw new MovedError();
  if (known.state === 'pending') return { kind: 'applied', applied: await applyInto(tx, deps, row, known.id, known.events) };
  const lockedAtMs = deps.clock.monotonicMs();
  const liveClaims = await readLiveClaims(tx, known.coveredContactIds);
  return { kind: 'repeated', applied: { coveredContactIds: known.coveredContactIds, liveClaims, lockedAtMs, outboxWritten: false } };
}

async function applyInto(tx: Tx, deps: Deps, row: StoredDelivery, inboxId: string, events: DomainEvent[]): Promise<Applied> {
  const applied = await applyEvents(tx, deps, { tenantId: row.tenantId, connectionId: row.connectionId, inboxId }, events);
  await tx
    .update(inbox)
    .set({ state: 'applied', coveredContactIds: applied.coveredContactIds, appliedAt: sql`clock_timestamp()` })
    .where(eq(inbox.id, inboxId));
  await deps.checkpoints('stop.before_commit');
  return applied;
}

/** @returns false when the row could not be stored either: then nothing may be acknowledged */
async function storePending(deps: Deps, row: StoredDelivery, events: DomainEvent[]): Promise<boolean> {
  try {
    await twiceIfUnclear(() => deps.db.withTenant(row.tenantId, (tx) => insertInbox(tx, row, 'pending', events)));
    return true;
  } catch (error) {
    if (isLockFailure(error)) return false;
    throw error;
  }
}

/**
 * The inbox worker's pass: apply what was stored as pending, oldest first. One row's trouble does not hold up the next.
 * @returns how many rows were applied
 */
export async function applyPending(deps: Deps): Promise<number> {
  let done = 0;
  for (const tenantId of await deps.db.tenantsWithWork('pending_inbox')) {
    const rows = await deps.db.withTenant(tenantId, (tx) =>
      tx.select().from(inbox).where(eq(inbox.state, 'pending')).orderBy(inbox.receivedAt).limit(100),
    );
    for (const row of rows) {
      const attempt = await tryApply(deps, row, row.events).catch(async (error: unknown) => {
        deps.log.error({ tenantId, inboxId: row.id, err: error }, 'a pending event could not be applied');
        await deps.db.withTenant(tenantId, (tx) =>
          tx.update(inbox).set({ attempts: sql`attempts + 1`, lastError: faultOf(error) }).where(eq(inbox.id, row.id)),
        );
        return null;
      });
      if (attempt === null || attempt.kind === 'locked') continue;
      if (attempt.applied.outboxWritten) deps.kickRelay();
      done++;
    }
  }
  return done;
}
