import { expiryAt } from '../sequence/due.ts';
import type { EpochMs, Plan, Progress, StepId } from '../sequence/plan.ts';
import type { GateCheck } from './verdict.ts';

/**
 * Until when a step that passed every gate may be sent. Windows, quiet hours and `whenCapped: wait` may lengthen its life: then the decision says so.
 * @param checks - of the decision
 */
export function lastMomentOf(checks: readonly GateCheck[], plan: Plan, progress: Progress, stepId: StepId): EpochMs {
  const decidedMs = checks.find(({ gate }) => gate === 'too_old')?.input['expiryMs'];
  return typeof decidedMs === 'number' ? decidedMs : expiryAt(plan, progress, stepId);
}
