import { v4 as uuidv4 } from 'uuid';
import { CommitUnclearError, isLockFailure, type Tx } from '../db/client.ts';
import type { SendOutcome, SenderSession } from '../integrations/port.ts';
import { channels } from '../domain/channels/index.ts';
import { heldFor, isAway } from '../domain/drills/outage-drill.ts';
import { compilePlan } from '../domain/sequence/compile-plan.ts';
import type { Deps } from './deps.ts';
import { type Claimed, type Decided, decideAndClaim } from './dispatch/decide-and-claim.ts';
import { readStep, type StepWorld } from './dispatch/facts.ts';
import { applyFind, type Locked, lockStep, type Settlement, settleCall } from './dispatch/fence.ts';
import { followMove } from './dispatch/follow-move.ts';
import { likelyOutlet, type Opened, openSession, previewStep } from './dispatch/open-session.ts';
import { holdUp, turnEveryMs } from './dispatch/pace.ts';
import { noteLogin } from './dispatch/note-login.ts';
import { addToStory, type DispatchResult, settled } from './dispatch/records.ts';
import type { VersionCache } from './dispatch/versions.ts';
import { MovedError } from './intake/found.ts';
import { mintOffer } from './offers/mint.ts';
import { withoutAddresses } from './dispatch/without-addresses.ts';
import { type Outlet, type Outlets, readConfigured, toOutlets } from './outlets.ts';

export type { DispatchResult } from './dispatch/records.ts';

export interface DispatchInput {
  tenantId: string;
  enrollmentId: string;
  stepId: string;
  /** When a hold of the enrollment ended last, epoch milliseconds; absent: it was not held, or the workflow is an older build's. */
  resumedAtMs?: number;
}

const mostAttempts = 8;
// How long this run looks for a claim of its own that may be committed, where no outlet declares a dead lease.
const usualDeadLeaseMs = 10_000;

// How long a sender that does not say when its call has begun keeps its place among those that are about to send.
const handOverMs = 250;

/** The least time that a call needs: with less left it is not begun. */
const enoughForACall = (deadlineMs: number) => Math.min(1_000, deadlineMs * 0.4);

/**
 * Dispatch one step: decide in a transaction under the person's lock, claim, call the provider, settle. May be called any number of
 * times, by any number of workers, for the same step: a settled step answers with its stored outcome.
 * @param signal - honoured before the claim only; after it the call runs to its end
 * Source: docs/fence.md; operations/dispatch/fence.ts implements the rules in SQL
 */
