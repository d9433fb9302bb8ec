import { and, eq, sql } from 'drizzle-orm';
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { compositions, connections, modelSpending } from '../../db/schema/index.ts';
import type { Guard, TemplateReason } from '../../domain/composition/outcome.ts';
import type { WrittenWords } from '../../domain/composition/words.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { TokenUse } from '../../integrations/port.ts';

/** One call of a model: only who holds its claim stores what came of it. */
export interface Call {
  tenantId: string;
  compositionId: string;
  claim: string;
  /** UTC, as `2026-11-28`: the day whose budget it is reserved in. */
  day: string;
  reservedMicros: number;
}

export interface CallRequest {
  tenantId: string;
  enrollmentId: string;
  stepId: string;
  channel: string;
  language: string;
  fingerprint: string;
  model: string;
  dueMs: number;
  /** The most that the call can cost. */
  mostMicros: number;
  settings: TenantSettings;
  nowMs: number;
}

/** A call takes no longer than this: one that is older was made by a worker that has ended. */
const callLeaseMs = 150_000;
/** Of one step, the answers that were not used and the times at which it was put off included. */
const mostCalls = 6;

export type Begun =
  | { kind: 'call'; call: Call }
  /** There is nothing to call for: the text is there, or there will be none. */
  | { kind: 'settled'; note: string }
  /** Another worker is calling. */
  | { kind: 'again'; inMs: number; why: string };

/**
 * Reserve what a call can cost, and claim it: both, or neither. Of two workers one calls. A call whose answer was never stored may have been paid,
 * so it is not made again.
 */
export async function beginCall(tx: Tx, request: CallRequest): Promise<Begun> {
  const { tenantId, enrollmentId, stepId, nowMs, settings } = request;
  const asked = {
    channel: request.channel,
    language: request.language,
    fingerprint: request.fingerprint,
    model: request.model,
    dueAt: request.dueMs,
  };
  await tx
    .insert(compositions)
    .values({ tenantId, id: uuidv7(), enrollmentId, stepId, state: 'waiting', ...asked })
    .onConflictDoNothing();
  const [row] = await tx
    .select()
    .from(compositions)
    .where(and(eq(compositions.enrollmentId, enrollmentId), eq(compositions.stepId, stepId)))
    .for('update');
  if (row === undefined) throw new Error('a composition vanished under its lock');
  const isSame = row.fingerprint === request.fingerprint && row.channel === request.channel;
  if (row.state === 'calling') {
    const leftMs = (row.claimedAt ?? 0) + callLeaseMs - nowMs;
    if (leftMs > 0) return { kind: 'again', inMs: Math.min(leftMs, 2_000), why: 'another worker asks the model' };
    await settle(tx, row.id, { state: 'failed', reason: 'lost' });
    return { kind: 'settled', note: 'the worker that asked the model has ended' };
  }
  if (row.state === 'ready' && isSame) return { kind: 'settled', note: 'the text is there' };
  if (row.state === 'failed' && row.reason === 'lost') return { kind: 'settled', note: 'a call may have been paid in vain, and is not repeated' };
  if (row.state === 'failed' && isSame && row.calls > 0 && !mayChange(row.reason)) return { kind: 'settled', note: `no text: ${row.reason ?? ''}` };
  if (row.calls >= mostCalls) return { kind: 'settled', note: 'the model was asked often enough' };
  const day = new Date(nowMs).toISOString().slice(0, 10);
  if (!(await reserve(tx, { tenantId, day, micros: request.mostMicros, limitMicros: Math.floor(settings.modelDailyBudget * 1e6) }))) {
    await settle(tx, row.id, { ...asked, state: 'failed', reason: 'over_budget' });
    return { kind: 'settled', note: 'the budget for models is used up for today' };
  }
  const claim = uuidv4();
  const noText = { subject: null, body: null, cta: null, unedited: null, reason: null, guard: null, detail: null };
  const fresh = { ...noText, approval: null, decidedBy: null, decidedAt: null, decisionNote: null };
  await tx
    .update(compositions)
    .set({ ...asked, ...fresh, state: 'calling', claim, claimedAt: nowMs, settledAt: null, calls: row.calls + 1 })
    .where(eq(compositions.id, row.id));
  return { kind: 'call', call: { tenantId, compositionId: row.id, claim, day, reservedMicros: request.mostMicros } };
}

