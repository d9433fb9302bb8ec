import { and, eq, sql } from 'drizzle-orm';
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid';
import { CommitUnclearError, isLockFailure, type Tx } from '../db/client.ts';
import { contacts, decisions, enrollmentEvents, enrollments, messages, suppressions } from '../db/schema/index.ts';
import { decideDispatch } from '../domain/gates/decide-dispatch.ts';
import { activates, type Verdict } from '../domain/gates/verdict.ts';
import { backoffMs } from '../domain/sequence/backoff.ts';
import { compilePlan } from '../domain/sequence/compile-plan.ts';
import { dueAt } from '../domain/sequence/due.ts';
import { statusOf } from '../domain/sequence/ending.ts';
import type { FinishReason, Plan, Progress, StopReason } from '../domain/sequence/plan.ts';
import type { MessagePayload } from '../domain/message-payload.ts';
import type { Deadline, SendOutcome, SenderSession } from '../integrations/port.ts';
import { composeEmail } from './dispatch/compose-email.ts';
import { type Reading, readFacts } from './dispatch/facts.ts';
import {
  applyFind,
  agesOf,
  endDeadLease,
  type Locked,
  lockStep,
  releaseOwnClaim,
  type Settlement,
  settleCall,
  startDeadline,
  writeClaim,
} from './dispatch/fence.ts';
import { type EnrollmentRow, readProgress } from './dispatch/progress.ts';
import { type MailConnection, mailConnectionOf } from './dispatch/mail-connection.ts';
import type { Version, VersionCache } from './dispatch/versions.ts';
import type { Deps } from './deps.ts';
import { MovedError } from './events/identities.ts';

export interface DispatchInput {
  tenantId: string;
  enrollmentId: string;
  stepId: string;
}

/** What the workflow learns: the progress as Postgres has it, and how the enrollment ended, if it has. */
export type DispatchResult =
  | { kind: 'done'; progress: Progress; ended: FinishReason | null; note: string }
  /** Another call of this step may still be running, or its outcome can be asked for later: dispatch again then. */
  | { kind: 'again'; inMs: number; why: string }
  | { kind: 'missing' };

/** A claim that is committed: from here on the provider may be called, until the deadline. */
interface Claimed {
  kind: 'claimed';
  messageId: string;
  claim: string;
  deadline: Deadline;
  payload: MessagePayload;
  dueMs: number;
  startedMs: number;
}

type Decided = Claimed | { kind: 'find'; messageId: string; claim: string; payload: MessagePayload } | DispatchResult;

const enoughForACallMs = 1_000;
const betweenReplaysMs = 10_000;

/**
 * Dispatch one step: decide in a transaction under the person's lock, claim, call the provider, settle. May be called any number of
 * times, by any number of workers, for the same step: a settled step answers with its stored outcome.
 * @param signal - honoured before the claim only; after it the call runs to its end
 * Source: design, section 7; operations/dispatch/fence.ts holds the rules as SQL
 */
export async function dispatchStep(deps: Deps & { versions: VersionCache }, input: DispatchInput, signal?: AbortSignal): Promise<DispatchResult> {
  const connection = await mailConnectionOf(deps, input.tenantId);
  const uncalled = new Set<string>();
  for (;;) {
    signal?.throwIfAborted();
    const opened = await openSession(deps, input, connection);
    // Known before it is written: should the COMMIT's fate be unclear, the next look recognises the claim as this worker's own.
    const claim = uuidv4();
    uncalled.add(claim);
    try {
      await deps.checkpoints('dispatch.session_open');
      const decided = await decide(deps, input, connection, opened, uncalled, claim);
      if (decided === 'start_over') continue;
      if (decided.kind === 'find') {
        await askProvider(deps, input, connection, decided);
        continue;
      }
      if (decided.kind !== 'claimed') return decided;
      const outcome = await call(deps, input, decided, opened.session, uncalled);
      await settleUntilStored(deps, input, connection, decided, outcome);
      await deps.checkpoints('dispatch.settled');
    } finally {
      opened.session?.close();
    }
    // Whatever the call brought, the next look decides from the ledger: settled, put off, or another channel.
  }
}

interface Opened {
  session: SenderSession | null;
  /** Why there is none although a provider is connected. */
  fault: string | null;
}