export async function dispatchStep(deps: Deps & { versions: VersionCache }, input: DispatchInput, signal?: AbortSignal): Promise<DispatchResult> {
  const preview = (tx: Tx) => previewStep(tx, deps.versions, input, deps.clock.nowMs());
  const [configured, first] = await deps.lookingAhead.run(input.tenantId, () =>
    deps.db.withTenant(input.tenantId, (tx) => Promise.all([readConfigured(tx), preview(tx)])),
  );
  const heldMs = heldFor(first.drill, input.enrollmentId, deps.clock.nowMs());
  if (heldMs !== null) return { kind: 'again', inMs: heldMs, why: 'an outage is practised: no worker decides anything' };
  const outlets = toOutlets(deps, configured, input.tenantId);
  const isOutletAway = ({ sender: { channel } }: Outlet) =>
    isAway(first.drill, input.enrollmentId, { channel, disturbs: channels[channel].disturbs }, deps.clock.nowMs());
  const uncalled = new Set<string>();
  const state: RunState = { called: false, unreachable: false, needed: null, unclearSinceMs: null };
  // A claim whose COMMIT is unclear may be one for any outlet, so the longest dead lease counts.
  const deadLeaseMs = outlets.longestDeadLeaseMs ?? usualDeadLeaseMs;
  // Postgres may be away for longer than a few attempts take. Nobody else takes over this run's claim before its lease is dead.
  const mayHoldClaim = () => state.unclearSinceMs !== null && deps.clock.monotonicMs() - state.unclearSinceMs < deadLeaseMs;
  // Whatever one attempt leads to, the next one decides from the ledger: the step is settled, put off, or tried on another channel.
  for (let attempts = 0; attempts < mostAttempts || mayHoldClaim(); attempts++) {
    // Only this run knows that a claim of its own was never called, so even a cancellation waits until that claim is found or given back.
    if (state.unclearSinceMs === null) signal?.throwIfAborted();
    const { needed } = state;
    state.needed = null;
    const open = async () => {
      if (needed !== null) return openSession(needed, isOutletAway);
      // After a call the step is usually settled. If it needs another session, the decision says so.
      if (state.called) return noSession;
      const previewed = attempts === 0 ? first : await deps.db.withTenant(input.tenantId, preview);
      const outlet = likelyOutlet(previewed, outlets);
      if (outlet !== null && previewed.isItsMoment && previewed.pinned === null && state.unclearSinceMs === null) {
        const busyMs = await takeTurn(deps, outlet);
        if (busyMs !== null) return { kind: 'busy', inMs: busyMs } as const;
      }
      return openSession(outlet, isOutletAway);
    };
    const opened = await open().catch(orLater(state));
    if (opened === null) {
      await pause();
      continue;
    }
    if (opened.kind === 'busy') return { kind: 'again', inMs: opened.inMs, why: 'many messages leave late, and its turn comes soon' };
    if (opened.kind === 'failed' && opened.loginRefused) await noteLogin(deps, input.tenantId, opened.outlet, configured, opened.fault);
    // Known before it is written: should the COMMIT's fate be unclear, the next attempt recognises the claim as this worker's own.
    const claim = uuidv4();
    uncalled.add(claim);
    let release = () => {};
    try {
      await deps.checkpoints('dispatch.session_open');
      // Without a session nothing can be claimed.
      if (opened.kind === 'open') release = await deps.claimSlots.take(input.tenantId);
      const decided = await attemptOnce(deps, input, outlets, opened, { claim, uncalled, state });
      if (decided.kind !== 'claimed') release();
      switch (decided.kind) {
        case 'decide_again':
          continue;
        case 'unreachable':
          state.unreachable = true;
          continue;
        case 'session_needed':
          state.needed = decided.outlet;
          continue;
        case 'window_full':
          deps.turns.close(decided.outlet.sender.account, decided.inMs);
          continue;
        case 'find':
          await applyFind(
            deps.db,
            input.tenantId,
            decided.messageId,
            decided.claim,
            await decided.reconciliation.find(sendKeyOf(input), decided.payload),
          );
          continue;
        case 'mint':
          await mintOffer(deps, input.tenantId, decided.offer);
          continue;
        case 'claimed': {
          const outcome = await call(deps, input, decided, opened.kind === 'open' ? opened.session : null, uncalled, release);
          state.called ||= outcome.kind !== 'released';
          await settleUntilStored(deps, input, decided, outcome, deps.clock.monotonicMs() - decided.startedMs);
          if (outcome.kind === 'accepted') await noteLogin(deps, input.tenantId, decided.outlet, configured, null);
          if (outcome.kind === 'refused' && outcome.loginRefused === true)
            await noteLogin(deps, input.tenantId, decided.outlet, configured, outcome.response);
          await deps.checkpoints('dispatch.settled');
          continue;
        }
        default:
          return decided;
      }
    } finally {
      release();
      if (opened.kind === 'open') opened.session.close();
    }
  }
  return { kind: 'again', inMs: 1_000, why: 'Postgres or the provider lets nothing be finished right now' };
}

/** What one run knows beyond the ledger. */
interface RunState {
  /** The provider was called by this run. */
  called: boolean;
  /** No session to the provider could be opened. */
  unreachable: boolean;
  /** The outlet to which the last decision wants a session; null: it asked for none. */
  needed: Outlet | null;
  /** When it became unclear whether a COMMIT took effect, monotonic: a claim of this run may be in the ledger. */
  unclearSinceMs: number | null;
}

const noSession: Opened = { kind: 'none' };

