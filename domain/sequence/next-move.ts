import { readyAt } from './due.ts';
import type { EpochMs, FinishReason, Plan, Progress, StepId } from './plan.ts';

/** What the workflow does next. `reason` reaches the dashboard: renaming one is a breaking change. */
export type Move =
  | { kind: 'wait'; untilMs: EpochMs }
  /** No time to wait for: paused, or a human took over. A signal ends it. */
  | { kind: 'hold' }
  | { kind: 'dispatch'; stepId: StepId }
  | { kind: 'finish'; reason: FinishReason };

/**
 * Decide the next move of one enrollment. Pure: the same input gives the same answer on every replay. Steps run strictly in
 * order; a step that became too old is still dispatched, because only the dispatch may skip it and say why.
 * @param nowMs - the caller's clock, epoch milliseconds, UTC
 * @returns exactly one move; never throws
 * Source: docs/rules.md#rule-1, docs/rules.md#rule-15
 */
export function nextMove(plan: Plan, progress: Progress, nowMs: EpochMs): Move {
  if (progress.stopped !== null) return { kind: 'finish', reason: progress.stopped };
  const step = plan.steps.find(({ id }) => progress.settled[id] === undefined);
  if (step === undefined) return { kind: 'finish', reason: 'completed' };
  if (progress.held !== null) return { kind: 'hold' };
  const untilMs = readyAt(plan, progress, step.id);
  return untilMs > nowMs ? { kind: 'wait', untilMs } : { kind: 'dispatch', stepId: step.id };
}
