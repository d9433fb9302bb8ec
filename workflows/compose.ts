import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import { type Activities, compositionQueueOf } from './contract.ts';
import { retry } from './dispatch.ts';

/**
 * Have a step's text composed, for as long as there is time before the step is due. Whatever comes of it, the dispatch finds it in Postgres, or
 * sends the template.
 */
export async function composeAhead(
  step: Parameters<Activities['composeMessage']>[0],
  hasEnded: () => boolean,
  isWoken: () => boolean,
): Promise<void> {
  const { composeMessage } = proxyActivities<Activities>({
    taskQueue: compositionQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '3m',
    // The step is never waited for beyond its due time, also where no worker takes the activity.
    scheduleToCloseTimeout: Math.max(1, step.dueMs - Date.now()),
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry,
    summary: step.stepId,
  });
  setCurrentDetails(`Composing **${step.stepId}**`);
  const scope = new CancellationScope();
  const composing = scope
    .run(() => composeMessage(step))
    .catch((error: unknown) => {
      // A cancelled workflow is cancelled here too. Anything else means that there is no text, and the template goes out.
      if (isCancellation(error) && !scope.consideredCancelled) throw error;
    });
  // Something that woke the workflow is looked at now; the composition goes on beside it.
  await Promise.race([composing, condition(isWoken)]);
  composing.catch(() => undefined);
  if (hasEnded()) scope.cancel();
}
