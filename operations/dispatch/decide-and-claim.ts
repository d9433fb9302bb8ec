import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { decideDispatch } from '../../domain/gates/decide-dispatch.ts';
import { activates, type Verdict } from '../../domain/gates/verdict.ts';
import type { MessagePayload } from '../../domain/message-payload.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import { dueAt, readyAt } from '../../domain/sequence/due.ts';
import type { Plan } from '../../domain/sequence/plan.ts';
import type { Deadline, Reconciliation } from '../../integrations/port.ts';
import type { Deps } from '../deps.ts';
import { composeEmail } from './compose-email.ts';
import { type Reading, readFacts, readStep, type StepWorld } from './facts.ts';
import { agesOf, endDeadLease, type Locked, releaseOwnClaim, startDeadline, writeClaim } from './fence.ts';
import type { MailConnection, MailConnections } from './mail-connection.ts';
import type { MessageRow } from './progress.ts';
import type { Opened } from './open-session.ts';
import {
  activate,
  type DispatchResult,
  endEnrollment,
  finished,
  isBlocked,
  noteOutage,
  reasonOf,
  recordDecision,
  settled,
  suppressRefused,
  tell,
  writeDefer,
  writeSkip,
} from './records.ts';
import type { Version } from './versions.ts';

/** A claim that is about to be committed: once it is, the provider may be called, until the deadline. */
export interface Claimed {
  kind: 'claimed';
  messageId: string;
  claim: string;
  connection: MailConnection;
  deadline: Deadline;
  payload: MessagePayload;
  dueMs: number;
  startedMs: number;
}

/** What one look under the locks came to. */
export type Decided =
  | Claimed
  | DispatchResult
  | { kind: 'find'; messageId: string; claim: string; payload: MessagePayload; reconciliation: Extract<Reconciliation, { kind: 'find' }> }
  /** Something was put in order, or the look came too late: look again. */
  | { kind: 'look_again' }
  /** The verdict is to send, and nobody had opened a session. */
  | { kind: 'session_needed' };

/** One look at a step, inside the transaction that holds its locks. */
export interface Look {
  tx: Tx;
  deps: Deps;
  tenantId: string;
  stepId: string;
  locked: Locked;
  /** What the gates ask; null: it was not read, because the step was expected to be settled. */
  world: StepWorld | null;
  version: Version;
  mail: MailConnections;
  opened: Opened;
  /** The id that a claim of this look gets, and this worker's earlier ones that were never called. */
  claim: string;
  uncalled: ReadonlySet<string>;
  /** Whether this dispatch has called the provider already: then a step that is not due yet is put off by its back-off. */
  called: boolean;
  /** When a hold of the enrollment ended last, epoch milliseconds; 0: it was not held. */
  resumedAtMs: number;
}

const betweenReplaysMs = 10_000;
const mostSkewMs = 60_000;

/** The row comes before the decision: what is settled stays, what is in flight is nobody's, what is in doubt is cleared up first. */
export async function decideAndClaim(look: Look): Promise<Decided> {
  const { tx, locked, version } = look;
  const { enrollment, row } = locked;
  const plan = compilePlan(version.definition, version.version, enrollment.timeScale);
  const known = row === null ? 'decide' : await decideByRow(look, row, plan);
  if (known !== 'decide') return known;
  if (row !== null) await suppressRefused(tx, look.deps.sealing, row);
  const world = look.world ?? (await readStep(tx, enrollment.id));
  if (world === null) return { kind: 'missing' };
  const reading = await readFacts(tx, look.deps.sealing, {
    world,
    plan,
    definition: version.definition,
    enrollment,
    personId: locked.personId,
    ledger: locked.ledger,
    stepId: look.stepId,
    connected: look.mail.current === null ? {} : { email: { reportsOpens: look.mail.current.sender.reportsOpens } },
  });
  return carryOut(look, plan, reading);
}

/** What the row answers by itself; `decide`: the gates are asked. */
async function decideByRow(look: Look, row: MessageRow, plan: Plan): Promise<Decided | 'decide'> {
  const { tx, locked } = look;
  if (row.live) return clearLive(look, row);
  switch (row.state) {
    case 'sent':
    case 'skipped':
      return settled(tx, locked, plan, noteOf(look, row.state));
    case 'unknown': {
      const unresolved = await inDoubt(look, row);
      if (unresolved === 'replay') return 'decide';
      return unresolved ?? settled(tx, locked, plan, noteOf(look, row.state));
    }
    case 'failed':
    case 'claimed':
      return 'decide';
  }
}

