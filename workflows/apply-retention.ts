import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from './contract.ts';

const { applyRetention: applyRetentionActivity } = proxyActivities<Activities>({
  startToCloseTimeout: '6h',
  heartbeatTimeout: '5m',
  retry: { initialInterval: '5m', backoffCoefficient: 1, maximumAttempts: 5 },
});

/** Take away what stores keep for a number of days only; started by a Schedule each night. */
export async function applyRetention(): Promise<Record<string, number>> {
  return applyRetentionActivity();
}
