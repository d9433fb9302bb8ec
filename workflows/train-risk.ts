import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import { type Activities, riskQueueOf } from './contract.ts';

/** Learn from the outcomes of all stores; started by a Schedule every night. A repeat goes on with the stores that it has not looked at. */
export async function trainRisk(): Promise<{ stores: number }> {
  const { trainRiskModels } = proxyActivities<Activities>({
    taskQueue: riskQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '6h',
    heartbeatTimeout: '2m',
    retry: { initialInterval: '1m', maximumAttempts: 5 },
  });
  return trainRiskModels();
}
