import { type AnyColumn, and, eq, sql } from 'drizzle-orm';
import { callFunction, type Database, type Tx, unawaited } from '../../db/client.ts';
import { rowOf, type StoredRow } from '../../db/row-of.ts';
import { enrollments, messages } from '../../db/schema/index.ts';
import type { MessagePayload } from '../../domain/channels/index.ts';
import type { Deadline, Reconciliation, SenderTimes, SendOutcome } from '../../integrations/port.ts';
import type { Clock } from '../clock.ts';
import { MovedError } from '../intake/found.ts';
import type { EnrollmentRow, LedgerRow, MessageRow } from './progress.ts';

/*
 * The send fence in SQL (docs/fence.md). The states of a row and their transitions:
 *
 *   none, failed  ── claim ──▶ claimed ── settle ──▶ sent | failed | unknown
 *        └───────── decide ──▶ skipped      │
 *                                           └─ dead lease ──▶ unknown ── find ──▶ sent | failed
 *                                                              └─ replay (keys) ──▶ claimed
 *
 * `sent` and `skipped` are final, except that proof of acceptance makes anything `sent`. `live` belongs to the latest claim's call alone.
 * The protocol's model has a counterexample for leaving out any rule: change the model before a rule.
 */

export interface Locked {
  enrollment: EnrollmentRow;
  personId: string;
  ledger: LedgerRow[];
  /** The step's own row, with the pinned call. */
  row: MessageRow | null;
}

interface StoredLocks {
  moved?: true;
  person_id: string;
  enrollment: StoredRow;
  ledger: StoredRow[];
  row: StoredRow | null;
}

/**
 * Lock person, enrollment and message row, in this order, each in a statement of its own; only what is read afterwards counts.
 * @throws MovedError when the enrollment changed its person while the lock was awaited
 */
export async function lockStep(tx: Tx, enrollmentId: string, stepId: string): Promise<Locked | null> {
  const locks = await callFunction<StoredLocks | null>(tx, 'lock_step($1, $2)', [enrollmentId, stepId]);
  if (locks === null) return null;
  if (locks.moved === true) throw new MovedError();
  return {
    enrollment: rowOf(enrollments, locks.enrollment),
    personId: locks.person_id,
    ledger: locks.ledger.map((row) => rowOf(messages, row)),
    row: locks.row === null ? null : rowOf(messages, locks.row),
  };
}

/** How old a row's claim and doubt are, by the database's clock: all workers share it, whatever their own clocks say. Milliseconds. */
export async function agesOf(tx: Tx, messageId: string): Promise<{ claimMs: number; doubtMs: number | null; findInMs: number | null }> {
  const since = (column: AnyColumn) => sql<number | null>`(extract(epoch from clock_timestamp() - ${column}) * 1000)::double precision`;
  const [row] = await tx
    .select({ claimMs: since(messages.claimedAt), doubtMs: since(messages.doubtSince), findMs: since(messages.findFrom) })
    .from(messages)
    .where(eq(messages.id, messageId));
  return { claimMs: row?.claimMs ?? 0, doubtMs: row?.doubtMs ?? null, findInMs: row?.findMs == null ? null : -row.findMs };
}

/** Elapsed time since `t0`: the larger of two clocks, so that neither a suspended machine nor a stepped clock lengthens a call. */
export function startDeadline(clock: Clock, deadlineMs: number): Deadline {
  const monotonicT0 = clock.monotonicMs();
  const wallT0 = clock.nowMs();
  return {
    remainingMs: () => deadlineMs - Math.max(clock.monotonicMs() - monotonicT0, clock.nowMs() - wallT0),
  };
}

export interface ClaimInput {
  tenantId: string;
  messageId: string;
  enrollment: EnrollmentRow;
  stepId: string;
  claim: string;
  connectionId: string | null;
  account: string;
  payload: MessagePayload;
  /** Which of the step's variants it is, or of its campaign's test; null: nothing is compared. */
  variant: string | null;
  /** That test of its campaign; null: it is in none. */
  experimentId: string | null;
  /** Of its text, BCP 47; null: it has none. */
  language: string | null;
  /** The script that its text is of; null: the step's own. */
  scriptId: string | null;
  /** The hour of the local week, and by whose wish it was chosen; null: not known, or by nobody’s. */
  localSlot: number | null;
  hourBy: string | null;
  times: SenderTimes;
  dueAtMs: number;
}

/** Write the claim and pin the call, unawaited. The row is locked; nothing may be sent before the COMMIT of this was acknowledged. */
export function writeClaim(tx: Tx, row: MessageRow | null, c: ClaimInput): void {
  const wasUnknown = row?.state === 'unknown';
  const claimed = {
    state: 'claimed' as const,
    claim: c.claim,
    claimedAt: sql`clock_timestamp()`,
    live: true,
    leaseMs: c.times.leaseMs,
    deadLeaseMs: c.times.deadLeaseMs,
    inDoubt: wasUnknown,
    ...(wasUnknown
      ? {}
      : {
          doubtSince: null,
          connectionId: c.connectionId,
          account: c.account,
          channel: c.payload.channel,
          payload: c.payload,
          variant: c.variant,
          experimentId: c.experimentId,
          language: c.language,
          scriptId: c.scriptId,
          localSlot: c.localSlot,
          hourBy: c.hourBy,
        }),
    // `maxRetries` counts the refusals of one channel: another provider has refused nothing yet.
    ...(wasUnknown || row?.channel === c.payload.channel ? {} : { refusals: 0 }),
    findFrom: null,
    refusedForGood: false,
    settledAt: null,
    dueAt: c.dueAtMs,
  };
  const { tenantId, messageId: id, enrollment, stepId } = c;
  unawaited(
    tx,
    row === null
      ? tx.insert(messages).values({ ...claimed, tenantId, id, enrollmentId: enrollment.id, stepId, contactId: enrollment.contactId })
      : tx.update(messages).set(claimed).where(eq(messages.id, row.id)),
  );
}

