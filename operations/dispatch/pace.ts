import { eq, inArray, sql } from 'drizzle-orm';
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

/** `wait`: its moment comes so soon that the dispatch waits for it. */
export type Pace = { kind: 'now' } | { kind: 'wait'; inMs: number } | { kind: 'later'; verdict: Exclude<Verdict, { kind: 'send' }> };

/** What is later than this was held up by an outage, and is released at a bounded rate. */
const overdueMs = 10 * 60_000;

/**
 * Whether a message may leave now under the rates that apply to it. The next free moment is reserved, so that those who wait do not wake together; the
 * step is put off until then and asks all gates again. One that would be too old by then is skipped.
 * Source: docs/rules.md#rule-34
 */
export async function pace(tx: Tx, paced: Paced, checks: readonly GateCheck[]): Promise<Pace> {
  const { enrollment, stepId, nowMs } = paced;
  const scopes = scopesOf(paced);
  if (scopes.length === 0) return { kind: 'now' };
  const { [stepId]: held, ...others } = enrollment.slots;
  const keep = (slots: EnrollmentRow['slots']) => unawaited(tx, tx.update(enrollments).set({ slots }).where(eq(enrollments.id, enrollment.id)));
  if (held !== undefined) {
    const slotMs = held + (await pushedMsOf(tx, scopes));
    if (nowMs <= slotMs + slotLifeMs) {
      if (nowMs < slotMs) return until(paced, slotMs, scopes, checks);
      keep(others);
      return { kind: 'now' };
    }
  }
  const expiryMs = lastMomentOf(checks, paced.plan, paced.progress, stepId);
  const latest = new Date(expiryMs).toISOString();
  const slot = await callFunction<{ in_ms: number; pushed_ms: number }>(tx, 'reserve_send_slot_2($1, $2)', [JSON.stringify(scopes), latest]);
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

/** By how much answers in chats have moved the moments under some rates. */
async function pushedMsOf(tx: Tx, scopes: readonly Scope[]): Promise<number> {
  const [row] = await tx
    .select({ sum: sql<number>`coalesce(sum(${sendRates.pushedMs}), 0)::double precision` })
    .from(sendRates)
    .where(
      inArray(
        sendRates.scope,
        scopes.map(({ scope }) => scope),
      ),
    );
  return row?.sum ?? 0;
}

function until({ nowMs }: Paced, slotMs: EpochMs, scopes: readonly Scope[], checks: readonly GateCheck[]): Pace {
  if (slotMs - nowMs <= waitedForMs) return { kind: 'wait', inMs: slotMs - nowMs };
  const input = { slotMs, rates: scopes.map(({ scope }) => scope).join(', ') };
  const check: GateCheck = { gate: 'rate', result: 'defer', input, note: rateNotes.defer };
  return { kind: 'later', verdict: { kind: 'defer', untilMs: slotMs, reason: 'rate', checks: [...checks, check] } };
}

/** Make room for an answer in a chat, which leaves at once: beyond what the provider leaves for answers, messages that wait do so for longer. */
export async function makeRoom(tx: Tx, outlet: Outlet): Promise<void> {
  // Where the store says its own rate, or nothing is left for answers, each takes a place.
  const answers = outlet.rate === null ? outlet.sender.rates?.answers : undefined;
  const answerMs = answers === undefined ? null : wholeMs(answers);
  const scopes = scopesOfOutlet(outlet, null).map((scope) => ({ ...scope, answer_ms: answerMs }));
  if (scopes.length > 0) await callFunction(tx, 'push_send_slots($1)', [JSON.stringify(scopes)]);
}

/** What the provider takes: of the account as the store says, else as it says itself, and of one address. */
function scopesOfOutlet({ connectionId, rate, sender }: Outlet, addressHash: string | null): Scope[] {
  if (connectionId === null) return [];
  const isShared = sender.rates?.isShared === true;
  const ofAccount = rate ?? (isShared ? null : sender.rates?.account) ?? null;
  const ofAddress = addressHash === null ? null : (sender.rates?.address ?? null);
  return [
    ...(ofAccount === null ? [] : [{ scope: `connection ${connectionId}`, spacing_ms: wholeMs(ofAccount) }]),
    ...(isShared && sender.rates !== undefined ? [{ scope: `account ${sender.account}`, spacing_ms: wholeMs(sender.rates.account) }] : []),
    ...(ofAddress === null ? [] : [{ scope: `address ${connectionId} ${addressHash}`, spacing_ms: wholeMs(ofAddress) }]),
  ];
}

/** Moments are kept in milliseconds: rounded down, a rate would be a little faster than it says. */
const wholeMs = (rate: Rate) => Math.ceil(spacingMs(rate));

export interface Scope {
  scope: string;
  spacing_ms: number;
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

/** Nothing leaves through the connection before its provider takes messages again. What has a moment already may still be refused, and gets another. */
export async function holdUp(tx: Tx, tenantId: string, { connectionId }: Outlet, forMs: number): Promise<void> {
  if (connectionId === null) return;
  const freeAt = sql`clock_timestamp() + make_interval(secs => ${forMs / 1_000})`;
  await tx
    .insert(sendRates)
    .values({ tenantId, scope: `connection ${connectionId}`, freeAt })
    .onConflictDoUpdate({ target: [sendRates.tenantId, sendRates.scope], set: { freeAt: sql`greatest(send_rates.free_at, excluded.free_at)` } });
}