/** @returns null: it is its turn, or the outlet knows none; else it comes again after so many milliseconds */
function takeTurn({ turns }: Deps, outlet: Outlet): Promise<number | null> | null {
  const everyMs = turnEveryMs(outlet);
  return everyMs === null ? null : turns.take(outlet.sender.account, everyMs);
}

/** Postgres may be away while a claim of this run may be in the ledger: then the run goes on. */
const orLater = (state: RunState) => (error: unknown) => {
  if (state.unclearSinceMs === null) throw error;
  return null;
};

const pause = () => new Promise((done) => setTimeout(done, 250));
const sendKeyOf = (input: DispatchInput) => `${input.enrollmentId}:${input.stepId}`;

/** T1: one transaction that decides and, if the verdict is `send`, claims. */
async function attemptOnce(
  deps: Deps & { versions: VersionCache },
  input: DispatchInput,
  outlets: Outlets,
  opened: Opened,
  own: { claim: string; uncalled: ReadonlySet<string>; state: RunState },
): Promise<Decided> {
  let counts: (() => void)[] = [];
  try {
    const decided = await deps.db.withTenant(input.tenantId, async (tx): Promise<Decided> => {
      counts = [];
      // Sent together. After a call the step is usually settled, and nothing more is read.
      const [locked, world] = await Promise.all([
        lockStep(tx, input.enrollmentId, input.stepId),
        own.state.called ? null : readStep(tx, input.enrollmentId),
      ]);
      if (locked === null) return { kind: 'missing' };
      await deps.checkpoints('dispatch.locked');
      const elsewhere = await inAnotherVersion(tx, deps, input, locked, world);
      if (elsewhere !== null) return elsewhere;
      const version = await deps.versions.load(tx, locked.enrollment.versionId);
      const result = await decideAndClaim({
        tx,
        deps,
        tenantId: input.tenantId,
        stepId: input.stepId,
        locked,
        world,
        version,
        versions: deps.versions,
        outlets,
        opened,
        ...own,
        called: own.state.called,
        unreachable: own.state.unreachable,
        resumedAtMs: input.resumedAtMs ?? 0,
        counts,
      });
      await deps.checkpoints('dispatch.before_commit');
      return result;
    });
    for (const count of counts) count();
    own.state.unclearSinceMs = null;
    if (decided.kind === 'claimed') await deps.checkpoints('dispatch.claimed');
    return decided;
  } catch (error) {
    if (error instanceof MovedError) return { kind: 'decide_again' };
    // Not acknowledged means no call: the next attempt finds out, under the same lock, what became of it.
    if (error instanceof CommitUnclearError) own.state.unclearSinceMs ??= deps.clock.monotonicMs();
    if (own.state.unclearSinceMs !== null) {
      // Postgres may be away, or another transaction may hold the person's lock. Only this run can give its uncalled claim back, so it tries again.
      await pause();
      return { kind: 'decide_again' };
    }
    if (isLockFailure(error)) return { kind: 'again', inMs: 200, why: 'the person is locked' };
    throw error;
  }
}

/** The answer where the enrollment moves to another version, or is in one that has no such step: the workflow asks for that version's plan. null: it stays. */
async function inAnotherVersion(
  tx: Tx,
  deps: Deps & { versions: VersionCache },
  { stepId }: DispatchInput,
  locked: Locked,
  world: StepWorld | null,
): Promise<DispatchResult | null> {
  const moved = await followMove(tx, deps.versions, locked, world?.move ?? null, deps.clock.nowMs());
  const version = moved?.version ?? (await deps.versions.load(tx, locked.enrollment.versionId));
  if (moved === null && version.definition.steps.some(({ id }) => id === stepId)) return null;
  const { enrollment } = moved?.locked ?? locked;
  const plan = compilePlan(version.definition, version.version, enrollment.timeScale);
  const result = await settled(tx, moved?.locked ?? locked, plan, `it is in version ${version.version} now`);
  return result.kind === 'done' ? { ...result, stale: true } : result;
}

