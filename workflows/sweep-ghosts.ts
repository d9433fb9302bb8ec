import { proxyActivities } from '@temporalio/workflow';
import type { Activities, SilentSweep, SilentSweepReport } from './contract.ts';

const { sweepGhosts: sweepGhostsActivity } = proxyActivities<Activities>({
  startToCloseTimeout: '25m',
  heartbeatTimeout: '2m',
  // After an error of the sweep itself it waits five minutes and goes on; the next one of the Schedule comes in any case.
  retry: { initialInterval: '5m', backoffCoefficient: 1, maximumAttempts: 5 },
});

/** Find the leads that left a chat and were missed; started by a Schedule. */
export async function sweepGhosts(sweep: SilentSweep): Promise<SilentSweepReport> {
  return sweepGhostsActivity(sweep);
}
