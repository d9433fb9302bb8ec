import { proxyActivities, sleep } from '@temporalio/workflow';
import type { Activities, ExportInput } from './contract.ts';

const { gatherStep, expireStep } = proxyActivities<Activities>({
  startToCloseTimeout: '30m',
  heartbeatTimeout: '5m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** Gather everything about a person, and take it away again when its time is over. The document is in Postgres, sealed. */
export async function exportPerson(input: ExportInput): Promise<void> {
  const expiresInMs = await gatherStep(input);
  if (expiresInMs === null) return;
  await sleep(expiresInMs);
  await expireStep(input);
}
