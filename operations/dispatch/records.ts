import { and, eq, inArray, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { type Tx, unawaited } from '../../db/client.ts';
import { contacts, decisions, enrollmentEvents, enrollments, messages, suppressions } from '../../db/schema/index.ts';
import { lifecycleAfter } from '../../domain/people/lifecycle.ts';
import { addressOf, type MessagePayload } from '../../domain/channels/index.ts';
import type { Verdict } from '../../domain/gates/verdict.ts';
import { backoffMs } from '../../domain/sequence/backoff.ts';
import { endOfSteps, statusOf } from '../../domain/sequence/ending.ts';
import { nextStep } from '../../domain/sequence/next-step.ts';
import type { FinishReason, Plan, Progress } from '../../domain/sequence/plan.ts';
import { listensUntil } from '../../domain/sequence/reactions.ts';
import type { Sealing } from '../sealing.ts';
import { type Locked, lockStep } from './fence.ts';
import { type EnrollmentRow, type MessageRow, readProgress } from './progress.ts';

/** What the workflow gets back: the progress as Postgres has it, and how the enrollment ended, if it has. */
export type DispatchResult =
  /** `stale`: the enrollment is in another version than the one whose step was asked for. */
  | { kind: 'done'; progress: Progress; ended: FinishReason | null; note: string; stale?: true }
  /** Another call of this step may still be running, or its outcome can be asked for later: dispatch again then. */
  | { kind: 'again'; inMs: number; why: string }
  | { kind: 'missing' };

/** Re-read what the transaction has written, and close the enrollment when its last step is settled. */
export async function finished(tx: Tx, { id, stepId }: { id: string; stepId: string }, plan: Plan, note: string): Promise<DispatchResult> {
  const locked = await lockStep(tx, id, stepId);
  return locked === null ? { kind: 'missing' } : settled(tx, locked, plan, note);
}

/** The answer of an attempt that has written nothing since it took its locks. */
export async function settled(tx: Tx, { enrollment, ledger }: Locked, plan: Plan, note: string): Promise<DispatchResult> {
  const progress = readProgress(enrollment, ledger);
  const complete = nextStep(plan, progress) === null && listensUntil(plan, progress) === null;
  const reason = endOfSteps(plan, progress);
  if (complete && enrollment.endedAt === null && (await endEnrollment(tx, enrollment, reason))) {
    addToStory(tx, enrollment, reason === 'completed' ? 'completed' : 'stopped', reason === 'completed' ? {} : { reason });
    return { kind: 'done', progress, ended: reason, note };
  }
  return { kind: 'done', progress, ended: endOf(enrollment), note };
}

/** How a stored enrollment ended; null: it has not. */
export function endOf(enrollment: EnrollmentRow): FinishReason | null {
  if (enrollment.endedAt === null) return null;
  return enrollment.status === 'COMPLETED' ? 'completed' : (enrollment.stopReason ?? 'manual');
}

export function reasonOf(verdict: Verdict): string {
  return verdict.kind === 'send' ? verdict.channel : verdict.reason;
}

/** Store a decision with every gate that was asked (G4). `reason` where it could not be carried out as it stands. */
export function recordDecision(tx: Tx, enrollment: EnrollmentRow, stepId: string, verdict: Verdict, nowMs: number, reason = reasonOf(verdict)): void {
  unawaited(
    tx,
    tx.insert(decisions).values({
      tenantId: enrollment.tenantId,
      id: uuidv7(),
      enrollmentId: enrollment.id,
      stepId,
      versionId: enrollment.versionId,
      at: nowMs,
      verdict: verdict.kind,
      reason,
      until: verdict.kind === 'defer' ? verdict.untilMs : null,
      checks: verdict.checks,
    }),
  );
}

/**
 * The first dispatch found the subject left alone: from now on the enrollment counts, and its anchor stands (rule 3).
 * @param subject - what it is worth now, which is what it was left with: it may have changed since it was taken into the sequence
 */
export function activate(tx: Tx, enrollment: EnrollmentRow, nowMs: number, subject: { valueMinor: number | null; currency: string | null }): void {
  const left = { valueMinor: subject.valueMinor, currency: subject.currency };
  unawaited(
    tx,
    tx
      .update(enrollments)
      .set({ activatedAt: nowMs, ...left })
      .where(eq(enrollments.id, enrollment.id)),
  );
  addToStory(tx, enrollment, 'abandoned', { value_minor: subject.valueMinor, currency: subject.currency });
}

export function writeDefer(tx: Tx, enrollment: EnrollmentRow, stepId: string, verdict: { untilMs: number; anchorMs?: number }): void {
  const notBefore = { ...enrollment.notBefore, [stepId]: verdict.untilMs };
  const anchor = verdict.anchorMs === undefined ? {} : { anchorAt: verdict.anchorMs };
  unawaited(
    tx,
    tx
      .update(enrollments)
      .set({ notBefore, ...anchor })
      .where(eq(enrollments.id, enrollment.id)),
  );
}

export function writeSkip(tx: Tx, enrollment: EnrollmentRow, stepId: string, reason: string, dueMs: number): void {
  const skipped = { state: 'skipped' as const, skipReason: reason, settledAt: sql`clock_timestamp()` };
  unawaited(
    tx,
    tx
      .insert(messages)
      .values({ ...newRow(enrollment, stepId), ...skipped, dueAt: dueMs })
      .onConflictDoUpdate({ target: [messages.tenantId, messages.enrollmentId, messages.stepId], set: skipped }),
  );
}

/** Record that the provider could not be reached, so that the back-off grows. No call was made, and what was refused before is suppressed by now. */
export function noteOutage(tx: Tx, enrollment: EnrollmentRow, row: MessageRow | null, stepId: string, fault: string, nowMs: number): void {
  const failures = (row?.failures ?? 0) + 1;
  const failed = { state: 'failed' as const, failures, refusedForGood: false, response: fault.slice(0, 500), settledAt: nowMs };
  unawaited(
    tx,
    tx
      .insert(messages)
      .values({ ...newRow(enrollment, stepId), ...failed })
      .onConflictDoUpdate({ target: [messages.tenantId, messages.enrollmentId, messages.stepId], set: failed }),
  );
  addToStory(tx, enrollment, 'provider.unreachable', { step: stepId, retry_in_ms: backoffMs(failures, enrollment.timeScale) });
}

const newRow = (enrollment: EnrollmentRow, stepId: string) => ({
  tenantId: enrollment.tenantId,
  id: uuidv7(),
  enrollmentId: enrollment.id,
  stepId,
  contactId: enrollment.contactId,
});

/**
 * Stands for an address on a channel without addresses: there a refusal for good is about this message, not about a person.
 */
export function messageAsIdentity({ enrollmentId, stepId }: Pick<MessageRow, 'enrollmentId' | 'stepId'>): { kind: string; value: string } {
  return { kind: 'message', value: `${enrollmentId}:${stepId}` };
}

/**
 * A refusal for good blocks its address on that channel, so that the next decision takes another address or another channel. Written by the
 * next decision, which holds the person's lock: gates read it. The refusal of a repeat says nothing about the call before it, so a row in
 * doubt blocks nothing.
 */
export async function suppressRefused(tx: Tx, sealing: Sealing, row: MessageRow): Promise<void> {
  if (row.state !== 'failed' || !row.refusedForGood || row.payload === null) return;
  const { channel } = row.payload;
  const { kind, value } = addressOf(row.payload) ?? messageAsIdentity(row);
  const addressHash = sealing.addressHash(row.tenantId, kind, value);
  const known = await tx
    .select({ id: suppressions.id })
    .from(suppressions)
    .where(
      and(eq(suppressions.addressHash, addressHash), eq(suppressions.channel, channel), eq(suppressions.reason, 'refused'), sql`lifted_at is null`),
    );
  if (known.length > 0) return;
  await tx.insert(suppressions).values({ tenantId: row.tenantId, id: uuidv7(), addressHash, channel, reason: 'refused' });
}

/** Whether messages to this very address are blocked now, whoever the enrollment belongs to by now. */
export async function isBlocked(tx: Tx, sealing: Sealing, tenantId: string, payload: MessagePayload): Promise<boolean> {
  const address = addressOf(payload);
  if (address === null) return false;
  const addressHash = sealing.addressHash(tenantId, address.kind, address.value);
  const rows = await tx
    .select({ id: suppressions.id })
    .from(suppressions)
    .where(and(eq(suppressions.addressHash, addressHash), inArray(suppressions.channel, ['all', payload.channel]), sql`lifted_at is null`))
    .limit(1);
  return rows.length > 0;
}

/** Write an end. The first one stays. @returns false when it had ended before */
export async function endEnrollment(tx: Tx, enrollment: EnrollmentRow, reason: FinishReason): Promise<boolean> {
  const ended = await tx
    .update(enrollments)
    .set({ status: statusOf(reason), stopReason: reason === 'completed' ? null : reason, endedAt: sql`clock_timestamp()` })
    .where(and(eq(enrollments.id, enrollment.id), sql`ended_at is null`))
    .returning({ id: enrollments.id });
  if (ended.length > 0 && (reason === 'completed' || reason === 'expired')) {
    await tx
      .update(contacts)
      .set({ lifecycle: lifecycleAfter('IN_PROGRESS', 'contacted') })
      .where(and(eq(contacts.id, enrollment.contactId), eq(contacts.lifecycle, 'IN_PROGRESS')));
  }
  return ended.length > 0;
}

/** One line of the enrollment's story, unawaited. No personal data. */
export function addToStory(tx: Tx, enrollment: { tenantId: string; id: string }, type: string, data: Record<string, unknown>): void {
  unawaited(tx, tx.insert(enrollmentEvents).values({ tenantId: enrollment.tenantId, id: uuidv7(), enrollmentId: enrollment.id, type, data }));
}
