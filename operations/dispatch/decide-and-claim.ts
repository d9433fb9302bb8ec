import { v7 as uuidv7 } from 'uuid';
import type { Tx } from '../../db/client.ts';
import { askAgainAt } from '../../domain/gates/ask-again.ts';
import { decideDispatch } from '../../domain/gates/decide-dispatch.ts';
import type { Facts } from '../../domain/gates/facts.ts';
import { countsInComparison } from '../../domain/gates/in-comparison.ts';
import { activates, type GateCheck, type Verdict } from '../../domain/gates/verdict.ts';
import { channels, type MessagePayload } from '../../domain/channels/index.ts';
import type { WrittenWords } from '../../domain/composition/words.ts';
import { compilePlan } from '../../domain/sequence/compile-plan.ts';
import { dueAt, readyAt } from '../../domain/sequence/due.ts';
import type { Plan, Progress } from '../../domain/sequence/plan.ts';
import { happenedAt, isReaction } from '../../domain/sequence/reactions.ts';
import { slotAt } from '../../domain/time/zones.ts';
import type { Deadline, Reconciliation } from '../../integrations/port.ts';
import { decideWithCopy } from '../composition/choose-copy.ts';
import type { OfferFacts } from '../../content/copy-facts.ts';
import type { Deps } from '../deps.ts';
import { newOfferCode } from '../offers/new-code.ts';
import type { Outlet, Outlets } from '../outlets.ts';
import { storeAssignment } from './assignment.ts';
import { storeArm } from './campaign-test.ts';
import { compose } from './compose.ts';
import { awaitCode, grantOffer, type Granting, readOffers } from './offer.ts';
import { type Reading, readFacts, readStep, type StepWorld } from './facts.ts';
import { agesOf, endDeadLease, type Locked, releaseOwnClaim, startDeadline, writeClaim } from './fence.ts';
import { type MessageRow, readProgress } from './progress.ts';
import { readTexts, type ReadTexts, textQuestions } from './texts.ts';
import type { Opened } from './open-session.ts';
import { type Pace, pace } from './pace.ts';
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
  addToStory,
  writeDefer,
  writeSkip,
} from './records.ts';
import { type ChosenVariant, storeSequenceArm, storeVariant } from './variant.ts';
import type { Version, VersionCache } from './versions.ts';

/** A claim that is about to be committed. Once it is committed, the provider may be called until the deadline. */
export interface Claimed {
  kind: 'claimed';
  messageId: string;
  claim: string;
  outlet: Outlet;
  deadline: Deadline;
  payload: MessagePayload;
  variant: string | null;
  language: string | null;
  /** The cart or lead that the message is about. */
  subjectId: string;
  dueMs: number;
  startedMs: number;
  /** Of the first message of an intervention; null: it is none. */
  firstAction: FirstAction | null;
}

/** What is known of an account's risk before anything was done about it. */
export interface FirstAction {
  /** When it had come into the band, epoch milliseconds. */
  detectedAtMs: number;
  /** Whether hours, caps or a missing provider had put the step off. */
  putOff: boolean;
}

/** The result of one attempt. */
export type Decided =
  | Claimed
  | DispatchResult
  /** The code of a grant that is committed does not exist at the shop yet: make it, and decide again. */
  | Extract<Granting, { kind: 'mint' }>
  | { kind: 'find'; messageId: string; claim: string; payload: MessagePayload; reconciliation: Extract<Reconciliation, { kind: 'find' }> }
  /** The row was repaired, or what this attempt had read is stale: read and decide again. */
  | { kind: 'decide_again' }
  /** No session could be opened, and that is on record: decide again, which puts the step off or gives it up. */
  | { kind: 'unreachable' }
  /** The verdict is to send, and the window of the outlet's provider has no room for so long: decide again then. Nothing was written. */
  | { kind: 'window_full'; outlet: Outlet; inMs: number }
  /** The verdict is to send, and no session to that outlet was opened. */
  | { kind: 'session_needed'; outlet: Outlet };