/** Connect before the claim: what takes long must not eat the lease. Not for steps that no provider could send. */
async function openSession(deps: Deps & { versions: VersionCache }, input: DispatchInput, connection: MailConnection | null): Promise<Opened> {
  if (connection === null) return { session: null, fault: null };
  const needed = await deps.db.withTenant(input.tenantId, (tx) => needsProvider(tx, deps.versions, input, deps.clock.nowMs()));
  if (!needed) return { session: null, fault: null };
  try {
    return { session: await connection.sender.open(), fault: null };
  } catch (error) {
    return { session: null, fault: error instanceof Error ? error.message : String(error) };
  }
}

async function needsProvider(tx: Tx, versions: VersionCache, input: DispatchInput, nowMs: number): Promise<boolean> {
  const [row] = await tx
    .select({
      versionId: enrollments.versionId,
      endedAt: enrollments.endedAt,
      timeScale: enrollments.timeScale,
      state: messages.state,
      failures: messages.failures,
      settledAt: messages.settledAt,
    })
    .from(enrollments)
    .leftJoin(messages, and(eq(messages.enrollmentId, enrollments.id), eq(messages.stepId, input.stepId)))
    .where(eq(enrollments.id, input.enrollmentId));
  if (row === undefined || row.endedAt !== null || row.state === 'sent' || row.state === 'skipped') return false;
  if (row.state === 'failed' && retryAtMs(row.failures, row.settledAt, row.timeScale) > nowMs) return false;
  const step = (await versions.load(tx, row.versionId)).definition.steps.find((s) => s.id === input.stepId);
  return step !== undefined && step.channels.includes('email');
}

/** T1: one transaction that decides and, if the verdict is `send`, claims. */
async function decide(
  deps: Deps & { versions: VersionCache },
  input: DispatchInput,
  connection: MailConnection | null,
  opened: Opened,
  uncalled: ReadonlySet<string>,
  claim: string,
): Promise<Decided | 'start_over'> {
  try {
    const decided = await deps.db.withTenant(input.tenantId, async (tx) => {
      const locked = await lockStep(tx, input.enrollmentId, input.stepId);
      if (locked === null) return { kind: 'missing' } as const;
      await deps.checkpoints('dispatch.locked');
      const version = await deps.versions.load(tx, locked.enrollment.versionId);
      const result = await rowFirst(tx, deps, input, connection, opened, { uncalled, claim }, locked, version);
      await deps.checkpoints('dispatch.before_commit');
      return result;
    });
    if (decided !== 'start_over' && decided.kind === 'claimed') await deps.checkpoints('dispatch.claimed');
    return decided;
  } catch (error) {
    if (error instanceof MovedError) return 'start_over';
    // Not acknowledged means no call: the next look, under the same lock, finds out what became of it.
    if (error instanceof CommitUnclearError) return 'start_over';
    if (isLockFailure(error)) return { kind: 'again', inMs: 200, why: 'the person is locked' };
    throw error;
  }
}

/** The row comes before the decision: what is settled stays, what is in flight is nobody's, what is in doubt is cleared up first. */
async function rowFirst(
  tx: Tx,
  deps: Deps & { versions: VersionCache },
  input: DispatchInput,
  connection: MailConnection | null,
  opened: Opened,
  own: { uncalled: ReadonlySet<string>; claim: string },
  locked: Locked,
  version: Version,
): Promise<Decided | 'start_over'> {
  const { enrollment, row } = locked;
  const plan = compilePlan(version.definition, version.version, enrollment.timeScale);
  const reconciliation = connection?.sender.reconciliation ?? { kind: 'none' as const };
  const answer = async () => finished(tx, input, plan, 'the step was settled before');
  if (row !== null && (row.state === 'sent' || row.state === 'skipped') && !row.live) return answer();
  if (row?.live === true) {
    if (row.claim !== null && own.uncalled.has(row.claim)) {
      await releaseOwnClaim(tx, row);
      return 'start_over';
    }
    const { claimMs } = await agesOf(tx, row.id);
    if (claimMs < row.deadLeaseMs) return { kind: 'again', inMs: row.deadLeaseMs - claimMs, why: 'a call of this step may be running' };
    await endDeadLease(tx, row, reconciliation);
    return 'start_over';
  }
  if (row?.state === 'unknown') {
    const ages = await agesOf(tx, row.id);
    if (reconciliation.kind === 'find' && row.claim !== null && row.payload !== null && ages.findInMs !== null) {
      if (ages.findInMs > 0) return { kind: 'again', inMs: ages.findInMs, why: 'the provider is asked when it has settled' };
      return { kind: 'find', messageId: row.id, claim: row.claim, payload: row.payload };
    }
    const replayable = reconciliation.kind === 'keys' && ages.doubtMs !== null && ages.doubtMs < reconciliation.keyLifeMs - 3_600_000;
    if (!replayable || enrollment.endedAt !== null || row.payload === null) return answer();
    if (ages.claimMs < betweenReplaysMs) return { kind: 'again', inMs: betweenReplaysMs - ages.claimMs, why: 'the call is repeated with its key after a pause' };
  }
  const reading = await readFacts(tx, deps.sealing, {
    plan,
    definition: version.definition,
    enrollment,
    personId: locked.personId,
    ledger: locked.ledger,
    stepId: input.stepId,
    connected: connection === null ? {} : { email: { reportsOpens: connection.sender.reportsOpens } },
  });
  return decideAndWrite(tx, deps, input, connection, opened, own.claim, locked, version, plan, reading);
}

