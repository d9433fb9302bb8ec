import type { Client } from '@temporalio/client';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import { checkTemporal } from '../../../temporal/health.ts';
import { withinPatience } from './within-patience.ts';

const statusOfPart = z.enum(['ok', 'late', 'down', 'unknown']);

export const healthSchema = z
  .object({
    status: z
      .enum(['ok', 'degraded', 'down'])
      .meta({ description: '`down`: Postgres is away and nothing is accepted. `degraded`: events are accepted and wait.' }),
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

/** A worker asks for work at least once a minute: Temporal's long poll ends then. */
const workerLostAfterMs = 90_000;
const relayLateAfterMs = 30_000;
const keptMs = 1_000;

/** Examines all parts. Answers are kept for a second: whoever asks often costs nothing. */
export function createExamine(deps: Pick<Deps, 'db' | 'clock'>, client: Client): Examine {
  let kept: { atMs: number; health: Promise<Health> } | null = null;
  return () => {
    const nowMs = deps.clock.monotonicMs();
    if (kept === null || nowMs - kept.atMs > keptMs) kept = { atMs: nowMs, health: examineNow(deps, client) };
    return kept.health;
  };
}

async function examineNow(deps: Pick<Deps, 'db' | 'clock'>, client: Client): Promise<Health> {
  const startedMs = deps.clock.monotonicMs();
  const [answered, temporal] = await Promise.all([
    withinPatience(deps.db.ping().then(() => deps.clock.monotonicMs() - startedMs)),
    checkTemporal(client, deps.clock.nowMs()),
  ]);
  const backlog = answered === null ? null : await withinPatience(deps.db.outboxBacklog());
  const seen = temporal.workerSeenMsAgo;
  const parts: Health['report']['parts'] = {
    postgres: { status: answered === null ? 'down' : 'ok', latency_ms: answered === null ? null : Math.round(answered) },
    temporal: { status: temporal.reachable ? 'ok' : 'down', server_version: temporal.serverVersion },
    worker: { status: !temporal.reachable ? 'unknown' : seen !== null && seen < workerLostAfterMs ? 'ok' : 'down', seen_ms_ago: seen },
    relay:
      backlog === null
        ? { status: 'unknown', waiting: null, oldest_ms: null }
        : { status: backlog.oldestMs > relayLateAfterMs ? 'late' : 'ok', waiting: backlog.waiting, oldest_ms: Math.round(backlog.oldestMs) },
  };
  const serving = parts.postgres.status === 'ok' && parts.temporal.status === 'ok' && parts.worker.status === 'ok';
  const status = parts.postgres.status === 'down' ? 'down' : serving && parts.relay.status === 'ok' ? 'ok' : 'degraded';
  return { report: { status, parts }, serving };
}