/** What another day, another key or another attempt may cure. */
const mayChange = (reason: TemplateReason | null): boolean =>
  reason !== null && ['not_connected', 'over_budget', 'wrong_key', 'unavailable', 'rate_limited'].includes(reason);

/** Two at once wait for each other, so that they cannot both take what is left. */
export async function reserve(
  tx: Tx,
  { tenantId, day, micros, limitMicros }: { tenantId: string; day: string; micros: number; limitMicros: number },
) {
  if (micros > limitMicros) return false;
  await tx.insert(modelSpending).values({ tenantId, day, micros: 0 }).onConflictDoNothing();
  const reserved = await tx
    .update(modelSpending)
    .set({ micros: sql`${modelSpending.micros} + ${micros}` })
    .where(and(eq(modelSpending.day, day), sql`${modelSpending.micros} + ${micros} <= ${limitMicros}`))
    .returning({ day: modelSpending.day });
  return reserved.length > 0;
}

/** What came of a call. */
export type Settlement =
  | { kind: 'ready'; words: WrittenWords; approval: boolean }
  | { kind: 'failed'; reason: TemplateReason; guard: Guard | null; detail: string | null }
  /** It may be asked again. */
  | { kind: 'waiting'; detail: string | null };

/** Store what came of a call, and what it cost in the place of what was reserved. @returns false where the call is not this one's any more */
export async function settleCall(tx: Tx, call: Call, settlement: Settlement, cost: { use: TokenUse | null; micros: number }): Promise<boolean> {
  const fields =
    settlement.kind === 'ready'
      ? {
          ...{ subject: settlement.words.subject, body: settlement.words.body, cta: settlement.words.cta },
          approval: settlement.approval ? ('pending' as const) : null,
        }
      : settlement.kind === 'failed'
        ? { reason: settlement.reason, guard: settlement.guard, detail: settlement.detail }
        : { detail: settlement.detail };
  const settled = await tx
    .update(compositions)
    .set({
      ...fields,
      state: settlement.kind,
      settledAt: sql`clock_timestamp()`,
      inputTokens: sql`${compositions.inputTokens} + ${cost.use?.input ?? 0}`,
      outputTokens: sql`${compositions.outputTokens} + ${cost.use?.output ?? 0}`,
      costMicros: sql`${compositions.costMicros} + ${cost.micros}`,
    })
    .where(and(eq(compositions.id, call.compositionId), eq(compositions.claim, call.claim), eq(compositions.state, 'calling')))
    .returning({ id: compositions.id });
  // What a lost call may have cost stays reserved.
  if (settled.length === 0) return false;
  await settleReserved(tx, call, cost.micros);
  return true;
}

/** What a call cost, in the place of what was reserved for it. */
export async function settleReserved(tx: Tx, { day, reservedMicros }: Pick<Call, 'day' | 'reservedMicros'>, micros: number): Promise<void> {
  await tx
    .update(modelSpending)
    .set({ micros: sql`greatest(0, ${modelSpending.micros} + ${micros - reservedMicros})` })
    .where(eq(modelSpending.day, day));
}

/** Store that there is no text, without a call. */
export async function storeNoText(tx: Tx, request: Omit<CallRequest, 'mostMicros' | 'settings' | 'nowMs'>, reason: TemplateReason): Promise<void> {
  const { tenantId, enrollmentId, stepId, channel, language, fingerprint, model, dueMs } = request;
  const asked = { channel, language, fingerprint, model, dueAt: dueMs, state: 'failed' as const, reason };
  await tx
    .insert(compositions)
    .values({ tenantId, id: uuidv7(), enrollmentId, stepId, ...asked })
    .onConflictDoUpdate({
      target: [compositions.tenantId, compositions.enrollmentId, compositions.stepId],
      set: asked,
      // A call that runs is not this one's to end.
      setWhere: sql`${compositions.state} <> 'calling'`,
    });
}

async function settle(tx: Tx, id: string, fields: Partial<typeof compositions.$inferInsert>): Promise<void> {
  await tx
    .update(compositions)
    .set({ ...fields, settledAt: sql`clock_timestamp()` })
    .where(eq(compositions.id, id));
}

/** Show that a provider does not let us in, or that it does. */
export async function noteFault(tx: Tx, connectionId: string, fault: string | null): Promise<void> {
  await tx
    .update(connections)
    .set({ fault, faultAt: fault === null ? null : sql`coalesce(fault_at, clock_timestamp())` })
    .where(and(eq(connections.id, connectionId), sql`fault is distinct from ${fault}`));
}
