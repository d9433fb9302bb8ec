import { proxyActivities } from '@temporalio/workflow';
import type { Activities, ErasureInput } from './contract.ts';

// Waiting for a call, a delivery or an import is a failure that says when to come again, so it costs no history. Nothing gives up.
const { eraseStep, forgetHistories, searchStep } = proxyActivities<Activities>({
  startToCloseTimeout: '30m',
  heartbeatTimeout: '5m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** Erase a person: their sequences and data, then their workflows' histories, then search for what is left. The receipt is in Postgres. */
export async function erasePerson(input: ErasureInput): Promise<void> {
  await eraseStep(input);
  await forgetHistories(input);
  await searchStep(input);
}