/** One attempt to dispatch a step, inside the transaction that holds its locks. */
export interface DispatchAttempt {
  tx: Tx;
  deps: Deps;
  tenantId: string;
  stepId: string;
  locked: Locked;
  /** What the gates ask; null: it was not read, because the step was expected to be settled. */
  world: StepWorld | null;
  version: Version;
  versions: VersionCache;
  outlets: Outlets;
  opened: Opened;
  /** The id that a claim of this attempt gets, and this run's earlier ones that were never called. */
  claim: string;
  uncalled: ReadonlySet<string>;
  /** Whether this dispatch has called the provider already, or could not reach it: then a step that is not due yet is put off by its back-off. */
  called: boolean;
  unreachable: boolean;
  /** When a hold of the enrollment ended last, epoch milliseconds; 0: it was not held. */
  resumedAtMs: number;
  /** What is counted when the transaction has committed: one that is repeated, or rolled back, counts nothing. */
  counts: (() => void)[];
}

const betweenReplaysMs = 10_000;
const mostSkewMs = 60_000;

/** Look at the row before deciding: a settled row stays, a running call is left alone, and a call in doubt is resolved first. */
export async function decideAndClaim(attempt: DispatchAttempt): Promise<Decided> {
  const { tx, locked, version } = attempt;
  const { enrollment, row } = locked;
  const plan = compilePlan(version.definition, version.version, enrollment.timeScale);
  const known = row === null ? 'decide' : await decideByRow(attempt, row, plan);
  if (known !== 'decide') return known;
  // A click may turn out to be a scanner's after the workflow has heard of it.
  if (waitsForEvent(plan, readProgress(enrollment, locked.ledger), attempt.stepId))
    return settled(tx, locked, plan, 'what it reacts to has not happened');
  if (row !== null) await suppressRefused(tx, attempt.deps.sealing, row);
  const world = attempt.world ?? (await readStep(tx, enrollment.id));
  if (world === null) return { kind: 'missing' };
  const texts = await readTexts(tx, { version, stepId: attempt.stepId, world, enrollment, personId: locked.personId });
  const reading = await readFacts(tx, attempt.deps.sealing, {
    world,
    plan,
    definition: version.definition,
    enrollment,
    personId: locked.personId,
    ledger: locked.ledger,
    stepId: attempt.stepId,
    ...textQuestions(texts, (channel) => attempt.outlets.forChannel(channel) !== null),
    kinds: attempt.deps.subjects,
    versionOf: (versionId) => attempt.versions.load(tx, versionId),
  });
  return carryOut(attempt, plan, { ...reading, texts });
}

function waitsForEvent(plan: Plan, progress: Progress, stepId: string): boolean {
  const step = plan.steps.find(({ id }) => id === stepId);
  return step !== undefined && isReaction(step) && happenedAt(step, progress) === null;
}

/** What follows from the row alone; `decide`: the gates decide. */
async function decideByRow(attempt: DispatchAttempt, row: MessageRow, plan: Plan): Promise<Decided | 'decide'> {
  const { tx, locked } = attempt;
  if (row.live) return clearLive(attempt, row);
  switch (row.state) {
    case 'sent':
    case 'skipped':
      return settled(tx, locked, plan, noteOf(attempt, row.state));
    case 'unknown': {
      const unresolved = await inDoubt(attempt, row);
      if (unresolved === 'replay') return 'decide';
      return unresolved ?? settled(tx, locked, plan, noteOf(attempt, row.state));
    }
    case 'failed':
    case 'claimed':
      return 'decide';
  }
}

/** One line for Temporal's history: what this dispatch did, or what it found. */
function noteOf({ called }: DispatchAttempt, state: 'sent' | 'skipped' | 'unknown'): string {
  if (state === 'unknown') return called ? 'sent or not, nobody can say: it is not repeated' : 'in doubt, and not to be repeated';
  if (called) return state;
  return state === 'sent' ? 'it had been sent before' : 'it had been skipped before';
}

