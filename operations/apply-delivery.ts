import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { callFunction, CommitUnclearError, isLockFailure, postgresCode, type Tx } from '../db/client.ts';
import { inbox, quarantine } from '../db/schema/index.ts';
import { fromStored } from '../domain/stored-event.ts';
import type { DomainEvent } from '../domain/events.ts';
import { settingsOf } from '../domain/tenant-settings.ts';
import { type AnswerBudget, boundLockWaits } from './answer-budget.ts';
import type { Deps } from './deps.ts';
import { allNamesOf, EventApplication } from './intake/apply-events.ts';
import type { Applied, Attempt, GatheredDelivery, StoredDelivery, TenantRow } from './intake/delivery.ts';
import type { DecisionContext } from './intake/draft.ts';
import type { SetSteps } from './intake/delivery-sets.ts';
import type { StoredFirst } from './intake/flood.ts';
import { asArguments, type Found, MovedError, NotYetError } from './intake/found.ts';
import { numberOf, questionOf } from './intake/read-world.ts';
import { sourceOf } from './intake/source.ts';
import { decisionContext, readTenant } from './intake/tenant.ts';
import type { StoredWorld } from './intake/world.ts';
import { joined, type Writes, writeWorld } from './intake/writes.ts';
import { readLiveClaims } from './lease-watch.ts';

// How a delivery and its effects get into Postgres: one inbox row each, however often it comes.

/**
 * One transaction: inbox row, effects, outbox. A repeat finds its row, applies it if it is still pending, and returns the calls that the first one
 * covered.
 * @param budget - the answer's time, where somebody waits for it
 * @param retry - an earlier attempt has used up some of it: wait for locks only as long as the rest allows
 */
export function tryApply(
  deps: Deps,
  row: StoredDelivery,
  events: readonly DomainEvent[],
  budget: AnswerBudget | null,
  retry = false,
): Promise<Attempt> {
  if (retry || budget === null || events.length !== 1) return applyAlone(deps, row, events, budget, retry);
  return deps.deliverySets.apply(row.tenantId, { row, events, names: namesIn(row, events), budget }, stepsOf(deps));
}

/**
 * Apply deliveries that wait in the inbox, each after those before it with which it has something in common. The others go together.
 * @returns what each came to, in their order; an error where one cannot be applied
 */
export function applyWaitingRows(
  deps: Deps,
  rows: readonly (StoredDelivery & { id: string; tenant: TenantRow; events: readonly DomainEvent[] })[],
): Promise<PromiseSettledResult<Attempt>[]> {
  return Promise.allSettled(
    rows.map((row) => {
      const delivery = { row, events: row.events, names: namesIn(row, row.events), budget: null, waitingId: row.id };
      return deps.waitingSets.apply(row.tenantId, delivery, stepsOf(deps));
    }),
  );
}

/**
 * Apply deliveries of this process that were stored first, one after the other, each together with those that other stops wait for.
 * @returns false where one of them cannot be applied in time
 */
export async function applyBefore(deps: Deps, stored: readonly StoredFirst[], budget: AnswerBudget): Promise<boolean> {
  for (const delivery of stored) {
    let attempt = await deps.waitingSets.apply(delivery.row.tenantId, { ...delivery, budget }, stepsOf(deps));
    while (attempt.kind === 'locked' && budget.leftMs() > 0) attempt = await applyAlone(deps, delivery.row, delivery.events, budget, true);
    if (attempt.kind === 'locked') return false;
    if (attempt.applied.outboxWritten) deps.kickRelay();
  }
  return true;
}

async function applyAlone(
  deps: Deps,
  row: StoredDelivery,
  events: readonly DomainEvent[],
  budget: AnswerBudget | null,
  retry: boolean,
): Promise<Attempt> {
  const once = () =>
    deps.db.withTenant(row.tenantId, async (tx) => {
      if (budget !== null && retry) await boundLockWaits(tx, budget.leftMs());
      return applyOrRepeat(tx, deps, row, events);
    });
  for (let attempt = 1; ; attempt++) {
    try {
      return await twiceIfUnclear(once);
    } catch (error) {
      if (isLockFailure(error) || error instanceof NotYetError) return { kind: 'locked' };
      if (!(error instanceof MovedError)) throw error;
      // Persons rarely change while their locks are awaited: start over, a few times at most.
      if (attempt === 10 || (budget !== null && budget.leftMs() <= 0)) return { kind: 'locked' };
    }
  }
}

/** What `open_deliveries` says about one delivery. */
interface OpenedDelivery {
  /** The row of an earlier delivery. */
  known?: KnownDelivery;
  named?: Found;
  /** What the delivery is about, where it was asked for. */
  world?: StoredWorld;
}