/** One line for the history: what this very dispatch brought about, or what it found. */
function noteOf({ called }: Look, state: 'sent' | 'skipped' | 'unknown'): string {
  if (state === 'unknown') return called ? 'sent or not, nobody can say: it is not repeated' : 'in doubt, and not to be repeated';
  if (called) return state;
  return state === 'sent' ? 'it had been sent before' : 'it had been skipped before';
}

/** A claim whose call may be running is nobody else's until its lease is dead; one's own that was never called is given back. */
async function clearLive(look: Look, row: MessageRow): Promise<Decided> {
  const { tx } = look;
  if (row.claim !== null && look.uncalled.has(row.claim)) {
    await releaseOwnClaim(tx, row);
    return { kind: 'look_again' };
  }
  const { claimMs } = await agesOf(tx, row.id);
  if (claimMs < row.deadLeaseMs) return { kind: 'again', inMs: row.deadLeaseMs - claimMs, why: 'a call of this step may be running' };
  await endDeadLease(tx, row, reconciliationOf(look, row));
  return { kind: 'look_again' };
}

/** What the account that was called can say about a call. */
const reconciliationOf = (look: Look, row: MessageRow): Reconciliation => look.mail.ofAccount(row.account)?.sender.reconciliation ?? { kind: 'none' };

/** A call before may have been accepted: ask about it, repeat it by its key, or leave it. null: it stays as it is. */
async function inDoubt(look: Look, row: MessageRow): Promise<Decided | 'replay' | null> {
  const { tx, deps, tenantId } = look;
  if (row.payload === null || row.claim === null) return null;
  const reconciliation = reconciliationOf(look, row);
  const ages = await agesOf(tx, row.id);
  if (reconciliation.kind === 'find' && ages.findInMs !== null) {
    if (ages.findInMs > 0) return { kind: 'again', inMs: ages.findInMs, why: 'the provider is asked when it has settled' };
    return { kind: 'find', messageId: row.id, claim: row.claim, payload: row.payload, reconciliation };
  }
  const keyLives = reconciliation.kind === 'keys' && ages.doubtMs !== null && ages.doubtMs < reconciliation.keyLifeMs - 3_600_000;
  if (!keyLives || look.locked.enrollment.endedAt !== null) return null;
  // The pinned call goes to the address that it was made for, also when the cart is somebody else's by now.
  if (await isBlocked(tx, deps.sealing, tenantId, row.payload)) return null;
  const pauseMs = betweenReplaysMs * 2 ** Math.min(row.failures, 6);
  if (ages.claimMs < pauseMs) return { kind: 'again', inMs: pauseMs - ages.claimMs, why: 'the call is repeated with its key after a pause' };
  return 'replay';
}

async function carryOut(look: Look, plan: Plan, reading: Reading): Promise<Decided> {
  const { tx, deps, stepId } = look;
  const { enrollment } = look.locked;
  const nowMs = deps.clock.nowMs();
  const verdict = decideDispatch(reading.facts, nowMs);
  const instead = await insteadOf(look, plan, verdict, nowMs);
  if (instead !== null) return instead;
  recordDecision(tx, enrollment, stepId, verdict, nowMs);
  deps.telemetry.verdict(verdict.kind, reasonOf(verdict));
  if (verdict.kind !== 'hold') noteLateness(look, plan, reading, nowMs);
  if (enrollment.activatedAt === null && activates(verdict)) activate(tx, enrollment, nowMs, reading.facts.subject);
  return apply(look, plan, reading, verdict, nowMs);
}

/** What is answered in place of a verdict that cannot be carried out as it stands; null: it can. */
async function insteadOf(look: Look, plan: Plan, verdict: Verdict, nowMs: number): Promise<Decided | null> {
  const { tx, stepId, opened } = look;
  const { enrollment, row } = look.locked;
  if (verdict.kind === 'defer' && verdict.reason === 'due' && !look.called && verdict.untilMs - nowMs < mostSkewMs) {
    // Temporal's clock is ahead of this worker's: waiting here costs no history, answering would turn the workflow in circles.
    return { kind: 'again', inMs: verdict.untilMs - nowMs, why: 'not due yet by this worker’s clock' };
  }
  // In doubt, only a repeat of the pinned call is possible: any other verdict leaves it unknown.
  if (row?.state === 'unknown' && verdict.kind !== 'send') {
    recordDecision(tx, enrollment, stepId, verdict, nowMs, `in doubt, not repeated: ${reasonOf(verdict)}`);
    return finished(tx, { id: enrollment.id, stepId }, plan, 'in doubt, and not to be repeated');
  }
  if (verdict.kind !== 'send') return null;
  if (opened.kind === 'none') return { kind: 'session_needed' };
  if (opened.kind !== 'failed' || row?.state !== 'unknown') return null;
  return { kind: 'again', inMs: 30_000, why: 'the provider cannot be reached to repeat a call in doubt' };
}

