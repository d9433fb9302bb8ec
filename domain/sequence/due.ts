import type { EpochMs, Plan, PlanStep, Progress, StepId } from './plan.ts';
import { scaled } from './time-scale.ts';

const hourMs = 3_600_000;
/** A step may be sent for at least this long, however fast the plan runs: people, mail servers and restarts take wall time. */
const shortestLifeMs = 2 * 60_000;

/**
 * When a step is due. A pause, a deferral or a late send of an `at` step's predecessor never shifts it.
 * @returns epoch ms: anchor + delay, or for `after` the previous step's send (its due time where nothing was sent) + delay
 * @throws RangeError when the plan has no such step
 * Source: docs/rules.md#rule-1
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
  const plannedMs = Math.min(progress.anchorMs + plan.maxAgeMs, plannedExpiryMs(plan, progress, index, dueMs));
  return Math.min(oldestAt(plan, progress), Math.max(dueMs + shortestLifeMs, plannedMs));
}

/** Until when anything at all may be sent about a subject: its maximum age, plus two minutes of wall time in case the machine is late. */
export function oldestAt(plan: Plan, progress: Progress): EpochMs {
  return progress.anchorMs + plan.maxAgeMs + shortestLifeMs;
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
  const putOffMs = readyAt(plan, progress, stepId) - dueAt(plan, progress, stepId);
  return dueAt(plan, { ...progress, settled: {} }, stepId) + putOffMs;
}

function plannedExpiryMs(plan: Plan, progress: Progress, index: number, dueMs: EpochMs): EpochMs {
  const { expiresAfterMs } = stepAt(plan, index);
  if (expiresAfterMs !== null) return dueMs + expiresAfterMs;
  if (index === plan.steps.length - 1) return dueMs + scaled(24 * hourMs, plan.timeScale);
  return Math.max(dueMs + scaled(12 * hourMs, plan.timeScale), dueAtIndex(plan, progress, index + 1));
}

function dueAtIndex(plan: Plan, progress: Progress, index: number): EpochMs {
  const { due } = stepAt(plan, index);
  if (due.from === 'anchor' || index === 0) return progress.anchorMs + due.delayMs;
  const previous = stepAt(plan, index - 1);
  const settled = progress.settled[previous.id];
  // `unknown` counts as sent: somebody may have read it at that time.
  const wasSent = settled !== undefined && settled.outcome !== 'skipped';
  return (wasSent ? settled.atMs : dueAtIndex(plan, progress, index - 1)) + due.delayMs;
}

function stepIndex(plan: Plan, stepId: StepId): number {
  return plan.steps.findIndex((step) => step.id === stepId);
}

function stepAt(plan: Plan, index: number): PlanStep {
  const step = plan.steps[index];
  if (step === undefined) throw new RangeError(`Plan ${plan.sequence} v${plan.version} has no such step`);
  return step;
}