interface KnownDelivery {
  id: string;
  state: 'applied' | 'pending' | 'ignored' | 'quarantined';
  /** As they are stored: `fromStored` reads them. */
  events: readonly DomainEvent[];
  covered_contact_ids: string[];
}

const isWaiting = ({ state }: KnownDelivery) => state === 'pending' || state === 'quarantined';

async function applyOrRepeat(tx: Tx, deps: Deps, row: StoredDelivery, events: readonly DomainEvent[]): Promise<Exclude<Attempt, { kind: 'locked' }>> {
  const id = uuidv7();
  const tenant = row.tenant ?? (await readTenant(tx, row.tenantId));
  const context = decisionContext(deps, { ...row, inboxId: id }, tenant);
  const [opened] =
    (await callFunction<OpenedDelivery[] | null>(tx, 'open_deliveries($1)', [JSON.stringify([openingOf(row, id, events, context)])])) ?? [];
  if (opened === undefined) throw new MovedError();
  const known = opened.known === undefined ? undefined : { ...opened.known, events: opened.known.events.map(fromStored) };
  if (known !== undefined && !isWaiting(known)) return repeat(tx, deps, known);
  const applied = known === undefined ? await applyNew(tx, deps, context, events, opened) : await applyWaiting(tx, deps, context, row, known, events);
  await deps.checkpoints('stop.before_commit');
  return { kind: 'applied', applied };
}

/** A delivery as `open_deliveries` takes it. The world is read in the same statement where the delivery holds one event. */
function openingOf(row: StoredDelivery, id: string, events: readonly DomainEvent[], context: DecisionContext): Record<string, unknown> {
  const [identityKinds, identityValues, keyConnections, keyKinds, keyValues, stops] = asArguments(allNamesOf(context.source, events));
  const [event, another] = events;
  const question = event === undefined || another !== undefined ? null : questionOf(event, context);
  return {
    id,
    connection: row.connectionId,
    dedupe_key: row.dedupeKey,
    topic: row.topic,
    events,
    notes: row.notes ?? [],
    identity_kinds: identityKinds,
    identity_values: identityValues,
    key_connections: keyConnections,
    key_kinds: keyKinds,
    key_values: keyValues,
    stops,
    ...(question === null
      ? {}
      : {
          parts: question.parts,
          order_number: question.orderNumber,
          address_hashes: question.addressHashes,
          message_account: question.message?.account ?? null,
          provider_message_id: numberOf(question),
        }),
  };
}

function applyNew(tx: Tx, deps: Deps, context: DecisionContext, events: readonly DomainEvent[], { named, world }: OpenedDelivery): Promise<Applied> {
  const application = new EventApplication(tx, deps, context);
  const [event] = events;
  const row = { id: context.inboxId ?? '', waited: false };
  if (named === undefined) throw new MovedError();
  if (event === undefined || world === undefined) return application.applyInTurn(events, named, row);
  return application.applyOpened(event, { found: named, world }, row);
}

async function repeat(tx: Tx, deps: Deps, known: KnownDelivery): Promise<Extract<Attempt, { applied: Applied }>> {
  const lockedAtMs = deps.clock.monotonicMs();
  const coveredContactIds = known.covered_contact_ids;
  const liveClaims = await readLiveClaims(tx, coveredContactIds);
  return { kind: 'repeated', applied: { coveredContactIds, liveClaims, lockedAtMs, outboxWritten: false } };
}

/** What deliveries may have in common: the delivery itself, the person's identities, the subject's keys. */
export function namesIn(row: StoredDelivery, events: readonly DomainEvent[]): ReadonlySet<string> {
  const delivery = `delivery ${row.connectionId} ${row.dedupeKey}`;
  if (row.tenant === undefined) return new Set([delivery]);
  const { identities, keys } = allNamesOf(sourceOf(row, settingsOf(row.tenant)), events);
  return new Set([delivery, ...identities.map((i) => `${i.kind} ${i.value}`), ...keys.map((k) => `${k.connectionId} ${k.kind} ${k.value}`)]);
}

/** How a set of deliveries is applied, by the process that they came to. */
const stepsOf = (deps: Deps): SetSteps<GatheredDelivery, Attempt> => ({
  applyOne: ({ row, events, budget }) => applyAlone(deps, row, events, budget, false),
  applySet: (tenantId, set) => applySet(deps, tenantId, set),
  overlap: (a, b) => [...a.names].some((name) => b.names.has(name)),
  wanted: ({ budget }) => budget === null || budget.leftMs() > 0,
});

/** Thrown where deliveries of a set turn out to be about the same people, or to be of several events: they are applied one by one. */
class NotTogetherError extends Error {}

