import { proxyActivities } from '@temporalio/workflow';
import type { Activities, ReconcileReport } from './contract.ts';

const { reconcile: reconcileActivity } = proxyActivities<Activities>({
  startToCloseTimeout: '5m',
  heartbeatTimeout: '1m',
  retry: { maximumAttempts: 3 },
});

/** Find what Temporal and Postgres disagree about, and repair it; started by a Schedule. */
export async function reconcile(): Promise<ReconcileReport> {
  return reconcileActivity();
}
