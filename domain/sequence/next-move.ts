import { oldestAt, readyAt } from './due.ts';
import { endOfSteps } from './ending.ts';
import { nextStep } from './next-step.ts';
import { listensUntil } from './reactions.ts';
import type { EpochMs, FinishReason, Plan, Progress, StepId } from './plan.ts';

/** What the workflow does next. `reason` reaches the dashboard: renaming one is a breaking change. */
export type Move =
  | { kind: 'wait'; untilMs: EpochMs }
  /** No time to wait for: paused, or a human took over. A signal ends it. */
  | { kind: 'hold' }
  | { kind: 'dispatch'; stepId: StepId }
  | { kind: 'finish'; reason: FinishReason };

/**
 * Decide the next move of one enrollment. Pure: the same input gives the same answer on every replay. Steps run in order, and a reaction is
 * inserted when it is ready; a step that became too old is still dispatched, because only the dispatch may skip it and say why. After the last step,
 * the enrollment goes on for as long as something may happen to which it reacts.
 * @param nowMs - the caller's clock, epoch milliseconds, UTC
 * @returns exactly one move; never throws
 * Source: docs/rules.md, rules 1, 15 and 33
 */
export function nextMove(plan: Plan, progress: Progress, nowMs: EpochMs): Move {
  if (progress.stopped !== null) return { kind: 'finish', reason: progress.stopped };
  const step = nextStep(plan, progress);
  const listensMs = step === null ? listensUntil(plan, progress) : null;
  const endsMs = listensMs === null ? nowMs : Math.min(listensMs, oldestAt(plan, progress));
  if (step === null && endsMs <= nowMs) return { kind: 'finish', reason: endOfSteps(plan, progress) };
  if (progress.held !== null) return { kind: 'hold' };
  if (step === null) return { kind: 'wait', untilMs: endsMs };
  const untilMs = readyAt(plan, progress, step.id);
  return untilMs > nowMs ? { kind: 'wait', untilMs } : { kind: 'dispatch', stepId: step.id };
}