/** Leave a claim alone until its lease is dead, because its call may be running. A claim of this run that was never called is given back. */
async function clearLive(attempt: DispatchAttempt, row: MessageRow): Promise<Decided> {
  const { tx } = attempt;
  if (row.claim !== null && attempt.uncalled.has(row.claim)) {
    await releaseOwnClaim(tx, row);
    return { kind: 'decide_again' };
  }
  const { claimMs } = await agesOf(tx, row.id);
  if (claimMs < row.deadLeaseMs) return { kind: 'again', inMs: row.deadLeaseMs - claimMs, why: 'a call of this step may be running' };
  await endDeadLease(tx, row, reconciliationOf(attempt, row));
  return { kind: 'decide_again' };
}

/** How a call in doubt can be resolved, by the account that was called. */
const reconciliationOf = (attempt: DispatchAttempt, row: MessageRow): Reconciliation =>
  attempt.outlets.ofAccount(row.account, row.channel)?.sender.reconciliation ?? { kind: 'none' };

/** Resolve a call that may have been accepted: ask about it, repeat it by its key, or leave it. null: it stays unknown. */
async function inDoubt(attempt: DispatchAttempt, row: MessageRow): Promise<Decided | 'replay' | null> {
  const { tx, deps, tenantId } = attempt;
  if (row.payload === null || row.claim === null) return null;
  const reconciliation = reconciliationOf(attempt, row);
  const ages = await agesOf(tx, row.id);
  if (reconciliation.kind === 'find' && ages.findInMs !== null) {
    if (ages.findInMs > 0) return { kind: 'again', inMs: ages.findInMs, why: 'the provider is asked when it has settled' };
    return { kind: 'find', messageId: row.id, claim: row.claim, payload: row.payload, reconciliation };
  }
  const keyLives = reconciliation.kind === 'keys' && ages.doubtMs !== null && ages.doubtMs < reconciliation.keyLifeMs - 3_600_000;
  if (!keyLives || attempt.locked.enrollment.endedAt !== null) return null;
  // The pinned call goes to the address that it was made for, also when the subject belongs to somebody else by now.
  if (await isBlocked(tx, deps.sealing, tenantId, row.payload)) return null;
  const pauseMs = betweenReplaysMs * 2 ** Math.min(row.failures, 6);
  if (ages.claimMs < pauseMs) return { kind: 'again', inMs: pauseMs - ages.claimMs, why: 'the call is repeated with its key after a pause' };
  return 'replay';
}

/** What was read, and from which texts the message is made. */
type WithTexts = Reading & { texts: ReadTexts };

async function carryOut(attempt: DispatchAttempt, plan: Plan, reading: WithTexts): Promise<Decided> {
  const { tx, deps, stepId } = attempt;
  const { enrollment } = attempt.locked;
  const nowMs = deps.clock.nowMs();
  const offered = await decideWithOffer(attempt, plan, reading, nowMs);
  const about = { version: attempt.version, stepId, reading, enrollmentId: enrollment.id, nowMs };
  // A call in doubt is repeated with the text that is pinned in it.
  const { verdict: decided, copy } =
    attempt.locked.row?.state === 'unknown' ? { verdict: offered, copy: null } : await decideWithCopy(tx, about, offered);
  const instead = await insteadOf(attempt, plan, decided, nowMs);
  if (instead !== null) return instead;
  const paced = await paceOf(attempt, plan, reading, decided, nowMs);
  if (paced.kind === 'wait') return { kind: 'again', inMs: paced.inMs, why: 'messages leave at a bounded rate, and its moment comes soon' };
  if (paced.kind === 'full' && attempt.opened.kind === 'open') return { kind: 'window_full', outlet: attempt.opened.outlet, inMs: paced.inMs };
  const verdict = paced.kind === 'later' ? paced.verdict : decided;
  const granting =
    verdict.kind === 'send' && attempt.opened.kind === 'open' ? await grantOffer(tx, enrollment, stepId, reading.facts, newOfferCode, nowMs) : none;
  // The code comes first: what is decided after it is what happens.
  if (granting.kind === 'mint') return granting;
  recordDecision(tx, enrollment, stepId, verdict, nowMs);
  attempt.counts.push(() => deps.telemetry.verdict(verdict.kind, reasonOf(verdict)));
  if (verdict.kind !== 'hold') noteLateness(attempt, plan, reading, nowMs);
  if (reading.arm !== null && verdict.kind !== 'stop' && (enrollment.activatedAt !== null || activates(verdict)))
    storeSequenceArm(tx, enrollment, reading.arm);
  if (enrollment.activatedAt === null && activates(verdict)) {
    activate(tx, enrollment, nowMs, reading.facts.subject);
    if (reading.assignment !== null) storeAssignment(tx, enrollment, reading.assignment);
  }
  if (reading.variant !== null && isAssignedBy(verdict, reading.variant, reading.facts, attempt, nowMs))
    storeVariant(tx, enrollment, stepId, reading.variant);
  return apply(attempt, plan, reading, verdict, { words: copy, offer: granting.kind === 'offer' ? granting.facts : null }, nowMs);
}

