import type { Channel } from '../channels/index.ts';
import { askAgainAt } from '../gates/ask-again.ts';
import { decideDispatch } from '../gates/decide-dispatch.ts';
import type { Facts } from '../gates/facts.ts';
import { activates, type GateCheck, type Verdict } from '../gates/verdict.ts';
import { compilePlan } from '../sequence/compile-plan.ts';
import type { SequenceDefinition, StepDefinition } from '../sequence/definition.ts';
import { statusOf } from '../sequence/ending.ts';
import { type Move, nextMove } from '../sequence/next-move.ts';
import type { EnrollmentStatus, EpochMs, FinishReason, Plan, Progress, SkipReason, StepId } from '../sequence/plan.ts';
import { stepOfVariant } from '../sequence/step-of-variant.ts';
import type { RehearsalEvent } from './events.ts';
import { takeTurn } from './turn.ts';
import type { Setting, World } from './world.ts';
import {
  apply,
  askShop,
  awaitsApproval,
  end,
  factsOf,
  newWorld,
  offersIn,
  plainSetting,
  progressIn,
  recordFailure,
  recordOffer,
  recordSend,
  variantOf,
  recordSkip,
} from './world.ts';

/** One action of the rehearsed enrollment. `checks`: the gates that were asked (guarantee G4). */
export type LogEntry = { atMs: EpochMs } & (
  | { kind: 'sent'; step: StepId; channel: Channel; outcome: 'sent' | 'unknown'; checks: GateCheck[]; variant?: string }
  | { kind: 'deferred'; step: StepId; untilMs: EpochMs; anchorMs: EpochMs; reason: string; checks: GateCheck[] }
  | { kind: 'skipped'; step: StepId; reason: SkipReason; checks: GateCheck[] }
  | { kind: 'finished'; reason: FinishReason; status: EnrollmentStatus }
);
export type LogEntryOf<Kind extends LogEntry['kind']> = Extract<LogEntry, { kind: Kind }>;

/** The result of a rehearsal. */
export interface Rehearsal {
  plan: Plan;
  log: LogEntry[];
  /** null: nothing began, or it is held and nothing ends that. */
  finished: LogEntryOf<'finished'> | null;
  /** The progress at the end; null where nothing began. */
  progress: Progress | null;
}

/** A healthy enrollment makes a few moves a step; this many mean that the rules loop. */
const mostMoves = 100_000;

/**
 * Run a sequence over a list of events under a virtual clock, with the very decisions of the workflow (`nextMove`) and of the
 * dispatch (`decideDispatch`): thirty days take microseconds.
 * @param events - in any order; of two at the same instant the first in the list happens first, and before any dispatch
 * @param setting - what differs from a plain shop; not to be changed afterwards
 * @throws Error when the rules make no progress: a defect
 */
export function rehearse(definition: SequenceDefinition, events: readonly RehearsalEvent[], setting: Partial<Setting> = noDifference): Rehearsal {
  const full = settingFor(definition, setting);
  const plan = planOf(definition, full.timeScale);
  const inOrder = events.toSorted((a, b) => a.atMs - b.atMs);
  const log: LogEntry[] = [];
  let next = inOrder.findIndex(({ type }) => type === 'subject.updated');
  const first = inOrder[next];
  if (first === undefined) return { plan, log, finished: null, progress: null };

  const world = newWorld(first.atMs, full, definition);
  let nowMs = first.atMs;
  next += 1;
  for (let moves = 0; moves < mostMoves; moves += 1) {
    const move = nextMove(plan, progressIn(world), nowMs);
    if (move.kind === 'finish') {
      const finished: LogEntry = { kind: 'finished', reason: move.reason, status: statusOf(move.reason), atMs: nowMs };
      log.push(finished);
      return { plan, log, finished, progress: progressIn(world) };
    }
    const untilMs = actsAt(move, world, nowMs);
    const event = inOrder[next];
    if (event !== undefined && event.atMs <= untilMs) {
      nowMs = Math.max(nowMs, event.atMs);
      apply(world, event, plan, full.settings);
      next += 1;
      continue;
    }
    if (untilMs === Number.POSITIVE_INFINITY) return { plan, log, finished: null, progress: progressIn(world) };
    if (move.kind === 'dispatch' && untilMs <= nowMs)
      dispatch({ plan, world, setting: full, log, step: stepOf(definition, move.stepId, full), nowMs });
    nowMs = Math.max(nowMs, untilMs);
  }
  throw new Error(`Sequence ${definition.sequence} makes no progress`);
}

const noDifference: Partial<Setting> = {};

// One sequence is rehearsed for many people, often of one setting.
const settings = new WeakMap<Partial<Setting>, { definition: SequenceDefinition; full: Setting }>();

function settingFor(definition: SequenceDefinition, setting: Partial<Setting>): Setting {
  const known = settings.get(setting);
  if (known?.definition === definition) return known.full;
  // Entering a risk band puts the account in it, unless the scenario says otherwise.
  const band = definition.band === undefined ? {} : { 'account.band': definition.band };
  const full = { ...plainSetting, ...setting, attributes: { ...band, ...setting.attributes } };
  settings.set(setting, { definition, full });
  return full;
}

const plans = new WeakMap<SequenceDefinition, Plan>();

function planOf(definition: SequenceDefinition, timeScale: number): Plan {
  const known = plans.get(definition);
  if (known?.timeScale === timeScale) return known;
  const plan = compilePlan(definition, 1, timeScale);
  plans.set(definition, plan);
  return plan;
}

/** When a move is made if nothing happens before. A held enrollment waits for ever, and nothing happens while no worker runs. */
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