async function decideAndWrite(
  tx: Tx,
  deps: Deps,
  input: DispatchInput,
  connection: MailConnection | null,
  opened: Opened,
  claim: string,
  { enrollment, row }: Locked,
  version: Version,
  plan: Plan,
  reading: Reading,
): Promise<Decided> {
  const nowMs = deps.clock.nowMs();
  const verdict = decideDispatch(reading.facts, nowMs);
  const inDoubt = row?.state === 'unknown';
  // In doubt, only a replay of the pinned call is possible: any other verdict leaves it unknown.
  if (inDoubt && verdict.kind !== 'send') return finished(tx, input, plan, 'in doubt, and not to be repeated');
  const dueMs = dueAt(plan, reading.progress, input.stepId);
  await recordDecision(tx, enrollment, input.stepId, verdict, nowMs);
  deps.telemetry.verdict(verdict.kind, reasonOf(verdict));
  if (enrollment.activatedAt === null && activates(verdict)) await activate(tx, enrollment, nowMs);
  switch (verdict.kind) {
    case 'hold':
      return finished(tx, input, plan, verdict.reason);
    case 'defer':
      await tx
        .update(enrollments)
        .set({
          notBefore: { ...enrollment.notBefore, [input.stepId]: verdict.untilMs },
          ...(verdict.anchorMs === undefined ? {} : { anchorAt: verdict.anchorMs }),
        })
        .where(eq(enrollments.id, enrollment.id));
      return finished(tx, input, plan, `deferred: ${verdict.reason}`);
    case 'skip':
      await writeSkip(tx, enrollment, input.stepId, verdict.reason, dueMs);
      await tell(tx, enrollment, 'step.skipped', { step: input.stepId, reason: verdict.reason });
      return finished(tx, input, plan, `skipped: ${verdict.reason}`);
    case 'stop':
      await writeSkip(tx, enrollment, input.stepId, 'stopped', dueMs);
      if (await endEnrollment(tx, enrollment, verdict.reason)) await tell(tx, enrollment, 'stopped', { reason: verdict.reason });
      return finished(tx, input, plan, `stopped: ${verdict.reason}`);
    case 'send':
      break;
  }
  if (opened.session === null || connection === null || reading.email === null) {
    // The provider cannot be reached: an outage moves the step by back-off and ejects nobody (rule 8).
    await noteOutage(tx, enrollment, input.stepId, opened.fault ?? 'no connection', row?.failures ?? 0, nowMs, plan.timeScale);
    return finished(tx, input, plan, 'the provider could not be reached');
  }
  const step = version.definition.steps.find((s) => s.id === input.stepId);
  const compiled = typeof step?.content === 'string' ? version.content[step.content] : undefined;
  if (compiled === undefined) throw new Error(`step ${input.stepId} of ${version.slug} v${version.version} has no compiled content`);
  const messageId = row?.id ?? uuidv7();
  const payload: MessagePayload =
    inDoubt && row?.payload != null
      ? row.payload
      : composeEmail({ compiled, reading, enrollment, stepId: input.stepId, messageId, to: reading.email, links: deps.links, publicUrl: deps.publicUrl, nowMs });
  const startedMs = deps.clock.monotonicMs();
  // t0 before the claim is written: whatever the COMMIT takes is taken from the call's time.
  const deadline = startDeadline(deps.clock, connection.sender.times.deadlineMs);
  await writeClaim(tx, row, {
    tenantId: input.tenantId,
    messageId,
    enrollment,
    stepId: input.stepId,
    claim,
    connectionId: connection.connectionId,
    payload,
    times: connection.sender.times,
    dueAtMs: dueMs,
  });
  return { kind: 'claimed', messageId, claim, deadline, payload, dueMs, startedMs };
}

