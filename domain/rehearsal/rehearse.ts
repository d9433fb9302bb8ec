import type { Channel } from '../channels/index.ts';
import { decideDispatch } from '../gates/decide-dispatch.ts';
import type { GateCheck } from '../gates/verdict.ts';
import { afterFailure } from '../sequence/backoff.ts';
import { compilePlan } from '../sequence/compile-plan.ts';
import type { SequenceDefinition, StepDefinition } from '../sequence/definition.ts';
import { statusOf } from '../sequence/ending.ts';
import { type Move, nextMove } from '../sequence/next-move.ts';
import type { EnrollmentStatus, EpochMs, FinishReason, Plan, Progress, SkipReason, StepId } from '../sequence/plan.ts';
import { afterVerdict, defer, settle } from '../sequence/progress.ts';
import type { RehearsalEvent } from './events.ts';
import type { Setting, World } from './world.ts';
import { apply, factsOf, forgetRefusals, newWorld, plainSetting, refuseForGood, settleStep } from './world.ts';

/** One thing that the rehearsed enrollment did. `checks`: the gates that were asked (guarantee G4). */
export type LogEntry = { atMs: EpochMs } & (
  | { kind: 'sent'; step: StepId; channel: Channel; outcome: 'sent' | 'unknown'; checks: GateCheck[] }
  | { kind: 'deferred'; step: StepId; untilMs: EpochMs; anchorMs: EpochMs; reason: string; checks: GateCheck[] }
  | { kind: 'skipped'; step: StepId; reason: SkipReason; checks: GateCheck[] }
  | { kind: 'finished'; reason: FinishReason; status: EnrollmentStatus }
);
export type LogEntryOf<Kind extends LogEntry['kind']> = Extract<LogEntry, { kind: Kind }>;

/** What a rehearsal came to. */
export interface Rehearsal {
  plan: Plan;
  log: LogEntry[];
  /** null: no cart was touched, or it is held and nothing ends that. */
  finished: LogEntryOf<'finished'> | null;
  /** The progress at the end; null where nothing began. */
  progress: Progress | null;
}

/** A healthy enrollment makes a few moves a step; this many means that a rule no longer progresses. */
const mostMoves = 100_000;

/**
 * Run a sequence over a list of events under a virtual clock, with the very decisions of the workflow (`nextMove`) and of the
 * dispatch (`decideDispatch`): thirty days take microseconds.
 * @param events - in any order; of two at the same instant the first in the list happens first, and before any dispatch
 * @param setting - what differs from a plain shop
 * @throws Error when the rules make no progress: a defect
 */
export function rehearse(definition: SequenceDefinition, events: readonly RehearsalEvent[], setting: Partial<Setting> = {}): Rehearsal {
  const full = { ...plainSetting, ...setting };
  const plan = compilePlan(definition, 1, full.timeScale);
  const inOrder = events.toSorted((a, b) => a.atMs - b.atMs);
  const log: LogEntry[] = [];
  let next = inOrder.findIndex(({ type }) => type === 'cart.updated');
  const first = inOrder[next];
  if (first === undefined) return { plan, log, finished: null, progress: null };

  const world = newWorld(first.atMs, full);
  let nowMs = first.atMs;
  next += 1;
  for (let moves = 0; moves < mostMoves; moves += 1) {
    const move = nextMove(plan, world.progress, nowMs);
    if (move.kind === 'finish') {
      const finished: LogEntry = { kind: 'finished', reason: move.reason, status: statusOf(move.reason), atMs: nowMs };
      log.push(finished);
      return { plan, log, finished, progress: world.progress };
    }
    const untilMs = actsAt(move, world, nowMs);
    const event = inOrder[next];
    if (event !== undefined && event.atMs <= untilMs) {
      nowMs = Math.max(nowMs, event.atMs);
      apply(world, event, plan);
      next += 1;
      continue;
    }
    if (untilMs === Number.POSITIVE_INFINITY) return { plan, log, finished: null, progress: world.progress };
    if (move.kind === 'dispatch' && untilMs <= nowMs) dispatch({ plan, world, setting: full, log, step: stepOf(definition, move.stepId), nowMs });
    nowMs = Math.max(nowMs, untilMs);
  }
  throw new Error(`Sequence ${definition.sequence} makes no progress`);
}