/** One transaction for deliveries that have nothing in common. @throws where they cannot be applied together, having written nothing */
function applySet(deps: Deps, tenantId: string, set: readonly GatheredDelivery[]): Promise<(Attempt | null)[]> {
  return deps.db.withTenant(tenantId, async (tx) => {
    const tenant = set[0]?.row.tenant ?? (await readTenant(tx, tenantId));
    const prepared = set.map(({ row, events, waitingId }) => {
      const [event, another] = events;
      if (event === undefined || another !== undefined) throw new NotTogetherError();
      const id = waitingId ?? uuidv7();
      const context = decisionContext(deps, { ...row, inboxId: id }, row.tenant ?? tenant);
      const waited = waitingId !== undefined;
      return { event, id, context, waited, opening: { ...openingOf(row, id, [event], context), ...(waited ? { waits: true } : {}) } };
    });
    const opened = await callFunction<OpenedDelivery[] | null>(tx, 'open_deliveries($1)', [JSON.stringify(prepared.map((p) => p.opening))]);
    if (opened === null || overlaps(opened)) throw new NotTogetherError();
    const lockedAtMs = deps.clock.monotonicMs();
    await deps.checkpoints('stop.locked');
    const writes: Writes[] = [];
    const applications: (EventApplication | null)[] = [];
    for (const [index, { event, id, context, waited }] of prepared.entries()) {
      const { named: found, world } = opened[index] ?? {};
      const application = new EventApplication(tx, deps, context);
      const isNew = found !== undefined && world !== undefined;
      if (isNew) writes.push(await application.decideOpened(event, { found, world }, { id, waited }));
      applications.push(isNew ? application : null);
    }
    writeWorld(tx, joined(writes));
    await release(
      tx,
      prepared.flatMap(({ id, waited }) => (waited ? [id] : [])),
    );
    const attempts: (Attempt | null)[] = [];
    for (const [index, application] of applications.entries()) {
      const known = opened[index]?.known;
      if (application !== null) attempts.push({ kind: 'applied', applied: await application.applied(lockedAtMs) });
      // One that is still pending is applied by itself.
      else attempts.push(known === undefined || isWaiting(known) ? null : await repeat(tx, deps, known));
    }
    await deps.checkpoints('stop.before_commit');
    return attempts;
  });
}

/** Whether two of them hold the lock of the same person or found the same subject. */
function overlaps(opened: readonly OpenedDelivery[]): boolean {
  const all = opened.flatMap(({ named }) => [...(named?.locked ?? []), ...(named?.subjects ?? [])]);
  return new Set(all).size < all.length;
}

/** A pending delivery is applied as it was read then; one from the quarantine, as it is read now. */
async function applyWaiting(
  tx: Tx,
  deps: Deps,
  context: DecisionContext,
  row: StoredDelivery,
  { id, state, events: stored }: KnownDelivery,
  events: readonly DomainEvent[],
): Promise<Applied> {
  if (state === 'quarantined') await tx.update(inbox).set(readAs(row, events)).where(eq(inbox.id, id));
  await release(tx, [id]);
  const application = new EventApplication(tx, deps, { ...context, inboxId: id });
  return application.applyInTurn(state === 'pending' ? stored : events, null, { id, waited: true });
}

/** How a delivery that was unreadable is understood after all. */
function readAs({ topic, notes = [] }: StoredDelivery, events: readonly DomainEvent[]) {
  return { topic, notes, events, lastError: null };
}

/** Release what the quarantine holds of this delivery. */
async function release(tx: Tx, inboxIds: readonly string[]): Promise<void> {
  if (inboxIds.length === 0) return;
  await tx
    .update(quarantine)
    .set({ releasedAt: sql`clock_timestamp()` })
    .where(and(inArray(quarantine.inboxId, [...inboxIds]), isNull(quarantine.releasedAt)));
}

/** @returns its id; null: the delivery is known already */
export async function insertInbox(
  tx: Tx,
  row: StoredDelivery,
  state: 'pending' | 'ignored' | 'quarantined',
  events: readonly DomainEvent[],
): Promise<string | null> {
  const { tenantId, connectionId, dedupeKey, topic, notes = [] } = row;
  const id = uuidv7();
  const made = await tx
    .insert(inbox)
    .values({ tenantId, connectionId, dedupeKey, topic, id, state, events, notes })
    .onConflictDoNothing({ target: [inbox.tenantId, inbox.connectionId, inbox.dedupeKey] })
    .returning({ id: inbox.id });
  return made.length === 0 ? null : id;
}

function inboxRowOf({ connectionId, dedupeKey }: StoredDelivery) {
  return and(eq(inbox.connectionId, connectionId), eq(inbox.dedupeKey, dedupeKey));
}