/** The provider call. Never throws: an outcome that is not certain is `unknown`. */
async function call(
  deps: Deps,
  input: DispatchInput,
  claimed: Claimed,
  session: SenderSession | null,
  uncalled: Set<string>,
  begun: () => void,
): Promise<Settlement> {
  const { deadline, outlet } = claimed;
  if (session === null || deadline.remainingMs() < enoughForACall(outlet.sender.times.deadlineMs)) return { kind: 'released' };
  uncalled.delete(claimed.claim);
  deps.telemetry.dueToCall(Math.max(0, deps.clock.nowMs() - claimed.dueMs));
  deps.telemetry.claimToCall(deps.clock.monotonicMs() - claimed.startedMs);
  let isBegun = false;
  const handOver = () => {
    if (isBegun) return;
    isBegun = true;
    deps.claimSlots.noteCall(deps.clock.monotonicMs() - claimed.startedMs);
    begun();
  };
  // A slow provider occupies no slot.
  const handedOver = setTimeout(begun, handOverMs);
  let outcome: SendOutcome;
  try {
    outcome = await session.send(claimed.payload, sendKeyOf(input), deadline, handOver);
  } catch (error) {
    outcome = { kind: 'unknown', response: error instanceof Error ? error.message : String(error) };
  }
  clearTimeout(handedOver);
  begun();
  await deps.checkpoints('dispatch.called');
  const counted = outcome.kind === 'accepted' ? 'sent' : outcome.kind === 'refused' ? 'failed' : 'unknown';
  deps.telemetry.send(counted, deps.clock.monotonicMs() - claimed.startedMs);
  if (claimed.firstAction !== null && outcome.kind === 'accepted')
    deps.telemetry.firstAction(Math.max(0, deps.clock.nowMs() - claimed.firstAction.detectedAtMs), claimed.firstAction.putOff);
  return outcome;
}

/**
 * Settle on the small pool, again and again until it is stored: until then the lease is what protects the stop side. Each attempt leaves a line in the
 * enrollment's story: how it ended, after how long, and what the provider said where it did not accept.
 */
async function settleUntilStored(deps: Deps, input: DispatchInput, claimed: Claimed, outcome: Settlement, tookMs: number): Promise<void> {
  const { reconciliation } = claimed.outlet.sender;
  for (let attempt = 0; ; attempt++) {
    try {
      await deps.db.settling(input.tenantId, async (tx) => {
        await settleCall(tx, claimed.messageId, claimed.claim, outcome, reconciliation);
        if (outcome.kind === 'refused' && outcome.retryAfterMs !== undefined) await holdUp(tx, input.tenantId, claimed.outlet, outcome.retryAfterMs);
        if (outcome.kind === 'released') return;
        const type = outcome.kind === 'accepted' ? 'message.sent' : outcome.kind === 'refused' ? 'message.failed' : 'message.unknown';
        addToStory(tx, { tenantId: input.tenantId, id: input.enrollmentId }, type, {
          step: input.stepId,
          channel: claimed.payload.channel,
          ms: Math.round(tookMs),
          ...(outcome.kind === 'accepted' ? {} : { error: withoutAddresses(outcome.response) }),
          ...(claimed.variant === null ? {} : { variant: claimed.variant }),
          ...(claimed.language === null ? {} : { language: claimed.language }),
        });
      });
      if (outcome.kind === 'released') return;
      const about = { enrollmentId: input.enrollmentId, step: input.stepId, subjectId: claimed.subjectId, language: claimed.language };
      if (outcome.kind === 'accepted') deps.log.info(about, 'message sent');
      else deps.log.warn({ ...about, reason: withoutAddresses(outcome.response) }, `message ${outcome.kind}`);
      return;
    } catch (error) {
      deps.log.warn({ enrollmentId: input.enrollmentId, step: input.stepId, attempt, err: error }, 'the outcome of a call is not stored yet');
      await new Promise((done) => setTimeout(done, Math.min(2_000, 50 * 2 ** attempt)));
    }
  }
}