/** When a message that certainly failed may be tried again (rule 8); the gate `due` reads the same instant from the progress. */
function retryAtMs(failures: number | null, settledAtMs: number | null, timeScale: number): number {
  return failures === null || failures === 0 || settledAtMs === null ? 0 : settledAtMs + backoffMs(failures, timeScale);
}

/** The provider call. Never throws: what cannot be told apart is unknown. */
async function call(deps: Deps, input: DispatchInput, claimed: Claimed, session: SenderSession | null, uncalled: Set<string>): Promise<Settlement> {
  if (session === null || claimed.deadline.remainingMs() < enoughForACallMs) return { kind: 'released' };
  uncalled.delete(claimed.claim);
  deps.telemetry.dueToCall(Math.max(0, deps.clock.nowMs() - claimed.dueMs));
  let outcome: SendOutcome;
  try {
    outcome = await session.send(claimed.payload, `${input.enrollmentId}:${input.stepId}`, claimed.deadline);
  } catch (error) {
    outcome = { kind: 'unknown', response: error instanceof Error ? error.message : String(error) };
  }
  await deps.checkpoints('dispatch.called');
  deps.telemetry.send(outcome.kind === 'accepted' ? 'sent' : outcome.kind === 'refused' ? 'failed' : 'unknown', deps.clock.monotonicMs() - claimed.startedMs);
  return outcome;
}

/** Settle on the small pool, again and again until it is stored: until then the lease is what protects the stop side. */
async function settleUntilStored(deps: Deps, input: DispatchInput, connection: MailConnection | null, claimed: Claimed, outcome: Settlement): Promise<void> {
  const reconciliation = connection?.sender.reconciliation ?? { kind: 'none' as const };
  for (let attempt = 0; ; attempt++) {
    try {
      await deps.db.settling(input.tenantId, (tx) => settleCall(tx, claimed.messageId, claimed.claim, outcome, reconciliation));
      break;
    } catch (error) {
      deps.log.warn({ enrollmentId: input.enrollmentId, step: input.stepId, attempt, err: error }, 'the outcome of a call is not stored yet');
      await new Promise((done) => setTimeout(done, Math.min(2_000, 50 * 2 ** attempt)));
    }
  }
  if (outcome.kind === 'released') return;
  // The story and a refused address are no part of the fence: they follow, under the person's lock where a gate reads them.
  await deps.db.withTenant(input.tenantId, async (tx) => {
    if (outcome.kind === 'refused' && outcome.severity === 'hard') await suppressRefused(tx, deps, input, claimed.payload);
    const type = outcome.kind === 'accepted' ? 'message.sent' : outcome.kind === 'refused' ? 'message.failed' : 'message.unknown';
    await tx.insert(enrollmentEvents).values({
      tenantId: input.tenantId,
      id: uuidv7(),
      enrollmentId: input.enrollmentId,
      type,
      data: { step: input.stepId, channel: claimed.payload.channel },
    });
  }).catch((error: unknown) => deps.log.error({ enrollmentId: input.enrollmentId, err: error }, 'the story of a message could not be written'));
}

async function suppressRefused(tx: Tx, deps: Deps, input: DispatchInput, payload: MessagePayload): Promise<void> {
  const locked = await lockStep(tx, input.enrollmentId, input.stepId);
  // In doubt, the refusal of a repeat says nothing about the call before it.
  if (locked === null || locked.row?.state !== 'failed') return;
  await tx.insert(suppressions).values({
    tenantId: input.tenantId,
    id: uuidv7(),
    addressHash: deps.sealing.addressHash(input.tenantId, 'email', payload.to.address),
    channel: payload.channel,
    reason: 'refused',
  });
}

async function askProvider(
  deps: Deps,
  input: DispatchInput,
  connection: MailConnection | null,
  asked: { messageId: string; claim: string; payload: MessagePayload },
): Promise<void> {
  const reconciliation = connection?.sender.reconciliation;
  if (reconciliation?.kind !== 'find') return;
  const found = await reconciliation.find(`${input.enrollmentId}:${input.stepId}`, asked.payload);
  await applyFind(deps.db, input.tenantId, asked.messageId, asked.claim, found);
}