async function apply(look: Look, plan: Plan, reading: Reading, verdict: Verdict, nowMs: number): Promise<Decided> {
  const { tx, stepId, opened } = look;
  const { enrollment, row } = look.locked;
  const dueMs = dueAt(plan, reading.progress, stepId);
  const done = (note: string) => finished(tx, { id: enrollment.id, stepId }, plan, note);
  switch (verdict.kind) {
    case 'hold':
      return done(verdict.reason);
    case 'defer':
      writeDefer(tx, enrollment, stepId, verdict);
      return done(`deferred: ${verdict.reason}`);
    case 'skip':
      writeSkip(tx, enrollment, stepId, verdict.reason, dueMs);
      tell(tx, enrollment, 'step.skipped', { step: stepId, reason: verdict.reason });
      return done(`skipped: ${verdict.reason}`);
    case 'stop':
      writeSkip(tx, enrollment, stepId, 'stopped', dueMs);
      if (await endEnrollment(tx, enrollment, verdict.reason)) tell(tx, enrollment, 'stopped', { reason: verdict.reason });
      return done(`stopped: ${verdict.reason}`);
    case 'send':
      if (opened.kind !== 'open') {
        // An outage moves the step by back-off and ejects nobody (rule 8).
        noteOutage(tx, enrollment, row, stepId, opened.kind === 'failed' ? opened.fault : 'no session', nowMs);
        return done('the provider could not be reached');
      }
      return claimStep(look, opened.connection, reading, dueMs, nowMs);
  }
}

/** How late the product itself is: an enrollment that began late, or was paused, could not be dispatched before. */
function noteLateness({ deps, tenantId, stepId, locked, resumedAtMs }: Look, plan: Plan, { progress }: Reading, nowMs: number): void {
  const readyMs = Math.max(readyAt(plan, progress, stepId), locked.enrollment.enrolledAt, resumedAtMs);
  const lateMs = Math.max(0, nowMs - readyMs);
  deps.telemetry.dispatchedLate(lateMs);
  deps.lateness.note(tenantId, lateMs);
}

async function claimStep(look: Look, connection: MailConnection, reading: Reading, dueMs: number, nowMs: number): Promise<Decided> {
  const { tx, deps, stepId, version, claim } = look;
  const { enrollment, row } = look.locked;
  // The session was opened before the row was seen: it must lead to the account that the row names.
  if (row?.state === 'unknown' && row.account !== connection.sender.account) return { kind: 'look_again' };
  const messageId = row?.id ?? uuidv7();
  const payload = row?.state === 'unknown' && row.payload !== null ? row.payload : composePayload(look, reading, messageId, nowMs);
  const startedMs = deps.clock.monotonicMs();
  // t0 before the claim is written: whatever the COMMIT takes is taken from the call's time.
  const deadline = startDeadline(deps.clock, connection.sender.times.deadlineMs);
  writeClaim(tx, row, {
    tenantId: look.tenantId,
    messageId,
    enrollment,
    stepId,
    claim,
    connectionId: connection.connectionId,
    account: connection.sender.account,
    payload,
    times: connection.sender.times,
    dueAtMs: dueMs,
  });
  deps.log.info({ enrollmentId: enrollment.id, step: stepId, version: version.version }, 'a step is claimed');
  return { kind: 'claimed', messageId, claim, connection, deadline, payload, dueMs, startedMs };
}

function composePayload({ deps, stepId, version, locked: { enrollment } }: Look, reading: Reading, messageId: string, nowMs: number): MessagePayload {
  const content = version.definition.steps.find((s) => s.id === stepId)?.content;
  const compiled = content == null ? undefined : version.content[content];
  if (compiled === undefined || reading.email === null) throw new Error(`step ${stepId} of ${version.slug} v${version.version} cannot be composed`);
  const { links, publicUrl } = deps;
  return composeEmail({ compiled, reading, enrollment, stepId, messageId, to: reading.email, links, publicUrl, nowMs });
}
