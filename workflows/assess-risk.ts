import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import { type Activities, type RiskRun, type RiskRunReport, riskQueueOf } from './contract.ts';

/** Assess all accounts of a store. On a queue of its own, so that it takes no place from dispatches. */
export async function assessRisk(run: RiskRun): Promise<RiskRunReport> {
  const { assessPortfolio } = proxyActivities<Activities>({
    taskQueue: riskQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '6h',
    heartbeatTimeout: '2m',
    retry: { initialInterval: '10s', maximumInterval: '10m' },
  });
  return assessPortfolio(run);
}