/** Whether a person counts from this decision on, and not only from the message. */
function isAssignedBy(verdict: Verdict, chosen: ChosenVariant, facts: Facts, { version, stepId }: DispatchAttempt, nowMs: number): boolean {
  if (!chosen.differsInReach) return verdict.kind === 'defer' && chosen.isTimed;
  const step = version.definition.steps.find(({ id }) => id === stepId);
  return step !== undefined && countsInComparison(facts, step.channels, nowMs);
}

const none: Granting = { kind: 'none' };

/**
 * Offers are looked at where everything else is open: what they are decided by is shared by the whole store. A call in doubt is repeated with the offer that
 * is pinned in it.
 */
async function decideWithOffer(attempt: DispatchAttempt, plan: Plan, reading: Reading, nowMs: number): Promise<Verdict> {
  const { tx, locked, stepId, world } = attempt;
  const { facts, settings, subject } = reading;
  const verdict = decideDispatch(facts, nowMs);
  if (verdict.kind !== 'send' || facts.step.offer === undefined || locked.row?.state === 'unknown') return verdict;
  const contactIds = (world ?? (await readStep(tx, locked.enrollment.id)))?.contacts.map(({ id }) => id) ?? [];
  const regularMinor = subject.kind.regularMinor?.(subject.details) ?? null;
  const asked = { enrollment: locked.enrollment, stepId, contactIds, policy: settings.offers, regularMinor, timeScale: plan.timeScale, nowMs };
  const { records, own } = await readOffers(tx, asked);
  const sendsAt = (atMs: number) => decideDispatch(facts, atMs).kind === 'send';
  const waits = own === null ? null : await awaitCode(tx, own, { nowMs, timeScale: plan.timeScale, sendsAt });
  facts.offer = waits === 'without' && records.own !== null ? { ...records, own: { ...records.own, state: 'refused' } } : records;
  const decided = decideDispatch(facts, nowMs);
  if (waits === null || waits === 'without' || decided.kind !== 'send') return decided;
  const note = 'The shop could not be reached to make the code of its offer, and is asked again then.';
  const check: GateCheck = { gate: 'offer_code', result: 'defer', input: { untilMs: waits.untilMs, failures: own?.shopFailures ?? 0 }, note };
  return { kind: 'defer', untilMs: waits.untilMs, reason: 'offer_code', checks: [...decided.checks, check] };
}

