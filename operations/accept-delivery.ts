import { createHash } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import { type Database, faultOf } from '../db/client.ts';
import { NobodyWaitsError, type Wanted } from '../db/connection-line.ts';
import { connections, inbox } from '../db/schema/index.ts';
import type { DomainEvent } from '../domain/events.ts';
import type { FieldNote } from '../domain/field-note.ts';
import { settingsOf } from '../domain/tenant-settings.ts';
import type { Delivery, Received, Receiver, Refusal, Reply, Secrets } from '../integrations/port.ts';
import { type AnswerBudget, isLineTooLong, startAnswerBudget } from './answer-budget.ts';
import {
  applyBefore,
  applyWaitingRows,
  namesIn,
  type SetAside,
  storeIgnored,
  storePending,
  storeQuarantined,
  tryApply,
  unstorableReason,
} from './apply-delivery.ts';
import { withLinkedPerson } from './chat/links.ts';
import type { Deps } from './deps.ts';
import { isStop } from './effects/index.ts';
import type { Attempt, StoredDelivery } from './intake/delivery.ts';
import { sourceOf } from './intake/source.ts';
import { mayCarryStops } from './intake/stops.ts';
import { storeFirst } from './intake/store-first.ts';
import { readTenant } from './intake/tenant.ts';
import { keptOf } from './kept-delivery.ts';
import { noteLookups, storeLookups } from './lookups.ts';
import { noteMissigned } from './note-missigned.ts';
import { connectionOfAccount, storeContextOf, withConnection } from './store-context.ts';

/** What a delivery is answered with; `api/` turns it into a status. */
export type Acceptance =
  | { kind: 'accepted'; result: 'applied' | 'repeated' | 'ignored' | 'quarantined' | 'pending'; reply?: Reply }
  /** A ping or a challenge of the provider: nothing was stored. */
  | { kind: 'answered'; status: number; body: Reply | null }
  /**
   * It names nobody and nothing: it is kept in the quarantine, and the answer says what to correct. A repeat gets the same answer until that is
   * done.
   */
  | { kind: 'unreadable'; reason: string; fields: FieldNote[] }
  | { kind: 'refused'; reason: 'unknown_connection' | 'method_not_allowed' | Refusal }
  /** The answer could not be given in time: whether or not the delivery was stored, the sender must repeat it. */
  | { kind: 'busy' }
  /** Refused unread: too many deliveries wait for the database already. */
  | { kind: 'overloaded' };

/**
 * Take in one webhook delivery: verify, store, apply, wait for the calls that a stop covers, and only then accept.
 * Nothing is accepted that is not committed (G3); a repeat is accepted no earlier than the first would have been (G2).
 * @param connectionId - from the URL; null where the URL names only the integration
 */
export async function acceptDelivery(deps: Deps, integration: string, connectionId: string | null, delivery: Delivery): Promise<Acceptance> {
  const startedMs = deps.clock.monotonicMs();
  const acceptance = isLineTooLong(Math.max(deps.db.stats().longestWaitMs, deps.storingSets.longestWaitMs()))
    ? overloaded
    : await acceptInTime(deps, integration, connectionId, delivery);
  deps.telemetry.webhook(labelOf(deps, integration), resultOf(acceptance), deps.clock.monotonicMs() - startedMs);
  return acceptance;
}

const overloaded: Acceptance = { kind: 'overloaded' };

/** The name comes from the URL of an unverified caller: as a label, every made-up name would be kept for ever. */
function labelOf(deps: Pick<Deps, 'integrations'>, integration: string): string {
  return deps.integrations[integration]?.receiver === undefined ? 'unknown' : integration;
}

/** For the metrics. */
function resultOf(acceptance: Acceptance): string {
  if (acceptance.kind === 'unreadable') return 'quarantined';
  if (acceptance.kind === 'accepted') return acceptance.result;
  return acceptance.kind === 'refused' ? acceptance.reason : acceptance.kind;
}

async function acceptInTime(deps: Deps, integration: string, connectionId: string | null, delivery: Delivery): Promise<Acceptance> {
  const budget = startAnswerBudget(deps.clock);
  // The answer was already given without it: leave the line, so that it holds up nobody else.
  const work = accept({ ...deps, db: onlyWhile(deps.db, () => budget.leftMs() > 0) }, integration, connectionId, delivery, budget).catch(
    (error: unknown) => {
      if (error instanceof NobodyWaitsError) return { kind: 'busy' } as const;
      throw error;
    },
  );
  return answeredInTime(deps, budget, work);
}

