import { type Client, ScheduleAlreadyRunning } from '@temporalio/client';
import type { Log } from '../operations/deps.ts';
import { reconcileScheduleId, reconcileWorkflowType, searchAttributes, taskQueue } from '../workflows/contract.ts';

const keyword = 2;

/** Thrown when the namespace lacks search attributes and does not let us register them. Says what an operator has to run. */
export class SearchAttributesMissingError extends Error {
  readonly code = 'search_attributes_missing';
  constructor(missing: string[], cause: unknown) {
    const command = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
    super(
      `Temporal lacks the search attributes ${missing.join(', ')} and refused to register them. Run: temporal operator search-attribute create ${command}`,
      {
        cause,
      },
    );
    this.name = 'SearchAttributesMissingError';
  }
}

/** Register what the workflows need, or, where the server refuses that, verify that it is there. */
export async function prepareSearchAttributes(client: Client, log: Log): Promise<void> {
  const { namespace } = client.options;
  const wanted = Object.values(searchAttributes);
  const missingNow = async () => {
    const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
    return wanted.filter((name) => customAttributes[name] === undefined);
  };
  const missing = await missingNow();
  if (missing.length === 0) return;
  try {
    await client.connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
    });
    log.info({ missing }, 'registered search attributes');
  } catch (error) {
    // Another process may have made it first.
    const still = await missingNow();
    if (still.length > 0) throw new SearchAttributesMissingError(still, error);
  }
}

/**
 * Make sure that the reconciler's Schedule exists. Called periodically, because a Temporal that lost its state lost the Schedule too; then the first
 * run begins at once, to rebuild everything.
 */
export async function ensureReconcileSchedule(client: Client, everyMs: number, queue: string = taskQueue): Promise<void> {
  const id = queue === taskQueue ? reconcileScheduleId : `${reconcileScheduleId}/${queue}`;
  try {
    await client.schedule.create({
      scheduleId: id,
      spec: { intervals: [{ every: everyMs }] },
      action: { type: 'startWorkflow', workflowType: reconcileWorkflowType, taskQueue: queue, workflowId: id, args: [] },
      policies: { overlap: 'SKIP', catchupWindow: '1m' },
      state: { triggerImmediately: true },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}