/** The step as the rehearsed person gets it. */
function stepOf(definition: SequenceDefinition, stepId: StepId, setting: Setting): StepDefinition {
  const step = definition.steps.find(({ id }) => id === stepId);
  if (step === undefined) throw new Error(`Sequence ${definition.sequence} has no step ${stepId}`);
  return stepOfVariant(step, variantOf(step, setting));
}

/** The input of one dispatch. */
interface Dispatch {
  plan: Plan;
  world: World;
  setting: Setting;
  log: LogEntry[];
  step: StepDefinition;
  nowMs: EpochMs;
}

/** What `operations/dispatch-step.ts` does, without the I/O: after a call, what follows is decided from the ledger at once. */
function dispatch(on: Dispatch): void {
  for (let calls = 0; calls <= mostCalls; calls += 1) if (!dispatchOnce(on)) return;
  throw new Error(`Step ${on.step.id} of ${on.plan.sequence} is called again and again`);
}

/** A dispatch calls each channel of its step once at most, and then only decides. */
const mostCalls = 100;

/**
 * Its parts are functions of their own, not closures: this is the hot path of rehearsals, and each would be made for each decision.
 * @returns whether a provider was called, so that there is more to decide
 */
function dispatchOnce(on: Dispatch): boolean {
  const { plan, world, setting, log, step, nowMs } = on;
  const facts = factsOf(world, plan, step, setting);
  const verdict = paced(on, decide(on, facts));
  const { checks } = verdict;
  if (world.enrollment.activatedAt === null && activates(verdict)) world.enrollment = { ...world.enrollment, activatedAt: nowMs };
  // Entries are written out, not spread.
  switch (verdict.kind) {
    case 'send':
      return call(on, verdict.channel, checks);
    case 'defer':
      if (verdict.anchorMs !== undefined) world.enrollment = { ...world.enrollment, anchorAt: verdict.anchorMs };
      putOff(on, verdict.untilMs, verdict.reason, checks);
      return false;
    case 'skip':
      recordSkip(world, step.id, verdict.reason, nowMs);
      log.push({ kind: 'skipped', step: step.id, atMs: nowMs, reason: verdict.reason, checks });
      return false;
    case 'hold':
      putOff(on, askAgainAt(facts, nowMs), verdict.reason, checks);
      return false;
    case 'stop':
      end(world, verdict.reason);
      return false;
  }
}

/** What passes every gate waits for its moment under the rate of the campaign. */
function paced({ plan, world, setting, step, nowMs }: Dispatch, decided: Verdict): Verdict {
  if (decided.kind !== 'send' || setting.campaignPace === undefined) return decided;
  const turn = { plan, progress: progressIn(world), stepId: step.id, checks: decided.checks, nowMs };
  return takeTurn(world.turns, setting.campaignPace, turn) ?? decided;
}

/** As the dispatch does: offers and the texts of models are looked at where everything else is open. */
function decide(on: Dispatch, known: Facts): Verdict {
  const { plan, world, setting, step, nowMs } = on;
  const first = decideDispatch(known, nowMs);
  if (first.kind === 'send' && awaitsApproval(world, step, setting)) {
    known.modelText = { approval: 'pending' };
    return decideDispatch(known, nowMs);
  }
  const offer = first.kind === 'send' ? offersIn(world, plan, step, setting) : null;
  if (offer === null) return first;
  known.offer = offer;
  const decided = decideDispatch(known, nowMs);
  return decided.kind === 'send' ? withCode(on, known, decided) : decided;
}

/** The code comes before its message: made by the shop, waited for, or given up. */
function withCode({ plan, world, setting, step, nowMs }: Dispatch, known: Facts, decided: Verdict): Verdict {
  recordOffer(world, plan, step.id, known, nowMs);
  const waits = askShop(world, plan, step.id, nowMs, (atMs) => decideDispatch(known, atMs).kind === 'send');
  const offer = offersIn(world, plan, step, setting);
  if (offer !== null) known.offer = offer;
  if (waits === null) return offer?.own?.state === 'refused' ? decideDispatch(known, nowMs) : decided;
  const note = 'The shop could not be reached to make the code of its offer, and is asked again then.';
  const check: GateCheck = { gate: 'offer_code', result: 'defer', input: { ...waits }, note };
  return { kind: 'defer', untilMs: waits.untilMs, reason: 'offer_code', checks: [...decided.checks, check] };
}

function putOff({ world, log, step, nowMs }: Dispatch, untilMs: EpochMs, reason: string, checks: GateCheck[]): void {
  const { enrollment } = world;
  world.enrollment = { ...enrollment, notBefore: { ...enrollment.notBefore, [step.id]: untilMs } };
  // A takeover is checked every hour, and reported once.
  const last = log.at(-1);
  if (reason === 'takeover' && last?.kind === 'deferred' && last.reason === reason && last.step === step.id) {
    last.untilMs = untilMs;
    return;
  }
  log.push({ kind: 'deferred', step: step.id, atMs: nowMs, untilMs, anchorMs: world.enrollment.anchorAt, reason, checks });
}

function call({ plan, world, setting, log, step, nowMs }: Dispatch, channel: Channel, checks: GateCheck[]): boolean {
  const answer = world.provider;
  if (answer !== 'accepted' && answer !== 'unknown') {
    recordFailure(world, step.id, channel, answer, nowMs);
    return true;
  }
  const outcome = answer === 'accepted' ? 'sent' : 'unknown';
  recordSend(world, plan, step.id, outcome, channel, nowMs, setting);
  const variant = variantOf(step, setting)?.id;
  if (variant === undefined) log.push({ kind: 'sent', step: step.id, atMs: nowMs, channel, outcome, checks });
  else log.push({ kind: 'sent', step: step.id, atMs: nowMs, channel, outcome, checks, variant });
  return false;
}
