import { eq, sql } from 'drizzle-orm';
import { callFunction, type Tx, unawaited } from '../../db/client.ts';
import { enrollments, sendRates } from '../../db/schema/index.ts';
import { lastMomentOf } from '../../domain/gates/last-moment.ts';
import type { GateCheck, Verdict } from '../../domain/gates/verdict.ts';
import { type Rate, rateNotes, slotLifeMs, spacingMs, waitedForMs } from '../../domain/rate.ts';
import type { EpochMs, Plan, Progress } from '../../domain/sequence/plan.ts';
import type { TenantSettings } from '../../domain/tenant-settings.ts';
import type { Outlet } from '../outlets.ts';
import type { EnrollmentRow } from './progress.ts';

/** A step that is to be sent now, and what may have a rate. */
export interface Paced {
  enrollment: EnrollmentRow;
  stepId: string;
  plan: Plan;
  progress: Progress;
  outlet: Outlet;
  /** Hash of the address that it goes to; null: it goes to none. */
  addressHash: string | null;
  /** Of the sequence, in real time; absent: it has none. */
  sequenceRate: Rate | undefined;
  /** Of its campaign, in real time; null: it is in none, or that has no limit of its own. */
  campaign: { id: string; rate: Rate } | null;
  settings: Pick<TenantSettings, 'catchUpPerMinute'>;
  /** How much later than it could have been this dispatch is. */
  lateMs: number;
  nowMs: EpochMs;
}

/** `wait`: its moment comes so soon that the dispatch waits for it. `full`: its moment has come, and the provider's window has no room for it yet. */
export type Pace =
  | { kind: 'now' }
  | { kind: 'wait'; inMs: number }
  | { kind: 'full'; inMs: number }
  | { kind: 'later'; verdict: Exclude<Verdict, { kind: 'send' }> };

/** What is later than this was held up by an outage, and is released at a bounded rate. */
const overdueMs = 10 * 60_000;

/**
 * Whether a message may leave now under the rates that apply to it. The next free moment is reserved, so that those who wait do not wake together; the
 * step is put off until then and asks all gates again. One that would be too old by then is skipped. Where its moment has come, it also needs room in
 * the provider's window: those who are late would pass it together.
 * Source: docs/rules.md#rule-34, docs/rules.md#rule-102
 */
export async function pace(tx: Tx, paced: Paced, checks: readonly GateCheck[]): Promise<Pace> {
  const { enrollment, stepId, nowMs } = paced;
  const scopes = scopesOf(paced);
  if (scopes.length === 0) return { kind: 'now' };
  const { [stepId]: held, ...others } = enrollment.slots;
  const keep = (slots: EnrollmentRow['slots']) => unawaited(tx, tx.update(enrollments).set({ slots }).where(eq(enrollments.id, enrollment.id)));
  if (held !== undefined) {
    const leaving = await leaveInSlot(tx, scopes, held - nowMs);
    if (leaving.due_ms > 0) return until(paced, nowMs + Math.ceil(leaving.due_ms), scopes, checks);
    if (leaving.leaves_in_ms !== null) {
      const inMs = Math.ceil(leaving.leaves_in_ms);
      // The provider takes nothing for a while.
      if (inMs > waitedForMs) return until(paced, nowMs + inMs, scopes, checks);
      if (inMs > 0) return { kind: scopes.some(({ most }) => most !== undefined) ? 'full' : 'wait', inMs };
      keep(others);
      return { kind: 'now' };
    }
  }
  const expiryMs = lastMomentOf(checks, paced.plan, paced.progress, stepId);
  const latest = new Date(expiryMs).toISOString();
  const slot = await callFunction<{ in_ms: number; pushed_ms: number }>(tx, 'reserve_send_slot_3($1, $2)', [JSON.stringify(scopes), latest]);
  if (slot.in_ms <= 0) return { kind: 'now' };
  const slotMs = nowMs + Math.ceil(slot.in_ms);
  const input = { slotMs, rates: scopes.map(({ scope }) => scope).join(', ') };
  if (slotMs > expiryMs) {
    const check: GateCheck = { gate: 'rate', result: 'skip', input, note: rateNotes.skip };
    return { kind: 'later', verdict: { kind: 'skip', reason: 'rate', checks: [...checks, check] } };
  }
  keep({ ...others, [stepId]: slotMs - slot.pushed_ms });
  return until(paced, slotMs, scopes, checks);
}

/** When a reserved moment comes, and where it has come whether the message leaves now (db/functions/leave_in_slot.sql). */
const leaveInSlot = (tx: Tx, scopes: readonly Scope[], untilMs: number) =>
  callFunction<{ due_ms: number; leaves_in_ms: number | null }>(tx, 'leave_in_slot($1, $2, $3)', [JSON.stringify(scopes), untilMs, slotLifeMs]);

