import type { Client } from '@temporalio/client';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import { checkTemporal } from '../../../temporal/health.ts';
import { probeStorage } from '../../../operations/probe-storage.ts';
import { keptFor } from './kept-for.ts';
import { withinPatience } from './within-patience.ts';

const statusOfPart = z.enum(['ok', 'late', 'full', 'down', 'unknown']);

export const healthSchema = z
  .object({
    status: z
      .enum(['ok', 'degraded', 'down'])
      .meta({ description: '`down`: Postgres is away or its disk is full, and nothing is accepted. `degraded`: events are accepted and wait.' }),
    parts: z.object({
      postgres: z.object({ status: statusOfPart, latency_ms: z.number().nullable() }),
      temporal: z.object({ status: statusOfPart, server_version: z.string().nullable() }),
      worker: z.object({ status: statusOfPart, seen_ms_ago: z.number().nullable() }),
      relay: z.object({ status: statusOfPart, waiting: z.int().nullable(), oldest_ms: z.number().nullable() }),
    }),
  })
  .meta({ id: 'Health' });

export interface Health {
  report: z.infer<typeof healthSchema>;
  /** Every part that the product cannot do without is there. */
  serving: boolean;
}

export type Examine = () => Promise<Health>;
/** How Postgres does, and after how many milliseconds it said so; null: it did not. */
export type ExamineStorage = () => Promise<{ status: 'ok' | 'full'; tookMs: number } | null>;

/** A worker asks for work at least once a minute: Temporal's long poll ends then. */
const workerLostAfterMs = 90_000;
const relayLateAfterMs = 30_000;
const keptMs = 1_000;

/** Asks Postgres to store something. Answers are kept for a second. */
export function createExamineStorage(deps: Pick<Deps, 'db' | 'clock'>): ExamineStorage {
  return keptFor(keptMs, deps.clock, () => {
    const startedMs = deps.clock.monotonicMs();
    return withinPatience(probeStorage(deps).then((status) => ({ status, tookMs: deps.clock.monotonicMs() - startedMs })));
  });
}

/** Examines all parts. Answers are kept for a second. */
export function createExamine(deps: Pick<Deps, 'db' | 'clock'>, client: Client, storage: ExamineStorage): Examine {
  return keptFor(keptMs, deps.clock, () => examineNow(deps, client, storage));
}

async function examineNow(deps: Pick<Deps, 'db' | 'clock'>, client: Client, storage: ExamineStorage): Promise<Health> {
  const [postgres, temporal] = await Promise.all([storage(), checkTemporal(client, deps.clock.nowMs())]);
  const backlog = postgres === null ? null : await withinPatience(deps.db.outboxBacklog());
  const seen = temporal.workerSeenMsAgo;
  const parts: Health['report']['parts'] = {
    postgres: { status: postgres?.status ?? 'down', latency_ms: postgres === null ? null : Math.round(postgres.tookMs) },
    temporal: { status: temporal.reachable ? 'ok' : 'down', server_version: temporal.serverVersion },
    worker: { status: !temporal.reachable ? 'unknown' : seen !== null && seen < workerLostAfterMs ? 'ok' : 'down', seen_ms_ago: seen },
    relay:
      backlog === null
        ? { status: 'unknown', waiting: null, oldest_ms: null }
        : { status: backlog.oldestMs > relayLateAfterMs ? 'late' : 'ok', waiting: backlog.waiting, oldest_ms: Math.round(backlog.oldestMs) },
  };
  const serving = parts.postgres.status === 'ok' && parts.temporal.status === 'ok' && parts.worker.status === 'ok';
  const status = parts.postgres.status !== 'ok' ? 'down' : serving && parts.relay.status === 'ok' ? 'ok' : 'degraded';
  return { report: { status, parts }, serving };
}
