import type { EpochMs, Plan, PlanStep, Progress, StepId } from './plan.ts';
import { happenedAt, isReaction, orderedCount, type ReactionStep } from './reactions.ts';
import { scaled } from './time-scale.ts';

const hourMs = 3_600_000;
/** A step may be sent for at least this long, however fast the plan runs: people, mail servers and restarts take wall time. */
const shortestLifeMs = 2 * 60_000;

/**
 * When a step is due. A pause, a deferral or a late send of an `at` step's predecessor never shifts it.
 * @returns epoch ms: anchor + delay, or for `after` the previous step's send (its due time where nothing was sent) + delay; for a reaction what it
 *   waits for + delay, `Infinity` while that has not happened
 * @throws RangeError when the plan has no such step
 * Source: docs/rules.md, rules 1, 33 and 72
 */
export function dueAt(plan: Plan, progress: Progress, stepId: StepId): EpochMs {
  return dueAtIndex(plan, progress, stepIndex(plan, stepId));
}

/**
 * Until when a step may still be sent, itself included.
 * @returns epoch ms: the later of due + 12 h and the next step's due time; for the last step due + 24 h; or what the step says; not beyond
 *   the sequence's maximum age; but never less than two minutes of wall time after it was due, unless these lie beyond `oldestAt`
 * @throws RangeError when the plan has no such step
 * Source: docs/rules.md#rule-5; docs/architecture.md, "Lateness"
 */
export function expiryAt(plan: Plan, progress: Progress, stepId: StepId): EpochMs {
  const index = stepIndex(plan, stepId);
  const dueMs = dueAtIndex(plan, progress, index);
  const plannedMs = Math.min(progress.anchorMs + plan.maxAgeMs + movedMs(plan, progress), plannedExpiryMs(plan, progress, index, dueMs));
  return Math.min(oldestAt(plan, progress), Math.max(dueMs + shortestLifeMs, plannedMs));
}

/**
 * Until when anything at all may be sent about a subject: its maximum age, plus two minutes of wall time in case the machine is late, and plus the time
 * for which the person asked to be left alone.
 */
export function oldestAt(plan: Plan, progress: Progress): EpochMs {
  return progress.anchorMs + plan.maxAgeMs + movedMs(plan, progress) + shortestLifeMs;
}

/**
 * When a step should go out: its due time, or the later time to which it was put off. A dispatch after this is late.
 * @returns epoch ms
 * @throws RangeError when the plan has no such step
 */
export function readyAt(plan: Plan, progress: Progress, stepId: StepId): EpochMs {
  return Math.max(dueAt(plan, progress, stepId), progress.notBeforeMs[stepId] ?? 0);
}

/**
 * When a step should have gone out if no step had been late: its due time by the sequence, whenever the steps before it were sent, plus the time by
 * which gates put it off. `expired` is judged by this time.
 * @returns epoch ms
 * @throws RangeError when the plan has no such step
 * Source: docs/architecture.md, "Lateness"
 */
export function plannedAt(plan: Plan, progress: Progress, stepId: StepId): EpochMs {
  // A reaction is planned for nothing but what has happened.
  if (plan.steps[stepIndex(plan, stepId)]?.on !== undefined) return readyAt(plan, progress, stepId);
  const putOffMs = readyAt(plan, progress, stepId) - dueAt(plan, progress, stepId);
  // What was asked for later moved the plan itself, by the steps that were left at that time.
  const movedBy = progress.snoozes === undefined ? 0 : dueAt(plan, progress, stepId) - dueAt(plan, { ...progress, snoozes: [] }, stepId);
  return dueAt(plan, untouched(progress), stepId) + movedBy + putOffMs;
}

/** Nothing settled, nothing asked for later. Written out, not spread: every decision asks it. */
function untouched({ anchorMs, activatedAtMs, held, stopped }: Progress): Progress {
  return { anchorMs, activatedAtMs, settled: {}, notBeforeMs: {}, held, stopped };
}

