import { nextMove } from '../domain/sequence/next-move.ts';
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

/** The last step that went out; steps run strictly in order. */
function lastStepId(plan: Plan, progress: Progress): StepId | null {
  const wentOut = (id: StepId) => ['sent', 'unknown'].includes(progress.settled[id]?.outcome ?? '');
  return plan.steps.findLast((s) => wentOut(s.id))?.id ?? null;
}

/** The step that comes next; null: none is left. */
export function nextStepId(plan: Plan, progress: Progress): StepId | null {
  return plan.steps.find((s) => progress.settled[s.id] === undefined)?.id ?? null;
}
