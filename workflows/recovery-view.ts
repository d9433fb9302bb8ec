import { nextMove } from '../domain/sequence/next-move.ts';
import { nextStep } from '../domain/sequence/next-step.ts';
import type { Plan, Progress, StepId } from '../domain/sequence/plan.ts';
import type { RecoveryView } from './contract.ts';

/** What the query `view` answers: the workflow's cache of where the enrollment stands. */
export function viewOf(enrollmentId: string, plan: Plan, progress: Progress): RecoveryView {
  const move = nextMove(plan, progress, Date.now());
  return {
    enrollmentId,
    currentStep: lastStepId(plan, progress),
    lastStep: lastStepId(plan, progress),
    nextStep: nextStepId(plan, progress),
    nextAt: move.kind === 'wait' ? new Date(move.untilMs).toISOString() : null,
    held: progress.held,
    settled: Object.fromEntries(Object.entries(progress.settled).map(([id, s]) => [id, s.outcome])),
    stopped: progress.stopped,
  };
}

/** The last step that went out. Steps run in order, with reactions between them. */
function lastStepId(plan: Plan, { settled }: Progress): StepId | null {
  const out = plan.steps.flatMap(({ id }) =>
    ['sent', 'unknown'].includes(settled[id]?.outcome ?? '') ? [{ id, atMs: settled[id]?.atMs ?? 0 }] : [],
  );
  return out.toSorted((a, b) => a.atMs - b.atMs).at(-1)?.id ?? null;
}

/** The step that comes next; null: none is left. */
export function nextStepId(plan: Plan, progress: Progress): StepId | null {
  return nextStep(plan, progress)?.id ?? null;
}