/** The answer where a verdict cannot be carried out as it stands; null: it can. */
async function insteadOf(attempt: DispatchAttempt, plan: Plan, verdict: Verdict, nowMs: number): Promise<Decided | null> {
  const { tx, stepId, opened } = attempt;
  const { enrollment, row } = attempt.locked;
  if (verdict.kind === 'defer' && verdict.reason === 'due' && !attempt.called && !attempt.unreachable && verdict.untilMs - nowMs < mostSkewMs) {
    // Temporal's clock is ahead of this worker's. Waiting in the activity costs no history; answering would make the workflow dispatch again at once.
    return { kind: 'again', inMs: verdict.untilMs - nowMs, why: 'not due yet by this worker’s clock' };
  }
  // In doubt, only a repeat of the pinned call is possible: any other verdict leaves it unknown.
  if (row?.state === 'unknown' && verdict.kind !== 'send') {
    recordDecision(tx, enrollment, stepId, verdict, nowMs, `in doubt, not repeated: ${reasonOf(verdict)}`);
    return finished(tx, { id: enrollment.id, stepId }, plan, 'in doubt, and not to be repeated');
  }
  if (verdict.kind !== 'send') return null;
  // A call in doubt is repeated through the account that it was made with, or not at all.
  const outlet = row?.state === 'unknown' ? attempt.outlets.ofAccount(row.account, row.channel) : attempt.outlets.forChannel(verdict.channel);
  if (outlet === null) throw new Error(`step ${stepId} may be sent by ${verdict.channel}, which has no outlet`);
  // The session was opened before the decision: it may belong to another outlet.
  if (opened.kind === 'none' || opened.outlet !== outlet) return { kind: 'session_needed', outlet };
  if (opened.kind !== 'failed' || row?.state !== 'unknown') return null;
  return { kind: 'again', inMs: 30_000, why: 'the provider cannot be reached to repeat a call in doubt' };
}

async function apply(attempt: DispatchAttempt, plan: Plan, reading: WithTexts, verdict: Verdict, said: Said, nowMs: number): Promise<Decided> {
  const { tx, stepId, opened } = attempt;
  const { enrollment, row } = attempt.locked;
  const dueMs = dueAt(plan, reading.progress, stepId);
  const done = (note: string) => finished(tx, { id: enrollment.id, stepId }, plan, note);
  switch (verdict.kind) {
    case 'hold':
      // A release wakes the workflow; where a takeover ends by itself, it asks again. A pause ends by a signal.
      if (enrollment.held === null) writeDefer(tx, enrollment, stepId, { untilMs: askAgainAt(reading.facts, nowMs) });
      return done(verdict.reason);
    case 'defer':
      writeDefer(tx, enrollment, stepId, verdict);
      return done(attempt.unreachable ? 'the provider could not be reached' : `deferred: ${verdict.reason}`);
    case 'skip':
      writeSkip(tx, enrollment, stepId, verdict.reason, dueMs);
      addToStory(tx, enrollment, 'step.skipped', {
        ...{ step: stepId, reason: verdict.reason },
        ...(reading.variant?.differsInReach === true ? { variant: reading.variant.variant.id } : {}),
      });
      return done(`skipped: ${verdict.reason}`);
    case 'stop':
      writeSkip(tx, enrollment, stepId, 'stopped', dueMs);
      if (await endEnrollment(tx, enrollment, verdict.reason)) addToStory(tx, enrollment, 'stopped', { reason: verdict.reason });
      return done(`stopped: ${verdict.reason}`);
    case 'send':
      if (opened.kind !== 'open') {
        // An outage puts the step off by its back-off and ends no enrollment (rule 8).
        noteOutage(tx, enrollment, row, stepId, opened.kind === 'failed' ? opened.fault : 'no session', nowMs);
        return { kind: 'unreachable' };
      }
      // The grant and the claim are one transaction: never a message without its grant, nor two codes for one step.
      return claimStep(attempt, opened.outlet, reading, { ...said, dueMs, nowMs, hourBy: hourByOf(verdict.checks) });
  }
}

function hourByOf(checks: readonly GateCheck[]): string | null {
  const by = checks.find(({ gate }) => gate === 'best_hour')?.input['by'];
  return typeof by === 'string' ? by : null;
}

/** A call in doubt has had its moment. */
async function paceOf(
  attempt: DispatchAttempt,
  plan: Plan,
  { progress, settings, campaignRate, addresses }: Reading,
  verdict: Verdict,
  nowMs: number,
): Promise<Pace> {
  const { tx, opened, locked, stepId, version, deps, tenantId } = attempt;
  if (verdict.kind !== 'send' || opened.kind !== 'open' || locked.row?.state === 'unknown') return { kind: 'now' };
  const lateMs = nowMs - readyMsOf(attempt, plan, progress);
  const { rate: sequenceRate } = version.definition;
  const { outlet } = opened;
  const { channel } = outlet.sender;
  const [kind, address] = [channels[channel].address, addresses[channel]];
  const addressHash =
    outlet.sender.rates === undefined || kind === null || address === undefined ? null : deps.sealing.addressHash(tenantId, kind, address);
  const own = { enrollment: locked.enrollment, stepId, plan, progress, sequenceRate, campaign: campaignRate, settings };
  return pace(tx, { ...own, outlet, addressHash, lateMs, nowMs }, verdict.checks);
}

