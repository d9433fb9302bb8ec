import { ActivityCancellationType, CancellationScope, condition, isCancellation, proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { EpochMs } from '../domain/sequence/plan.ts';
import type { Activities, DispatchedStep } from './contract.ts';

// Retries are for crashes and Postgres only: a provider's refusal is a value, and its back-off a timer of the plan (rule 8).
export const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' } as const;

/** After an outage what is punctual goes first, then what is late by least. From 1 (first) to 5; a workflow's own tasks have 3. */
function priorityOf(readyMs: EpochMs): number {
  const lateMs = Date.now() - readyMs;
  return lateMs <= 10 * 60_000 ? 3 : lateMs <= 6 * 3_600_000 ? 4 : 5;
}

/**
 * Dispatch one step, racing with the stop; a stop cancels it without waiting, because the ledger has the truth.
 * @param readyMs - when it should go out
 * @param expiryMs - until when the step may be sent
 * @returns null when the enrollment ended meanwhile, or when the step should be looked at again
 */
export async function dispatchOrStop(
  step: Parameters<Activities['dispatchStep']>[0],
  readyMs: EpochMs,
  expiryMs: EpochMs,
  hasEnded: () => boolean,
  isWoken: () => boolean,
): Promise<DispatchedStep | null> {
  const { dispatchStep } = proxyActivities<Activities>({
    startToCloseTimeout: '20s',
    // Ten minutes beyond its life: after a long outage the step is still dispatched, and skipped with its reason.
    scheduleToCloseTimeout: Math.max(expiryMs - Date.now(), 0) + 600_000,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry,
    priority: { priorityKey: priorityOf(readyMs) },
    summary: step.stepId,
  });
  setCurrentDetails(`Dispatching **${step.stepId}**`);
  const scope = new CancellationScope();
  const sending = scope.run(() => dispatchStep(step));
  try {
    const result = await Promise.race([sending, condition(hasEnded).then(() => null)]);
    if (result === null) {
      scope.cancel();
      await sending.catch(() => undefined);
    }
    return result;
  } catch (error) {
    if (isCancellation(error)) throw error;
    // No worker for longer than the step lives, or a fault that retrying did not cure: nothing is lost, try again later.
    await condition(isWoken, '1m', { summary: `retry: ${step.stepId}` });
    return null;
  }
}