/** Record a delivery that has no effect. @returns false when it was known already */
export function storeIgnored(deps: Deps, row: StoredDelivery): Promise<boolean> {
  return twiceIfUnclear(() => deps.db.withTenant(row.tenantId, async (tx) => (await insertInbox(tx, row, 'ignored', [])) !== null));
}

/** Store an event for the inbox worker. @returns false when the row could not be stored either: then nothing may be acknowledged */
export async function storePending(deps: Deps, row: StoredDelivery, events: readonly DomainEvent[]): Promise<boolean> {
  try {
    await twiceIfUnclear(() =>
      deps.db.withTenant(row.tenantId, async (tx) => {
        if ((await insertInbox(tx, row, 'pending', events)) !== null) return;
        // One that was unreadable and is understood now is pending like any other; applying it releases it from the quarantine.
        await tx
          .update(inbox)
          .set({ ...readAs(row, events), state: 'pending' })
          .where(and(inboxRowOf(row), eq(inbox.state, 'quarantined')));
      }),
    );
    return true;
  } catch (error) {
    if (isLockFailure(error)) return false;
    throw error;
  }
}

/** A delivery that cannot be applied, as it is kept. */
export interface SetAside {
  reason: string;
  body: string;
  /** The headers that its receiver reads. */
  headers: Record<string, string>;
  mayBeStop: boolean;
}

/**
 * Keep a delivery that cannot be applied, whole and with the reason: one that is new, or one that waits in the inbox.
 * @returns `stored`, or its state before: `quarantined` where it is still in the quarantine
 */
export function storeQuarantined(deps: Deps, row: StoredDelivery, kept: SetAside): Promise<'stored' | 'quarantined' | 'settled'> {
  return twiceIfUnclear(() =>
    deps.db.withTenant(row.tenantId, async (tx) => {
      const inboxId = (await insertInbox(tx, row, 'quarantined', [])) ?? (await giveUpPending(tx, row, kept.reason));
      if (inboxId === null) {
        const [known] = await tx.select({ state: inbox.state }).from(inbox).where(inboxRowOf(row));
        return known?.state === 'quarantined' ? 'quarantined' : 'settled';
      }
      await quarantineInbox(tx, inboxId, row, kept);
      return 'stored';
    }),
  );
}

/** Keep a new delivery that cannot be read; one that is known stays as it is. */
export async function insertQuarantined(tx: Tx, row: StoredDelivery, kept: SetAside): Promise<void> {
  const inboxId = await insertInbox(tx, row, 'quarantined', []);
  if (inboxId !== null) await quarantineInbox(tx, inboxId, row, kept);
}

async function quarantineInbox(tx: Tx, inboxId: string, { tenantId, connectionId, topic }: StoredDelivery, kept: SetAside): Promise<void> {
  await tx.insert(quarantine).values({
    tenantId,
    id: uuidv7(),
    connectionId,
    inboxId,
    topic,
    reason: kept.reason,
    // A NUL is the one character that Postgres's text cannot hold.
    body: kept.body.replaceAll('\0', '\uFFFD'),
    headers: kept.headers,
    mayBeStop: kept.mayBeStop,
  });
}

async function giveUpPending(tx: Tx, row: StoredDelivery, reason: string): Promise<string | null> {
  const [given] = await tx
    .update(inbox)
    .set({ state: 'quarantined', lastError: reason })
    .where(and(inboxRowOf(row), eq(inbox.state, 'pending')))
    .returning({ id: inbox.id });
  return given?.id ?? null;
}

/** Release a quarantined delivery for whose topic nothing is done. @returns false when it was settled before */
export function settleAsIgnored(deps: Deps, tenantId: string, inboxId: string): Promise<boolean> {
  return twiceIfUnclear(() =>
    deps.db.withTenant(tenantId, async (tx) => {
      const settled = await tx
        .update(inbox)
        .set({ state: 'ignored', lastError: null })
        .where(and(eq(inbox.id, inboxId), eq(inbox.state, 'quarantined')))
        .returning({ id: inbox.id });
      await release(tx, [inboxId]);
      return settled.length > 0;
    }),
  );
}

/**
 * Why Postgres can never store what an event says (a number out of range, a character it does not know): trying again changes nothing.
 * @returns null for any other error. Source: SQLSTATE class 22, data exception
 */
export function unstorableReason(error: unknown): string | null {
  const code = postgresCode(error);
  return code?.startsWith('22') === true ? `a value cannot be stored (Postgres ${code})` : null;
}

/** It is not known whether COMMIT took effect: the inbox row makes it harmless to do it again on a new connection. */
async function twiceIfUnclear<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CommitUnclearError)) throw error;
    return work();
  }
}