function until({ nowMs }: Paced, slotMs: EpochMs, scopes: readonly Scope[], checks: readonly GateCheck[]): Pace {
  if (slotMs - nowMs <= waitedForMs) return { kind: 'wait', inMs: slotMs - nowMs };
  const input = { slotMs, rates: scopes.map(({ scope }) => scope).join(', ') };
  const check: GateCheck = { gate: 'rate', result: 'defer', input, note: rateNotes.defer };
  return { kind: 'later', verdict: { kind: 'defer', untilMs: slotMs, reason: 'rate', checks: [...checks, check] } };
}

/**
 * Make room for an answer in a chat, which leaves at once: beyond what the provider leaves for answers, messages that wait do so for longer.
 * @returns for how many milliseconds it has to wait all the same, because the provider would refuse it before; 0 as a rule
 */
export async function makeRoom(tx: Tx, outlet: Outlet): Promise<number> {
  // Where the store says its own rate, or nothing is left for answers, each takes a place.
  const answers = outlet.rate === null ? outlet.sender.rates?.answers : undefined;
  const answerMs = answers === undefined ? null : wholeMs(answers);
  const scopes = scopesOfOutlet(outlet, null).map((scope) => ({ ...scope, answer_ms: answerMs }));
  return scopes.length === 0 ? 0 : callFunction<number>(tx, 'push_send_slots_2($1)', [JSON.stringify(scopes)]);
}

/** What the provider takes: of the account as the store says, else as it says itself, and of one address. */
function scopesOfOutlet({ connectionId, rate, sender }: Outlet, addressHash: string | null): Scope[] {
  if (connectionId === null) return [];
  const isShared = sender.rates?.isShared === true;
  const ofAccount = rate ?? (isShared ? null : sender.rates?.account) ?? null;
  const ofAddress = addressHash === null ? null : (sender.rates?.address ?? null);
  return [
    ...(ofAccount === null ? [] : [{ scope: `connection ${connectionId}`, spacing_ms: wholeMs(ofAccount), ...windowOf(rate, sender) }]),
    ...(isShared && sender.rates !== undefined ? [{ scope: `account ${sender.account}`, spacing_ms: wholeMs(sender.rates.account) }] : []),
    ...(ofAddress === null ? [] : [{ scope: `address ${connectionId} ${addressHash}`, spacing_ms: wholeMs(ofAddress) }]),
  ];
}

/** Moments are kept in milliseconds: rounded down, a rate would be a little faster than it says. */
const wholeMs = (rate: Rate) => Math.ceil(spacingMs(rate));

export interface Scope {
  scope: string;
  spacing_ms: number;
  /** Its window (db/functions/leaves_from.sql); absent: it has none. */
  most?: number;
  window_ms?: number;
  for_answers?: number;
}

function windowOf(ownRate: Rate | null, { rates }: Outlet['sender']): Partial<Scope> {
  if (ownRate !== null || rates?.window === undefined) return {};
  const { most, withinMs, forAnswers } = rates.window;
  return { most, window_ms: withinMs, for_answers: forAnswers };
}

/** No window lets half of what it holds leave in less than a quarter of its time. null: the outlet has no window. */
export function turnEveryMs({ connectionId, rate, sender }: Outlet): number | null {
  const window = connectionId === null || rate !== null ? undefined : sender.rates?.window;
  return window === undefined ? null : window.withinMs / 4 / Math.max(1, Math.floor(window.most / 2));
}

function scopesOf({ enrollment, outlet, addressHash, sequenceRate, campaign, settings, lateMs }: Paced): Scope[] {
  const scopes: Scope[] = scopesOfOutlet(outlet, addressHash);
  if (sequenceRate !== undefined)
    scopes.push({ scope: `sequence ${enrollment.sequenceId}`, spacing_ms: spacingMs(sequenceRate) / enrollment.timeScale });
  if (campaign !== null) scopes.push({ scope: `campaign ${campaign.id}`, spacing_ms: spacingMs(campaign.rate) / enrollment.timeScale });
  if (settings.catchUpPerMinute !== null && lateMs > overdueMs)
    scopes.push({ scope: 'catch_up', spacing_ms: spacingMs({ most: settings.catchUpPerMinute, withinMs: 60_000 }) });
  return scopes;
}

/** Nothing leaves through the connection before its provider takes messages again. */
export async function holdUp(tx: Tx, tenantId: string, { connectionId }: Outlet, forMs: number): Promise<void> {
  if (connectionId === null) return;
  const freeAt = sql`clock_timestamp() + make_interval(secs => ${forMs / 1_000})`;
  await tx
    .insert(sendRates)
    .values({ tenantId, scope: `connection ${connectionId}`, freeAt, closedUntil: freeAt })
    .onConflictDoUpdate({
      target: [sendRates.tenantId, sendRates.scope],
      set: {
        freeAt: sql`greatest(send_rates.free_at, excluded.free_at)`,
        closedUntil: sql`greatest(send_rates.closed_until, excluded.closed_until)`,
      },
    });
}