/** An enrollment that began late, or was paused, could not be dispatched before. */
const readyMsOf = ({ stepId, locked, resumedAtMs }: DispatchAttempt, plan: Plan, progress: Progress) =>
  Math.max(readyAt(plan, progress, stepId), locked.enrollment.enrolledAt, resumedAtMs);

function noteLateness(attempt: DispatchAttempt, plan: Plan, { progress }: Reading, nowMs: number): void {
  const { deps, tenantId } = attempt;
  const lateMs = Math.max(0, nowMs - readyMsOf(attempt, plan, progress));
  attempt.counts.push(() => {
    deps.telemetry.dispatchedLate(lateMs);
    deps.lateness.note(tenantId, lateMs);
  });
}

/** What goes into the message beside its template: a model's words, and the offer that was granted. */
interface Said {
  words: WrittenWords | null;
  offer: OfferFacts | null;
}

interface ClaimWith extends Said {
  /** By whose wish the hour was chosen; null: the step waits for none. */
  hourBy: string | null;
  dueMs: number;
  nowMs: number;
}

function claimStep(attempt: DispatchAttempt, outlet: Outlet, reading: WithTexts, { words, dueMs, nowMs, offer, hourBy }: ClaimWith): Decided {
  const { tx, deps, stepId, version, claim } = attempt;
  const { enrollment, row } = attempt.locked;
  const messageId = row?.id ?? uuidv7();
  const { payload, language } =
    row?.state === 'unknown' && row.payload !== null
      ? { payload: row.payload, language: row.language }
      : compose({ deps, version, texts: reading.texts, reading, enrollment, stepId, messageId, channel: outlet.sender.channel, words, offer, nowMs });
  const startedMs = deps.clock.monotonicMs();
  // t0 is taken before the claim is written, so that the time of the COMMIT counts against the call.
  const deadline = startDeadline(deps.clock, outlet.sender.times.deadlineMs);
  if (reading.variant !== null) storeVariant(tx, enrollment, stepId, reading.variant);
  const tested = reading.variant === null ? reading.texts.testOf(outlet.sender.channel) : null;
  if (tested !== null) storeArm(tx, enrollment, tested);
  const variant = reading.variant?.variant.id ?? (tested === null || tested.by === 'winner' ? null : tested.variant);
  writeClaim(tx, row, {
    tenantId: attempt.tenantId,
    messageId,
    enrollment,
    stepId,
    claim,
    connectionId: outlet.connectionId,
    account: outlet.sender.account,
    payload,
    variant,
    experimentId: variant === null || reading.variant !== null ? null : (tested?.experimentId ?? null),
    language,
    scriptId: reading.texts.scripts[outlet.sender.channel]?.id ?? null,
    localSlot: slotAt(reading.facts.person.zones.timeZones[0] ?? reading.settings.timeZone, nowMs),
    hourBy,
    times: outlet.sender.times,
    dueAtMs: dueMs,
  });
  deps.log.info({ enrollmentId: enrollment.id, step: stepId, version: version.version }, 'a step is claimed');
  const firstAction = firstActionOf(attempt);
  return {
    kind: 'claimed',
    messageId,
    claim,
    outlet,
    deadline,
    payload,
    variant,
    language,
    subjectId: enrollment.subjectId,
    dueMs,
    startedMs,
    firstAction,
  };
}

function firstActionOf({ version, stepId, locked: { enrollment, ledger } }: DispatchAttempt): FirstAction | null {
  const isAnother = ledger.some((row) => row.stepId !== stepId && ['claimed', 'sent', 'unknown'].includes(row.state));
  if (version.definition.on !== 'risk.entered' || isAnother) return null;
  return { detectedAtMs: enrollment.enrolledAt, putOff: enrollment.notBefore[stepId] !== undefined };
}