/** When a move is made if nothing happens before: what is held waits for ever, and nothing is done while no worker runs. */
function actsAt(move: Exclude<Move, { kind: 'finish' }>, world: World, nowMs: EpochMs): EpochMs {
  switch (move.kind) {
    case 'hold':
      return Number.POSITIVE_INFINITY;
    case 'wait':
      return Math.max(move.untilMs, world.workersDownUntilMs);
    case 'dispatch':
      return Math.max(nowMs, world.workersDownUntilMs);
  }
}

function stepOf(definition: SequenceDefinition, stepId: StepId): StepDefinition {
  const step = definition.steps.find(({ id }) => id === stepId);
  if (step === undefined) throw new Error(`Sequence ${definition.sequence} has no step ${stepId}`);
  return step;
}

/** What one dispatch works on. */
interface Dispatch {
  plan: Plan;
  world: World;
  setting: Setting;
  log: LogEntry[];
  step: StepDefinition;
  nowMs: EpochMs;
}

/** What `operations/dispatch-step.ts` does, without the I/O. */
function dispatch(on: Dispatch): void {
  const { plan, world, setting, log, step, nowMs } = on;
  const verdict = decideDispatch(factsOf(world, plan, step, setting), nowMs);
  const { checks } = verdict;
  world.progress = afterVerdict(world.progress, step.id, verdict, nowMs);
  // Entries are written out, not spread: this is the hot path of rehearsals.
  switch (verdict.kind) {
    case 'send':
      return send(on, verdict.channel, checks);
    case 'defer': {
      const { anchorMs } = world.progress;
      log.push({ kind: 'deferred', step: step.id, atMs: nowMs, untilMs: verdict.untilMs, anchorMs, reason: verdict.reason, checks });
      return;
    }
    case 'skip':
      forgetRefusals(world);
      log.push({ kind: 'skipped', step: step.id, atMs: nowMs, reason: verdict.reason, checks });
      return;
    case 'hold':
    case 'stop':
      // Both stand in the progress now; the next move reads them there.
      return;
  }
}

function send(on: Dispatch, channel: Channel, checks: GateCheck[]): void {
  const { plan, world, setting, log, step, nowMs } = on;
  switch (world.provider) {
    case 'accepted':
    case 'unknown': {
      const outcome = world.provider === 'accepted' ? 'sent' : 'unknown';
      settleStep(world, plan, step.id, outcome, channel, nowMs, setting);
      forgetRefusals(world);
      log.push({ kind: 'sent', step: step.id, atMs: nowMs, channel, outcome, checks });
      return;
    }
    case 'refused_for_good':
      // Dispatched again at once: the decision takes the next channel, or skips.
      refuseForGood(world, channel);
      return;
    case 'refused':
    case 'outage':
      fail(on, channel, world.provider === 'refused', checks);
  }
}

function fail({ plan, world, log, step, nowMs }: Dispatch, channel: Channel, refused: boolean, checks: GateCheck[]): void {
  const before = world.failures[step.id];
  const failures = (before?.failures ?? 0) + 1;
  const refusals = (before?.refusals[channel] ?? 0) + (refused ? 1 : 0);
  // As in the ledger, whose row is about the latest channel: another provider has refused nothing yet.
  world.failures[step.id] = { failures, refusals: { [channel]: refusals } };
  const then = afterFailure(plan, world.progress, step.id, { failures, refusals, maxRetries: step.maxRetries }, nowMs);
  if (then.kind === 'defer') {
    world.progress = defer(world.progress, step.id, then.untilMs);
    const { anchorMs } = world.progress;
    log.push({ kind: 'deferred', step: step.id, atMs: nowMs, untilMs: then.untilMs, anchorMs, reason: then.reason, checks });
  } else {
    world.progress = settle(world.progress, step.id, 'skipped', nowMs);
    forgetRefusals(world);
    log.push({ kind: 'skipped', step: step.id, atMs: nowMs, reason: then.reason, checks });
  }
}