function onlyWhile(db: Database, wanted: Wanted): Database {
  return {
    ...db,
    withTenant: (tenantId, work) => db.withTenant(tenantId, work, wanted),
    resolveConnection: (integration, id) => db.resolveConnection(integration, id, wanted),
  };
}

/** Waiting for a connection, or for a Postgres that stands still, uses up the answer's time too: then the shop is asked to repeat the delivery. */
async function answeredInTime(deps: Deps, budget: AnswerBudget, work: Promise<Acceptance>): Promise<Acceptance> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<Acceptance>((resolve) => {
    timer = setTimeout(() => {
      resolve({ kind: 'busy' });
      // The response is already sent: log the failure here, or it is lost.
      work.catch((error: unknown) => deps.log.warn({ err: error }, 'a delivery failed after its answer was given'));
    }, budget.leftMs());
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

async function accept(
  deps: Deps,
  integration: string,
  connectionId: string | null,
  delivery: Delivery,
  budget: AnswerBudget,
  isPassedOn = false,
): Promise<Acceptance> {
  const known = deps.integrations[integration];
  const receiver = known?.receiver;
  if (known === undefined || receiver === undefined) return { kind: 'refused', reason: 'unknown_connection' };
  if (!(receiver.methods ?? ['POST']).includes(delivery.method)) return { kind: 'refused', reason: 'method_not_allowed' };
  const connection = await deps.db.resolveConnection(integration, connectionId);
  if (connection === null) return { kind: 'refused', reason: 'unknown_connection' };
  const [first, second] = connection.secrets.map((s) => deps.sealing.open(s));
  if (first === undefined) return { kind: 'refused', reason: 'unknown_connection' };
  const secrets: Secrets = second === undefined ? [first] : [first, second];
  const store = await withConnection(deps, receiver, connection, storeContextOf(connection.tenant));
  const signed = await withCertificate(deps, receiver, delivery, secrets);
  if (signed === null) return { kind: 'busy' };
  const account = isPassedOn ? null : (receiver.aboutAccount?.(signed, secrets, store) ?? null);
  const other = account === null ? null : await connectionOfAccount(deps, connection.tenantId, known, account);
  if (other !== null && other !== connection.id) return accept(deps, integration, other, delivery, budget, true);
  const received = receiver.receive(signed, secrets, store);
  if (received.kind === 'refused') {
    if (received.reason === 'bad_signature' && connectionId !== null)
      await noteMissigned(deps, connection.tenantId, connection.id).catch((error: unknown) =>
        deps.log.warn({ err: error }, 'a refused signature was not noted'),
      );
    return received;
  }
  if (received.kind === 'answer') return { kind: 'answered', status: received.status, body: received.body ?? null };
  const row: StoredDelivery = {
    tenantId: connection.tenantId,
    connectionId: connection.id,
    dedupeKey: received.dedupeKey ?? keyOfBytes(received.topic, delivery),
    topic: received.topic,
    tenant: connection.tenant,
  };
  const acceptance = await acceptRead(deps, integration, row, received, keptOf(receiver, delivery), budget);
  return acceptance.kind === 'accepted' && received.reply !== undefined ? { ...acceptance, reply: received.reply } : acceptance;
}

/** @returns null where the certificate cannot be fetched now, so that nobody can say who sent this */
async function withCertificate(deps: Pick<Deps, 'log'>, receiver: Receiver, delivery: Delivery, secrets: Secrets): Promise<Delivery | null> {
  if (receiver.fetchCertificate === undefined) return delivery;
  try {
    const certificate = await receiver.fetchCertificate(delivery, secrets);
    return certificate === null ? delivery : { ...delivery, certificate };
  } catch (error) {
    deps.log.warn({ err: error }, 'the certificate of a delivery could not be fetched: its sender is asked to repeat it');
    return null;
  }
}

/** A delivery without an id is recognised by its bytes: a repeat sends the same ones. */
function keyOfBytes(topic: string, delivery: Delivery): string {
  const hash = createHash('sha256').update(topic).update('\n');
  // Without a body, all of its content is in the URL.
  return `sha256:${hash.update(delivery.raw.length > 0 ? delivery.raw : delivery.url).digest('hex')}`;
}

async function acceptRead(
  deps: Deps,
  integration: string,
  row: StoredDelivery,
  read: Exclude<Received, { kind: 'refused' | 'answer' }>,
  kept: Pick<SetAside, 'body' | 'headers'>,
  budget: AnswerBudget,
): Promise<Acceptance> {
  switch (read.kind) {
    case 'ignored':
      return { kind: 'accepted', result: (await storeIgnored(deps, row)) ? 'ignored' : 'repeated' };
    case 'unreadable': {
      const { reason, fields, mayBeStop } = read;
      return setAside(deps, integration, { ...row, notes: fields }, { ...kept, reason, mayBeStop });
    }
    case 'events':
      if (read.lookups !== undefined) await storeLookups(deps, row, read.lookups);
      // Nothing to apply yet: the delivery is recorded, and its look-ups bring the events.
      if (read.events.length === 0) {
        const isNew = await storeIgnored(deps, { ...row, notes: [...read.notes, ...noteLookups(read.lookups ?? [])] });
        return { kind: 'accepted', result: isNew ? 'pending' : 'repeated' };
      }
      try {
        const events = await withLinkedPerson(deps, row.tenantId, read.events, (work) => deps.db.withTenant(row.tenantId, work));
        return await acceptEvents(deps, { ...row, notes: read.notes }, events, budget);
      } catch (error) {
        const reason = unstorableReason(error);
        if (reason === null) throw error;
        return setAside(deps, integration, { ...row, notes: read.notes }, { ...kept, reason, mayBeStop: read.events.some(isStop) });
      }
  }
}

/**
 * Keep it in the quarantine, and answer as the integration's senders expect. One that a replay or a corrected repeat has settled meanwhile counts as
 * a repeat.
 */
async function setAside(deps: Deps, integration: string, row: StoredDelivery, kept: SetAside): Promise<Acceptance> {
  if (!(await keepLoudly(deps, integration, row, kept))) return { kind: 'accepted', result: 'repeated' };
  if (deps.integrations[integration]?.receiver?.answersUnreadable !== 'refuse') return { kind: 'accepted', result: 'quarantined' };
  return { kind: 'unreadable', reason: kept.reason, fields: row.notes ?? [] };
}

/** Logged and counted each time: an unreadable purchase that nobody notices lets messages go on. @returns false when it was settled before */
async function keepLoudly(deps: Deps, integration: string, row: StoredDelivery, kept: SetAside): Promise<boolean> {
  if ((await storeQuarantined(deps, row, kept)) === 'settled') return false;
  const topic = deps.integrations[integration]?.receiver?.topics.includes(row.topic) === true ? row.topic : 'other';
  const { reason, mayBeStop } = kept;
  deps.telemetry.unreadable(integration, topic, mayBeStop);
  deps.log.error(
    { tenantId: row.tenantId, integration, topic, reason, mayBeStop },
    mayBeStop
      ? 'a delivery that may be a purchase, a reply or an opt-out could not be read: it is kept in the quarantine, and messages go on until it is corrected'
      : 'a delivery could not be read: it is kept in the quarantine',
  );
  return true;
}

async function acceptEvents(deps: Deps, row: StoredDelivery, events: DomainEvent[], budget: AnswerBudget): Promise<Acceptance> {
  if (await storeFirst(deps, row, events, budget)) return { kind: 'accepted', result: 'pending' };
  if (isLineTooLong(deps.deliverySets.waitMs(row.tenantId))) return overloaded;
  const before = deps.floods.before(row.tenantId, () => namesIn(row, events));
  if (!(await applyBefore(deps, before, budget))) return { kind: 'busy' };
  let attempt = await tryApply(deps, row, events, budget);
  if (attempt.kind === 'locked') {
    // Another transaction holds the locks. Store the event, so that it cannot be lost, and keep trying while the shop waits.
    const stored = await storePending(deps, row, events);
    if (stored && !(await mayStop(deps, row, events))) return { kind: 'accepted', result: 'pending' };
    while (attempt.kind === 'locked' && budget.leftMs() > 0) attempt = await tryApply(deps, row, events, budget, true);
    if (attempt.kind === 'locked') return { kind: 'busy' };
  }
  return (await waitForCalls(deps, row, attempt, budget)) ? { kind: 'accepted', result: attempt.kind } : { kind: 'busy' };
}

function mayStop(deps: Deps, row: StoredDelivery, events: DomainEvent[]): Promise<boolean> {
  return deps.db.withTenant(row.tenantId, async (tx) => {
    const source = sourceOf(row, settingsOf(row.tenant ?? (await readTenant(tx, row.tenantId))));
    const mayStop = await mayCarryStops(
      tx,
      events.map((event) => ({ source, event })),
    );
    return mayStop.includes(true);
  });
}

/** The connection is given back; wait until no covered call is open. @returns false when the answer's time was over before */
export async function waitForCalls(
  deps: Deps,
  row: Pick<StoredDelivery, 'tenantId'>,
  { applied }: Exclude<Attempt, { kind: 'locked' }>,
  budget: AnswerBudget,
): Promise<boolean> {
  if (applied.outboxWritten) deps.kickRelay();
  await deps.checkpoints('stop.committed');
  const waitFromMs = deps.clock.monotonicMs();
  const waited = await deps.leases.wait(row.tenantId, applied.liveClaims, applied.lockedAtMs, budget.leftMs() + (waitFromMs - applied.lockedAtMs));
  if (applied.coveredContactIds.length > 0) deps.telemetry.leaseWait(waited, deps.clock.monotonicMs() - waitFromMs);
  return waited !== 'budget_spent';
}

// The k-th attempt at a row comes 2^k seconds after it was received; after the last, eighteen hours later, a person must look at it.
const maxAttempts = 16;
const rowsPerPass = 250;

/**
 * The inbox worker's pass: apply what was stored as pending. A row that fails does not hold up the others: failed rows come last, each later than the
 * time before; what can never be applied goes to the quarantine.
 * @returns how many rows were applied
 */
export async function applyPending(deps: Deps): Promise<number> {
  let done = 0;
  for (const tenantId of await deps.db.tenantsWithWork('pending_inbox')) {
    const { tenant, rows } = await deps.db.withTenant(tenantId, async (tx) => ({
      tenant: await readTenant(tx, tenantId),
      rows: await tx
        .select()
        .from(inbox)
        .where(and(eq(inbox.state, 'pending'), sql`(attempts = 0 or received_at + make_interval(secs => power(2, attempts)) <= clock_timestamp())`))
        .orderBy(inbox.attempts, inbox.receivedAt, inbox.id)
        .limit(rowsPerPass),
    }));
    const attempts = await applyWaitingRows(
      deps,
      rows.map((row) => ({ ...row, tenant })),
    );
    let outboxWritten = false;
    for (const [index, attempt] of attempts.entries()) {
      const row = rows[index];
      if (attempt.status === 'rejected') {
        if (row !== undefined) await recordFailure(deps, row, attempt.reason);
      } else if (attempt.value.kind !== 'locked') {
        outboxWritten ||= attempt.value.applied.outboxWritten;
        done++;
      }
    }
    if (outboxWritten) deps.kickRelay();
  }
  return done;
}

async function recordFailure(deps: Deps, row: typeof inbox.$inferSelect, error: unknown): Promise<void> {
  deps.log.error({ tenantId: row.tenantId, inboxId: row.id, err: error }, 'a pending event could not be applied');
  const fault = faultOf(error);
  const reason = unstorableReason(error) ?? (row.attempts + 1 >= maxAttempts ? `could not be applied in ${maxAttempts} attempts: ${fault}` : null);
  if (reason !== null) {
    const [connection] = await deps.db.withTenant(row.tenantId, (tx) =>
      tx.select({ integration: connections.integration }).from(connections).where(eq(connections.id, row.connectionId)),
    );
    await keepLoudly(deps, connection?.integration ?? 'unknown', row, {
      reason,
      body: JSON.stringify(row.events),
      headers: {},
      mayBeStop: row.events.some(isStop),
    });
    return;
  }
  await deps.db.withTenant(row.tenantId, (tx) => tx.update(inbox).set({ attempts: sql`attempts + 1`, lastError: fault }).where(eq(inbox.id, row.id)));
}
