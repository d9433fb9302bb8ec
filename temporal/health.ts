import type { Client } from '@temporalio/client';
import { searchAttributes, taskQueue } from '../workflows/contract.ts';

export interface TemporalHealth {
  reachable: boolean;
  serverVersion: string | null;
  /** Milliseconds since a worker last asked for workflow tasks; null: no worker is known. */
  workerSeenMsAgo: number | null;
  /** How long the oldest task has been waiting for a worker, by Temporal's estimate; null: it does not say. */
  backlogMs: number | null;
  /** Search attributes that workflows set and the namespace lacks: no workflow can start. Null: Temporal does not say. */
  missingSearchAttributes: string[] | null;
}

const workflowTaskQueueType = 1;
const activityTaskQueueType = 2;

/** Whether Temporal answers, and whether a worker polls. Never throws: an unreachable Temporal is an answer. */
export async function checkTemporal(client: Client, nowMs: number): Promise<TemporalHealth> {
  const service = client.connection.workflowService;
  try {
    return await client.connection.withDeadline(Date.now() + 1_500, async () => {
      const describe = (taskQueueType: number) =>
        service.describeTaskQueue({ namespace: client.options.namespace, taskQueue: { name: taskQueue }, taskQueueType, reportStats: true });
      const [info, queue, activities, missingSearchAttributes] = await Promise.all([
        service.getSystemInfo({}),
        describe(workflowTaskQueueType),
        describe(activityTaskQueueType),
        // Not every key may ask for them; all else is known without.
        findMissingSearchAttributes(client).catch(() => null),
      ]);
      const seen = (queue.pollers ?? []).map((p) => Number(p.lastAccessTime?.seconds ?? 0) * 1_000);
      const ages = [queue, activities].flatMap(({ stats }) =>
        stats?.approximateBacklogAge ? [Number(stats.approximateBacklogAge.seconds ?? 0) * 1_000] : [],
      );
      return {
        reachable: true,
        serverVersion: info.serverVersion ?? null,
        workerSeenMsAgo: seen.length === 0 ? null : Math.max(0, nowMs - Math.max(...seen)),
        backlogMs: ages.length === 0 ? null : Math.max(...ages),
        missingSearchAttributes,
      };
    });
  } catch {
    return { reachable: false, serverVersion: null, workerSeenMsAgo: null, backlogMs: null, missingSearchAttributes: null };
  }
}

/** @returns the names of those that workflows set and the client's namespace does not have */
export async function findMissingSearchAttributes(client: Client): Promise<string[]> {
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace: client.options.namespace });
  return Object.values(searchAttributes).filter((name) => customAttributes[name] === undefined);
}

/** The command by which an operator registers them; it reads the namespace from TEMPORAL_NAMESPACE, as Rekindle does. */
export function registerCommand(missing: readonly string[]): string {
  return `temporal operator search-attribute create ${missing.map((name) => `--name ${name} --type Keyword`).join(' ')}`;
}
