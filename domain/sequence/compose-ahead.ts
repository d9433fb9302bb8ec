import { type Move, nextMove } from './next-move.ts';
import { nextStep } from './next-step.ts';
import type { EpochMs, Plan, Progress, StepId } from './plan.ts';

/** For which time each step's text was asked for. A step that is put off to another time is asked about once more. */
export type ComposedFor = Readonly<Record<StepId, EpochMs>>;

/** What the workflow does next where a model writes steps: as `nextMove`, and a step is composed ahead of the time at which it is dispatched. */
export type ComposingMove = Move | { kind: 'compose'; stepId: StepId; dueMs: EpochMs };

/**
 * Decide the next move. Pure, like `nextMove`, which alone decides when a step is dispatched: composing comes before that time or not at all.
 * @param nowMs - the caller's clock, epoch milliseconds, UTC
 * Source: docs/rules.md#rule-42
 */
export function moveWithComposing(plan: Plan, progress: Progress, nowMs: EpochMs, composedFor: ComposedFor): ComposingMove {
  const move = nextMove(plan, progress, nowMs);
  if (move.kind !== 'wait') return move;
  const step = nextStep(plan, progress);
  if (step?.composeAheadMs === undefined || composedFor[step.id] === move.untilMs) return move;
  const beginsMs = move.untilMs - step.composeAheadMs;
  return beginsMs > nowMs ? { kind: 'wait', untilMs: beginsMs } : { kind: 'compose', stepId: step.id, dueMs: move.untilMs };
}
