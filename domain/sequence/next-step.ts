import { readyAt } from './due.ts';
import type { Plan, PlanStep, Progress } from './plan.ts';
import { happenedAt, isReaction, orderedCount } from './reactions.ts';

/**
 * The step that comes next: the first of the order that is not settled, or a reaction that has happened and is ready before it. The order waits for no
 * reaction.
 * @returns null: every step is settled, and what the reactions wait for has not happened
 */
export function nextStep(plan: Plan, progress: Progress): PlanStep | null {
  const ordered = plan.steps.find((step) => step.on === undefined && progress.settled[step.id] === undefined) ?? null;
  const count = orderedCount(plan);
  if (count === plan.steps.length) return ordered;
  let next = ordered;
  let nextMs = ordered === null ? Number.POSITIVE_INFINITY : readyAt(plan, progress, ordered.id);
  for (let index = count; index < plan.steps.length; index++) {
    const step = plan.steps[index];
    if (step === undefined || !isReaction(step) || progress.settled[step.id] !== undefined || happenedAt(step, progress) === null) continue;
    const readyMs = readyAt(plan, progress, step.id);
    if (readyMs < nextMs) [next, nextMs] = [step, readyMs];
  }
  return next;
}