/** Re-read what the transaction has written, and close the enrollment when its last step is settled. */
async function finished(tx: Tx, input: DispatchInput, plan: Plan, note: string): Promise<DispatchResult> {
  const [enrollment] = await tx.select().from(enrollments).where(eq(enrollments.id, input.enrollmentId));
  const ledger = await tx.select().from(messages).where(eq(messages.enrollmentId, input.enrollmentId));
  if (enrollment === undefined) return { kind: 'missing' };
  const progress = readProgress(enrollment, ledger);
  const complete = plan.steps.every((s) => progress.settled[s.id] !== undefined);
  if (complete && enrollment.endedAt === null && (await endEnrollment(tx, enrollment, 'completed'))) {
    await tell(tx, enrollment, 'completed', {});
    return { kind: 'done', progress, ended: 'completed', note };
  }
  const ended = enrollment.endedAt === null ? null : enrollment.status === 'COMPLETED' ? 'completed' : (enrollment.stopReason ?? 'manual');
  return { kind: 'done', progress, ended, note };
}

async function recordDecision(tx: Tx, enrollment: EnrollmentRow, stepId: string, verdict: Verdict, nowMs: number): Promise<void> {
  await tx.insert(decisions).values({
    tenantId: enrollment.tenantId,
    id: uuidv7(),
    enrollmentId: enrollment.id,
    stepId,
    versionId: enrollment.versionId,
    at: nowMs,
    verdict: verdict.kind,
    reason: reasonOf(verdict),
    until: verdict.kind === 'defer' ? verdict.untilMs : null,
    checks: verdict.checks,
  });
}

function reasonOf(verdict: Verdict): string {
  return verdict.kind === 'send' ? verdict.channel : verdict.reason;
}

async function activate(tx: Tx, enrollment: EnrollmentRow, nowMs: number): Promise<void> {
  await tx.update(enrollments).set({ activatedAt: nowMs }).where(eq(enrollments.id, enrollment.id));
  await tell(tx, enrollment, 'abandoned', { value_minor: enrollment.cartValueMinor, currency: enrollment.currency });
}

async function writeSkip(tx: Tx, enrollment: EnrollmentRow, stepId: string, reason: string, dueMs: number): Promise<void> {
  await tx
    .insert(messages)
    .values({
      tenantId: enrollment.tenantId,
      id: uuidv7(),
      enrollmentId: enrollment.id,
      stepId,
      contactId: enrollment.contactId,
      state: 'skipped',
      skipReason: reason,
      dueAt: dueMs,
      settledAt: sql`clock_timestamp()`,
    })
    .onConflictDoUpdate({
      target: [messages.tenantId, messages.enrollmentId, messages.stepId],
      set: { state: 'skipped', skipReason: reason, settledAt: sql`clock_timestamp()` },
    });
}

/** A provider that could not even be reached: the row records it, so that the back-off grows, and no call was made. */
async function noteOutage(tx: Tx, enrollment: EnrollmentRow, stepId: string, fault: string, failures: number, nowMs: number, timeScale: number): Promise<void> {
  await tx
    .insert(messages)
    .values({
      tenantId: enrollment.tenantId,
      id: uuidv7(),
      enrollmentId: enrollment.id,
      stepId,
      contactId: enrollment.contactId,
      state: 'failed',
      failures: 1,
      response: fault.slice(0, 500),
      settledAt: nowMs,
    })
    .onConflictDoUpdate({
      target: [messages.tenantId, messages.enrollmentId, messages.stepId],
      set: { failures: sql`${messages.failures} + 1`, response: fault.slice(0, 500), settledAt: nowMs },
    });
  await tell(tx, enrollment, 'provider.unreachable', { step: stepId, retry_in_ms: backoffMs(failures + 1, timeScale) });
}

/** Write an end born at a dispatch. The workflow learns of it from the result, so nothing goes to the outbox. */
export async function endEnrollment(tx: Tx, enrollment: EnrollmentRow, reason: 'completed' | StopReason): Promise<boolean> {
  const ended = await tx
    .update(enrollments)
    .set({ status: statusOf(reason), stopReason: reason === 'completed' ? null : reason, endedAt: sql`clock_timestamp()` })
    .where(and(eq(enrollments.id, enrollment.id), sql`ended_at is null`))
    .returning({ id: enrollments.id });
  if (ended.length > 0 && reason === 'completed') {
    await tx.update(contacts).set({ lifecycle: 'CONTACTED' }).where(and(eq(contacts.id, enrollment.contactId), eq(contacts.lifecycle, 'IN_PROGRESS')));
  }
  return ended.length > 0;
}

async function tell(tx: Tx, enrollment: EnrollmentRow, type: string, data: Record<string, unknown>): Promise<void> {
  await tx.insert(enrollmentEvents).values({ tenantId: enrollment.tenantId, id: uuidv7(), enrollmentId: enrollment.id, type, data });
}
