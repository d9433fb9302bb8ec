import type { Client } from '@temporalio/client';
import { taskQueue } from '../workflows/contract.ts';

export interface TemporalHealth {
  reachable: boolean;
  serverVersion: string | null;
  /** Milliseconds since a worker last asked for workflow tasks; null: no worker is known. */
  workerSeenMsAgo: number | null;
}

const workflowTaskQueueType = 1;

/** Whether Temporal answers, and whether a worker polls. Never throws: an unreachable Temporal is an answer. */
export async function checkTemporal(client: Client, nowMs: number): Promise<TemporalHealth> {
  const service = client.connection.workflowService;
  try {
    return await client.connection.withDeadline(Date.now() + 1_500, async () => {
      const [info, queue] = await Promise.all([
        service.getSystemInfo({}),
        service.describeTaskQueue({ namespace: client.options.namespace, taskQueue: { name: taskQueue }, taskQueueType: workflowTaskQueueType }),
      ]);
      const seen = (queue.pollers ?? []).map((p) => Number(p.lastAccessTime?.seconds ?? 0) * 1_000);
      return {
        reachable: true,
        serverVersion: info.serverVersion ?? null,
        workerSeenMsAgo: seen.length === 0 ? null : Math.max(0, nowMs - Math.max(...seen)),
      };
    });
  } catch {
    return { reachable: false, serverVersion: null, workerSeenMsAgo: null };
  }
}