/** End a lease that is dead: the call is over by now, and its outcome is not known. */
export async function endDeadLease(tx: Tx, row: MessageRow, reconciliation: Reconciliation | null): Promise<void> {
  await tx
    .update(messages)
    .set({ live: false, state: sql`case when state = 'claimed' then 'unknown' else state end`, ...doubt(reconciliation) })
    .where(and(eq(messages.id, row.id), eq(messages.live, true)));
}

const doubt = (reconciliation: Reconciliation | null) => ({
  doubtSince: sql`coalesce(doubt_since, claimed_at)`,
  findFrom:
    reconciliation?.kind === 'find'
      ? sql`claimed_at + make_interval(secs => ${reconciliation.settleAfterMs / 1000}::double precision)`
      : sql`null::timestamptz`,
});

/** Give back a claim of this worker that it never called. */
export async function releaseOwnClaim(tx: Tx, row: MessageRow): Promise<void> {
  await tx
    .update(messages)
    .set({ live: false, state: sql`case when state <> 'claimed' then state when in_doubt then 'unknown' else 'failed' end` })
    .where(and(eq(messages.id, row.id), eq(messages.live, true)));
}

/** What a settle writes: `released` is a claim that was never called and counts as no failure. */
export type Settlement = SendOutcome | { kind: 'released' };

/**
 * Write the outcome of a call, fenced by its claim: a row that a newer claim owns is not touched. `live` goes off in every case.
 * Proof of acceptance counts whoever owns the row.
 */
export async function settleCall(tx: Tx, messageId: string, claim: string, outcome: Settlement, reconciliation: Reconciliation): Promise<void> {
  const response = outcome.kind === 'released' ? null : outcome.response.slice(0, 500);
  const mine = and(eq(messages.id, messageId), eq(messages.claim, claim));
  if (outcome.kind === 'accepted') {
    const accepted = {
      state: 'sent' as const,
      response,
      providerMessageId: outcome.providerMessageId,
      settledAt: sql`coalesce(settled_at, clock_timestamp())`,
    };
    const settled = await tx
      .update(messages)
      .set({ ...accepted, live: false })
      .where(mine)
      .returning({ id: messages.id });
    // This call was accepted, though a newer claim owns the row: write the state, and leave the newer call's lease alone.
    if (settled.length === 0) await tx.update(messages).set(accepted).where(eq(messages.id, messageId));
    return;
  }
  if (outcome.kind === 'unknown') {
    await tx
      .update(messages)
      .set({
        live: false,
        state: sql`case when state in ('claimed', 'unknown') then 'unknown' else state end`,
        response,
        ...doubt(reconciliation),
      })
      .where(mine);
    return;
  }
  const counts = outcome.kind === 'refused';
  await tx
    .update(messages)
    .set({
      live: false,
      state: sql`case when state not in ('claimed', 'unknown') then state when in_doubt then 'unknown' else 'failed' end`,
      ...(counts
        ? {
            response,
            failures: sql`failures + 1`,
            refusedForGood: outcome.severity === 'hard',
            // A refusal for good closes the address instead of being counted.
            refusals: sql`refusals + ${outcome.outage === true || outcome.severity === 'hard' ? 0 : 1}`,
            settledAt: sql`clock_timestamp()`,
          }
        : {}),
    })
    .where(mine);
}

/** Proof from outside (a delivery event, a click on a link in the message): it was accepted. Never touches `live`. */
export async function recordProof(tx: Tx, messageId: string): Promise<void> {
  await tx
    .update(messages)
    .set({ state: 'sent', settledAt: sql`coalesce(settled_at, clock_timestamp())` })
    .where(and(eq(messages.id, messageId), sql`state <> 'sent'`));
}

/** The provider's answer to `find`: it counts only for the claim that it was asked about, while nothing else has happened. */
export async function applyFind(
  db: Database,
  tenantId: string,
  messageId: string,
  claim: string,
  found: 'accepted' | 'not_accepted',
): Promise<boolean> {
  return db.settling(tenantId, async (tx) => {
    const changed = await tx
      .update(messages)
      .set({
        state: found === 'accepted' ? 'sent' : 'failed',
        findFrom: null,
        settledAt: sql`clock_timestamp()`,
        ...(found === 'accepted' ? {} : { failures: sql`failures + 1`, doubtSince: null }),
      })
      .where(and(eq(messages.id, messageId), eq(messages.claim, claim), eq(messages.state, 'unknown'), eq(messages.live, false)))
      .returning({ id: messages.id });
    return changed.length > 0;
  });
}
