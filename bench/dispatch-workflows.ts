import { proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';
import { nextMove } from '../domain/sequence/next-move.ts';
import type { Activities, RecoveryInput, RecoveryResult } from '../workflows/contract.ts';

// The loop of workflows/recovery.ts without signals, queries and details, with the product's own dispatch as either kind of activity.

const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' } as const;
const asRegular = proxyActivities<Activities>({ startToCloseTimeout: '20s', retry });
const asLocal = proxyLocalActivities<Activities>({ startToCloseTimeout: '20s', retry });

export const regularDispatch = (input: RecoveryInput) => recoverWith(asRegular, input);
export const localDispatch = (input: RecoveryInput) => recoverWith(asLocal, input);

async function recoverWith(
  activities: Pick<Activities, 'dispatchStep'>,
  { tenantId, enrollmentId, plan, progress: stored }: RecoveryInput,
): Promise<RecoveryResult> {
  let progress = stored;
  for (;;) {
    const move = nextMove(plan, progress, Date.now());
    if (move.kind === 'finish') return { reason: move.reason };
    if (move.kind === 'wait') await sleep(Math.max(1, move.untilMs - Date.now()));
    else if (move.kind === 'dispatch') {
      // A timer before each step, also where the queue has made it late: a step of a real sequence always has one.
      await sleep(1);
      const result = await activities.dispatchStep({ tenantId, enrollmentId, stepId: move.stepId });
      if (result.ended !== null) return { reason: result.ended };
      progress = result.progress;
    } else throw new Error(`nothing here ends a ${move.kind}`);
  }
}
