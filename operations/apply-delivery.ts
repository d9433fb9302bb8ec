import { and, eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { CommitUnclearError, isLockFailure, postgresCode, type Tx } from '../db/client.ts';
import { inbox, quarantine } from '../db/schema/index.ts';
import type { DomainEvent } from '../domain/events.ts';
import { type AnswerBudget, boundLockWaits } from './answer-budget.ts';
import type { Deps } from './deps.ts';
import { type Applied, applyEvents } from './events/apply.ts';
import { MovedError } from './events/identities.ts';
import { readLiveClaims } from './lease-watch.ts';

// How a delivery and its effects get into Postgres: one inbox row each, however often it comes.

/** A delivery as the inbox knows it. */
export interface StoredDelivery {
  tenantId: string;
  connectionId: string;
  dedupeKey: string;
  topic: string;
}

/** `locked`: others hold the locks; the same may succeed a moment later. */
export type Attempt = { kind: 'applied' | 'repeated'; applied: Applied } | { kind: 'locked' };

/**
 * One transaction: inbox row, effects, outbox. A repeat finds its row, applies it if it is still pending, and tells what the first covered.
 * @param budget - the answer's time, where somebody waits for it
 * @param retry - an earlier attempt has used up some of it: wait for locks only as long as the rest allows
 */
export async function tryApply(deps: Deps, row: StoredDelivery, events: DomainEvent[], budget: AnswerBudget | null, retry = false): Promise<Attempt> {
  const once = () =>
    deps.db.withTenant(row.tenantId, async (tx) => {
      if (budget !== null && retry) await boundLockWaits(tx, budget.leftMs());
      return applyOrRepeat(tx, deps, row, events);
    });
  for (let attempt = 1; ; attempt++) {
    try {
      return await twiceIfUnclear(once);
    } catch (error) {
      if (isLockFailure(error)) return { kind: 'locked' };
      if (!(error instanceof MovedError)) throw error;
      // Persons that move while their locks are awaited move rarely: start over, a few times.
      if (attempt === 10 || (budget !== null && budget.leftMs() <= 0)) return { kind: 'locked' };
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

async function insertInbox(
  tx: Tx,
  row: StoredDelivery,
  state: 'applied' | 'pending' | 'ignored' | 'quarantined',
  events: DomainEvent[],
): Promise<string | null> {
  const { tenantId, connectionId, dedupeKey, topic } = row;
  const id = uuidv7();
  const made = await tx
    .insert(inbox)
    .values({ tenantId, connectionId, dedupeKey, topic, id, state, events, ...(state === 'applied' ? { appliedAt: sql`clock_timestamp()` } : {}) })
    .onConflictDoNothing({ target: [inbox.tenantId, inbox.connectionId, inbox.dedupeKey] })
    .returning({ id: inbox.id });
  return made.length === 0 ? null : id;
}

/** Record a delivery that concerns nobody. @returns false when it was known already */
export function storeIgnored(deps: Deps, row: StoredDelivery): Promise<boolean> {
  return twiceIfUnclear(() => deps.db.withTenant(row.tenantId, async (tx) => (await insertInbox(tx, row, 'ignored', [])) !== null));
}

/** Store an event for the inbox worker. @returns false when the row could not be stored either: then nothing may be acknowledged */
export async function storePending(deps: Deps, row: StoredDelivery, events: DomainEvent[]): Promise<boolean> {
  try {
    await twiceIfUnclear(() => deps.db.withTenant(row.tenantId, (tx) => insertInbox(tx, row, 'pending', events)));
    return true;
  } catch (error) {
    if (isLockFailure(error)) return false;
    throw error;
  }
}

/**
 * Keep a delivery that cannot be applied, whole and with the reason: one that is new, or one that waits in the inbox.
 * @returns false when it was known already and waits no longer
 */
export function storeQuarantined(deps: Deps, row: StoredDelivery, kept: { reason: string; body: string }): Promise<boolean> {
  return twiceIfUnclear(() =>
    deps.db.withTenant(row.tenantId, async (tx) => {
      const inboxId = (await insertInbox(tx, row, 'quarantined', [])) ?? (await giveUpPending(tx, row, kept.reason));
      if (inboxId === null) return false;
      await tx.insert(quarantine).values({
        tenantId: row.tenantId,
        id: uuidv7(),
        connectionId: row.connectionId,
        inboxId,
        topic: row.topic,
        reason: kept.reason,
        // A NUL is the one character that Postgres's text cannot hold.
        body: kept.body.replaceAll('\0', '\uFFFD'),
      });
      return true;
    }),
  );
}

async function giveUpPending(tx: Tx, row: StoredDelivery, reason: string): Promise<string | null> {
  const [given] = await tx
    .update(inbox)
    .set({ state: 'quarantined', lastError: reason })
    .where(and(eq(inbox.connectionId, row.connectionId), eq(inbox.dedupeKey, row.dedupeKey), eq(inbox.state, 'pending')))
    .returning({ id: inbox.id });
  return given?.id ?? null;
}

/**
 * Why Postgres can never store what an event says (a number out of range, a character it does not know): trying again changes nothing.
 * @returns null for any other error. Source: SQLSTATE class 22, data exception
 */
export function unstorableReason(error: unknown): string | null {
  const code = postgresCode(error);
  return code?.startsWith('22') === true ? `a value cannot be stored (Postgres ${code})` : null;
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
