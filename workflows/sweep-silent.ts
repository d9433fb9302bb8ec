import { proxyActivities } from '@temporalio/workflow';
import type { Activities, SilentSweep, SilentSweepReport } from './contract.ts';

const { sweepSilent: sweepSilentActivity } = proxyActivities<Activities>({
  startToCloseTimeout: '30m',
  heartbeatTimeout: '2m',
  retry: { maximumAttempts: 3 },
});

/** Find the silent leads that were missed; started by a Schedule. */
export async function sweepSilent(sweep: SilentSweep): Promise<SilentSweepReport> {
  return sweepSilentActivity(sweep);
}
