import { and, eq, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { connections, lookups } from '../db/schema/index.ts';
import type { FieldNote } from '../domain/field-note.ts';
import { faultOf } from '../db/client.ts';
import type { Lookup, Normalised, Receiver, Resolved } from '../integrations/port.ts';
import { asDedupeKey } from '../integrations/untrusted-text.ts';
import { storePending, storeQuarantined, tryApply, unstorableReason } from './apply-delivery.ts';
import { noteFault } from './composition/ledger.ts';
import type { Deps } from './deps.ts';
import { isStop } from './effects/index.ts';
import type { StoredDelivery } from './intake/delivery.ts';
import { readTenant } from './intake/tenant.ts';
import { readConnectionConfig, storeContextOf } from './store-context.ts';
import { accessTokensOf } from './tokens.ts';

// A delivery may name something that its provider has to be asked about before its events are known. It is answered once that is stored; asking
// happens here, outside of any transaction, beside the inbox: a provider that is slow holds up nobody's deliveries.
// Source: docs/adr/0050-look-ups.md

type Due = typeof lookups.$inferSelect;

/** So many of one connection at once, and in one round. */
const atOnce = 4;
const perRound = 20;
/** Longer than the slowest round: what a worker that died had begun is asked again after that. */
const claimedForMs = 120_000;
const longestPauseMs = 3_600_000;
/** A provider that gives no clear answer for so long is not asked any more; a replay of the quarantine asks it again. */
const givenUpAfterMs = 30 * 86_400_000;

/** Store what a delivery leaves open, before it is answered. What is known already stays as it is. */
export async function storeLookups(deps: Pick<Deps, 'db'>, { tenantId, connectionId }: StoredDelivery, wanted: readonly Lookup[]): Promise<void> {
  if (wanted.length === 0) return;
  const rows = wanted.map(({ key, topic, what }) => ({ tenantId, id: uuidv7(), connectionId, key: asDedupeKey(key), topic, what: { ...what } }));
  await deps.db.withTenant(tenantId, (tx) =>
    tx
      .insert(lookups)
      .values(rows)
      .onConflictDoNothing({ target: [lookups.tenantId, lookups.connectionId, lookups.key] }),
  );
}

/** For the delivery's notes. */
export function noteLookups(wanted: readonly Lookup[]): FieldNote[] {
  return wanted.length === 0 ? [] : [{ field: 'body', reason: `names ${wanted.length} that the provider is asked about: its events follow` }];
}

export interface LookupWorker {
  /** Begin a round for every connection that has something due and no round under way. @returns false: there is nothing to do at once */
  pass(): Promise<boolean>;
  /** Ends the rounds; what they were asking is asked by another worker. */
  stop(): Promise<void>;
}

export function createLookupWorker(deps: Deps): LookupWorker {
  const ended = new AbortController();
  const running = new Map<string, Promise<void>>();
  return {
    async pass() {
      if (ended.signal.aborted) return false;
      for (const tenantId of await deps.db.tenantsWithWork('lookups')) {
        for (const connectionId of await dueConnections(deps, tenantId)) {
          const key = `${tenantId} ${connectionId}`;
          if (running.has(key)) continue;
          const round = roundOf(deps, { tenantId, connectionId }, ended.signal)
            .catch((error: unknown) => deps.log.error({ tenantId, connectionId, err: error }, 'look-ups failed and are tried again'))
            .finally(() => running.delete(key));
          running.set(key, round);
        }
      }
      return false;
    },
    async stop() {
      ended.abort();
      await Promise.all(running.values());
    },
  };
}

const isDue = sql`${lookups.state} = 'waiting' and ${connections.state} = 'connected' and (${lookups.nextAt} <= clock_timestamp() or (${lookups.lockedOut} and ${connections.fault} is null))`;
const ofConnection = and(eq(connections.tenantId, lookups.tenantId), eq(connections.id, lookups.connectionId));

function dueConnections({ db }: Pick<Deps, 'db'>, tenantId: string): Promise<string[]> {
  return db.withTenant(tenantId, async (tx) => {
    const rows = await tx.selectDistinct({ id: lookups.connectionId }).from(lookups).innerJoin(connections, ofConnection).where(isDue);
    return rows.map(({ id }) => id);
  });
}

interface Where {
  tenantId: string;
  connectionId: string;
}

/** Ask about what is due of one connection, those that were never asked about first. */
async function roundOf(deps: Deps, where: Where, signal: AbortSignal): Promise<void> {
  for (;;) {
    const claimed = await claim(deps, where);
    const waiting = [...claimed];
    let locked = false;
    const next = async (): Promise<void> => {
      for (let due = waiting.shift(); due !== undefined && !locked && !signal.aborted; due = waiting.shift()) {
        if ((await askAbout(deps, where, due, signal)) === 'locked_out') locked = true;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, next));
    if (signal.aborted) for (const due of waiting) await putOff(deps, where, due, { reason: 'its worker ended' }, 0);
    if (locked || signal.aborted || claimed.length < perRound) return;
  }
}

/** The first process to update a row does the look-up; `next_at` hides the row from the others meanwhile. */
function claim({ db }: Pick<Deps, 'db'>, { tenantId, connectionId }: Where): Promise<Due[]> {
  return db.withTenant(tenantId, async (tx) => {
    const due = await tx
      .select({ id: lookups.id })
      .from(lookups)
      .innerJoin(connections, ofConnection)
      .where(and(eq(lookups.connectionId, connectionId), isDue))
      .orderBy(lookups.attempts, lookups.nextAt)
      .limit(perRound)
      .for('update', { of: lookups, skipLocked: true });
    const claimed: Due[] = [];
    for (const { id } of due) {
      const [row] = await tx
        .update(lookups)
        .set({ attempts: sql`attempts + 1`, lockedOut: false, nextAt: sql`clock_timestamp() + make_interval(secs => ${claimedForMs / 1_000})` })
        .where(eq(lookups.id, id))
        .returning();
      if (row !== undefined) claimed.push(row);
    }
    return claimed;
  });
}

async function askAbout(deps: Deps, where: Where, due: Due, signal: AbortSignal): Promise<'asked' | 'locked_out'> {
  const { resolved, sealed } = await ask(deps, where, due, signal);
  if (resolved.kind === 'locked_out') {
    await lockOut(deps, where, resolved.reason, sealed);
    return 'locked_out';
  }
  if (resolved.kind === 'later') await putOff(deps, where, due, resolved, signal.aborted ? 0 : pauseAfter(due.attempts, resolved.afterMs ?? 0));
  else await take(deps, where, due, resolved);
  return 'asked';
}

/** Never throws: whatever goes wrong is no answer. */
async function ask(
  deps: Deps,
  where: Where,
  { key, topic, what }: Lookup,
  signal?: AbortSignal,
): Promise<{ resolved: Resolved; sealed: string | null }> {
  let sealed: string | null = null;
  try {
    const connection = await readConnectionConfig(deps, where);
    sealed = connection.sealed;
    const receiver = deps.integrations[connection.integration]?.receiver;
    if (receiver?.resolve === undefined)
      return { resolved: { kind: 'later', reason: `${connection.integration} looks nothing up in this build` }, sealed };
    const tenant = await deps.db.withTenant(where.tenantId, (tx) => readTenant(tx, where.tenantId));
    const context = {
      config: connection.config,
      store: storeContextOf(tenant),
      nowMs: deps.clock.nowMs(),
      ...(deps.integrations[connection.integration]?.oauth === undefined ? {} : { tokens: accessTokensOf(deps, { ...where, ...connection }) }),
      ...(signal === undefined ? {} : { signal }),
    };
    return { resolved: await receiver.resolve({ key, topic, what }, context), sealed };
  } catch (error) {
    return { resolved: { kind: 'later', reason: faultOf(error) }, sealed };
  }
}

/**
 * Nothing of this connection is asked until its fault is gone, but for one attempt an hour: a provider may let us in again by itself.
 * @param sealed - the configuration that was refused: another one, entered meanwhile, is tried at once
 */
async function lockOut(deps: Deps, { tenantId, connectionId }: Where, reason: string, sealed: string | null): Promise<void> {
  deps.log.error(
    { tenantId, connectionId, reason },
    'a provider does not let us look anything up: what waits is looked up once the connection is corrected',
  );
  await deps.db.withTenant(tenantId, async (tx) => {
    await tx
      .update(connections)
      .set({ fault: reason, faultAt: sql`coalesce(fault_at, clock_timestamp())` })
      .where(and(eq(connections.id, connectionId), sql`sealed_config is not distinct from ${sealed}`));
    await tx
      .update(lookups)
      .set({ lockedOut: true, lastError: reason, nextAt: sql`clock_timestamp() + interval '1 hour'` })
      .where(and(eq(lookups.connectionId, connectionId), eq(lookups.state, 'waiting')));
  });
}

function pauseAfter(attempts: number, atLeastMs: number): number {
  return Math.max(atLeastMs, Math.min(longestPauseMs, 1_000 * 2 ** Math.min(attempts - 1, 20)));
}

async function putOff(deps: Deps, where: Where, due: Due, { reason }: { reason: string }, pauseMs: number): Promise<void> {
  if (deps.clock.nowMs() - due.createdAt > givenUpAfterMs) {
    const why = `no clear answer for ${givenUpAfterMs / 86_400_000} days; the last one: ${reason}`;
    return setAside(deps, where, due, { reason: why, mayBeStop: false, fields: [] });
  }
  await deps.db.withTenant(where.tenantId, (tx) =>
    tx
      .update(lookups)
      .set({ lastError: reason.slice(0, 500), nextAt: sql`clock_timestamp() + make_interval(secs => ${pauseMs / 1_000})` })
      .where(eq(lookups.id, due.id)),
  );
}

type Known = Exclude<Resolved, { kind: 'later' | 'locked_out' }>;

/** What is known now is taken in as a delivery of its own, which has one row in the inbox, however often it is asked about. */
async function take(deps: Deps, where: Where, due: Due, known: Known): Promise<void> {
  if (known.kind === 'unreadable') return setAside(deps, where, due, known);
  if (known.kind === 'events') {
    const tenant = await deps.db.withTenant(where.tenantId, (tx) => readTenant(tx, where.tenantId));
    const row: StoredDelivery = { ...deliveryRow(where, due, known.topic), notes: known.notes, tenant };
    try {
      const attempt = await tryApply(deps, row, known.events, null);
      // Another transaction holds the locks: the inbox worker applies it.
      if (attempt.kind === 'locked') {
        if (!(await storePending(deps, row, known.events))) return;
      } else if (attempt.applied.outboxWritten) deps.kickRelay();
    } catch (error) {
      const reason = unstorableReason(error);
      if (reason === null) throw error;
      return setAside(deps, where, due, { reason, mayBeStop: known.events.some(isStop), fields: known.notes });
    }
  }
  await settle(deps, where, due, 'done');
}

function deliveryRow({ tenantId, connectionId }: Where, { key }: Due, topic: string): StoredDelivery {
  return { tenantId, connectionId, dedupeKey: asDedupeKey(`lookup:${key}`), topic };
}

/** The provider let us in: its connection has no fault. */
function settle({ db }: Pick<Deps, 'db'>, { tenantId, connectionId }: Where, due: Due, state: 'done' | 'set_aside'): Promise<void> {
  return db.withTenant(tenantId, async (tx) => {
    await noteFault(tx, connectionId, null);
    await tx.update(lookups).set({ state, lastError: null, settledAt: sql`clock_timestamp()` }).where(eq(lookups.id, due.id));
  });
}

// Marks a look-up in the quarantine, as opposed to a body.
const lookupField = ':lookup';

async function setAside(
  deps: Deps,
  where: Where,
  due: Due,
  { reason, mayBeStop, fields }: { reason: string; mayBeStop: boolean; fields: FieldNote[] },
): Promise<void> {
  const { key, topic, what } = due;
  deps.log.error({ ...where, topic, reason }, 'a look-up came to nothing: it is kept in the quarantine');
  const row = { ...deliveryRow(where, due, topic), notes: fields };
  await storeQuarantined(deps, row, { reason, body: JSON.stringify({ key, topic, what }), headers: { [lookupField]: key }, mayBeStop });
  await settle(deps, where, due, 'set_aside');
}

/** Ask once more about what came to nothing. @returns null where the quarantine holds a delivery, no look-up */
export async function resolveAgain(
  deps: Deps,
  receiver: Receiver,
  where: Where,
  kept: { body: string; headers: Record<string, string>; topic: string },
): Promise<Normalised | null> {
  if (kept.headers[lookupField] === undefined || receiver.resolve === undefined) return null;
  const lookup = JSON.parse(kept.body) as Lookup;
  const { resolved } = await ask(deps, where, lookup);
  if (resolved.kind !== 'later' && resolved.kind !== 'locked_out') return resolved;
  return { kind: 'unreadable', topic: kept.topic, reason: resolved.reason, fields: [], mayBeStop: false };
}