function plannedExpiryMs(plan: Plan, progress: Progress, index: number, dueMs: EpochMs): EpochMs {
  const { expiresAfterMs } = stepAt(plan, index);
  if (expiresAfterMs !== null) return dueMs + expiresAfterMs;
  if (index >= orderedCount(plan) - 1) return dueMs + scaled(24 * hourMs, plan.timeScale);
  return Math.max(dueMs + scaled(12 * hourMs, plan.timeScale), dueAtIndex(plan, progress, index + 1));
}

/** By the sequence, or when somebody asked for it to be due at once. What was put off by a snooze since then stays put off. */
function dueAtIndex(plan: Plan, progress: Progress, index: number): EpochMs {
  const dueMs = plannedDueAtIndex(plan, progress, index);
  const askedMs = progress.dueNow?.[stepAt(plan, index).id];
  if (askedMs === undefined || dueMs === Number.POSITIVE_INFINITY) return dueMs;
  return progress.snoozes?.some(({ atMs }) => atMs >= askedMs) === true ? dueMs : Math.min(dueMs, askedMs);
}

/** @param snoozed - how many of the snoozes count, the first ones */
function plannedDueAtIndex(plan: Plan, progress: Progress, index: number, snoozed: number = progress.snoozes?.length ?? 0): EpochMs {
  const step = stepAt(plan, index);
  if (isReaction(step)) return reactionDueAt(step, progress);
  const { due } = step;
  const ofAnchor = due.from === 'anchor' || index === 0;
  let movedByMs = 0;
  for (let nth = 0; nth < snoozed; nth++) {
    const first = firstLeft(plan, progress, nth);
    // A step that counts from the one before moves with it, or counts from its send after the snooze.
    if (first !== null && (ofAnchor ? first <= index : first === index)) movedByMs += byHowMuch(plan, progress, nth, first);
  }
  if (ofAnchor) return progress.anchorMs + due.delayMs + movedByMs;
  const previous = stepAt(plan, index - 1);
  const settled = progress.settled[previous.id];
  // `unknown` counts as sent: somebody may have read it at that time.
  const wasSent = settled !== undefined && settled.outcome !== 'skipped';
  return (wasSent ? settled.atMs : plannedDueAtIndex(plan, progress, index - 1, snoozed)) + due.delayMs + movedByMs;
}

/** A person who asked to be left alone gets no reaction before the time that they named. */
function reactionDueAt(step: ReactionStep, progress: Progress): EpochMs {
  const fromMs = happenedAt(step, progress);
  if (fromMs === null) return Number.POSITIVE_INFINITY;
  let dueMs = fromMs + step.due.delayMs;
  const settledMs = progress.settled[step.id]?.atMs ?? Number.POSITIVE_INFINITY;
  for (const { atMs, untilMs } of progress.snoozes ?? []) if (atMs < settledMs) dueMs = Math.max(dueMs, untilMs);
  return dueMs;
}

/** The first step that was left when the person asked for later; null: none was. */
function firstLeft(plan: Plan, { settled, snoozes = [] }: Progress, nth: number): number | null {
  const atMs = snoozes[nth]?.atMs ?? 0;
  const index = plan.steps.findIndex(({ id, on }) => on === undefined && (settled[id]?.atMs ?? Number.POSITIVE_INFINITY) > atMs);
  return index < 0 ? null : index;
}

/** By how much a snooze moves the steps from `first` on: to its end, where that step would have been due before. */
function byHowMuch(plan: Plan, progress: Progress, nth: number, first: number): number {
  return Math.max(0, (progress.snoozes?.[nth]?.untilMs ?? 0) - plannedDueAtIndex(plan, progress, first, nth));
}

/** By how much all snoozes together have moved what was left. */
function movedMs(plan: Plan, progress: Progress): number {
  let sumMs = 0;
  for (let nth = 0; nth < (progress.snoozes?.length ?? 0); nth++) {
    const first = firstLeft(plan, progress, nth);
    if (first !== null) sumMs += byHowMuch(plan, progress, nth, first);
  }
  return sumMs;
}

function stepIndex(plan: Plan, stepId: StepId): number {
  return plan.steps.findIndex((step) => step.id === stepId);
}

function stepAt(plan: Plan, index: number): PlanStep {
  const step = plan.steps[index];
  if (step === undefined) throw new RangeError(`Plan ${plan.sequence} v${plan.version} has no such step`);
  return step;
}
