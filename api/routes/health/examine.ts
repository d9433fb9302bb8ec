import type { Client } from '@temporalio/client';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import { checkTemporal, registerCommand } from '../../../temporal/health.ts';
import { probeStorage } from '../../../operations/probe-storage.ts';
import { isoTime, timeField } from '../fields.ts';
import { keptFor } from './kept-for.ts';
import { withinPatience } from './within-patience.ts';

const statusOfPart = z.enum(['ok', 'late', 'full', 'down', 'unknown', 'unread']);

export const healthSchema = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']).meta({
      description:
        '`down`: Postgres is away or its disk is full, and nothing is accepted. `degraded`: events are accepted, but some wait or could not be read, or steps go out late; `problems` says which.',
    }),
    at: timeField.meta({ description: 'By this server’s clock.' }),
    problems: z.array(z.string()).meta({ description: 'For people: what is wrong, and what to do.' }),
    parts: z.object({
      postgres: z.object({ status: statusOfPart, latency_ms: z.number().nullable() }),
      temporal: z
        .object({ status: statusOfPart, server_version: z.string().nullable(), missing_search_attributes: z.array(z.string()).nullable() })
        .meta({ description: 'Without all of its search attributes no workflow can start. Null: Temporal does not say which it has.' }),
      worker: z.object({ status: statusOfPart, seen_ms_ago: z.number().nullable() }),
      relay: z.object({ status: statusOfPart, waiting: z.int().nullable(), oldest_ms: z.number().nullable() }),
      intake: z
        .object({ status: statusOfPart, quarantined: z.int().nullable(), may_be_stops: z.int().nullable(), oldest_stop_ms: z.number().nullable() })
        .meta({ description: 'Deliveries that could not be read and wait in the quarantine. `unread`: some of them may be stops.' }),
      steps: z
        .object({ status: statusOfPart, late: z.int().nullable(), worst_late_ms: z.number().nullable(), backlog_ms: z.number().nullable() })
        .meta({
          description:
            'Whether steps go out when they are due. `late` and `worst_late_ms`: of those dispatched in the last minute; `backlog_ms`: how long the oldest task has been waiting for a worker.',
        }),
    }),
  })
  .meta({ id: 'Health' });

export interface Health {
  report: z.infer<typeof healthSchema>;
  /** Every part that the product needs is available. */
  serving: boolean;
}

export type Examine = () => Promise<Health>;
/** The state of Postgres, and how many milliseconds the answer took; null: there was none. */
export type ExamineStorage = () => Promise<{ status: 'ok' | 'full'; tookMs: number } | null>;

/** A worker asks for work at least once a minute: Temporal's long poll ends then. */
const workerLostAfterMs = 90_000;
const relayLateAfterMs = 30_000;
const stepsLateAfterMs = 30_000;
const stepsOfLastMs = 60_000;
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
  const [backlog, unread, late] =
    postgres === null
      ? [null, null, null]
      : await Promise.all([
          withinPatience(deps.db.outboxBacklog()),
          withinPatience(deps.db.quarantineBacklog()),
          withinPatience(deps.db.lateSteps(stepsOfLastMs)),
        ]);
  const seen = temporal.workerSeenMsAgo;
  const parts: Parts = {
    postgres: { status: postgres?.status ?? 'down', latency_ms: postgres === null ? null : Math.round(postgres.tookMs) },
    temporal: {
      status: temporal.reachable ? 'ok' : 'down',
      server_version: temporal.serverVersion,
      missing_search_attributes: temporal.missingSearchAttributes,
    },
    worker: { status: !temporal.reachable ? 'unknown' : seen !== null && seen < workerLostAfterMs ? 'ok' : 'down', seen_ms_ago: seen },
    relay: relayPart(backlog),
    intake: intakePart(unread),
    steps: stepsPart(late, temporal.backlogMs),
  };
  const serving = parts.postgres.status === 'ok' && parts.temporal.status === 'ok' && parts.worker.status === 'ok';
  const complete = (temporal.missingSearchAttributes ?? []).length === 0;
  const well = serving && complete && parts.relay.status === 'ok' && parts.intake.status === 'ok' && parts.steps.status !== 'late';
  const status = parts.postgres.status !== 'ok' ? 'down' : well ? 'ok' : 'degraded';
  return { report: { status, at: isoTime(deps.clock.nowMs()), problems: problemsOf(parts), parts }, serving };
}

type Parts = Health['report']['parts'];

function relayPart(backlog: { waiting: number; oldestMs: number } | null): Parts['relay'] {
  if (backlog === null) return { status: 'unknown', waiting: null, oldest_ms: null };
  return { status: backlog.oldestMs > relayLateAfterMs ? 'late' : 'ok', waiting: backlog.waiting, oldest_ms: Math.round(backlog.oldestMs) };
}

function intakePart(unread: { open: number; mayBeStops: number; oldestStopMs: number } | null): Parts['intake'] {
  if (unread === null) return { status: 'unknown', quarantined: null, may_be_stops: null, oldest_stop_ms: null };
  return {
    status: unread.mayBeStops > 0 ? 'unread' : 'ok',
    quarantined: unread.open,
    may_be_stops: unread.mayBeStops,
    oldest_stop_ms: Math.round(unread.oldestStopMs),
  };
}

function stepsPart(late: { steps: number; worstMs: number } | null, backlogMs: number | null): Parts['steps'] {
  if (late === null) return { status: 'unknown', late: null, worst_late_ms: null, backlog_ms: backlogMs };
  const status = Math.max(late.worstMs, backlogMs ?? 0) > stepsLateAfterMs ? 'late' : 'ok';
  return { status, late: late.steps, worst_late_ms: late.worstMs, backlog_ms: backlogMs };
}

/** What is wrong and what to do, a sentence each: of every part whose status makes the whole less than `ok`. */
export function problemsOf({ postgres, temporal, worker, relay, intake, steps }: Parts): string[] {
  const missing = temporal.missing_search_attributes ?? [];
  const stops = intake.may_be_stops ?? 0;
  const unread = Object.entries({ relay, intake, steps }).flatMap(([name, { status }]) => (status === 'unknown' ? [name] : []));
  const found: [boolean, string][] = [
    [postgres.status === 'down', 'Postgres cannot be reached: nothing is accepted until it is back.'],
    [postgres.status === 'full', 'Postgres cannot store anything, its disk is full: nothing is accepted until there is room.'],
    [temporal.status === 'down', 'Temporal cannot be reached: events are accepted, nothing is sent until it is back.'],
    [missing.length > 0, `Temporal lacks the search attributes ${missing.join(', ')}: no workflow can start. Run: ${registerCommand(missing)}`],
    [worker.status === 'down', 'No worker has asked for work lately: nothing is sent until one runs.'],
    [relay.status === 'late', `Temporal has not been told of ${relay.waiting} changes, the oldest for ${seconds(relay.oldest_ms)}.`],
    [
      intake.status === 'unread',
      `${stops} ${stops === 1 ? 'delivery' : 'deliveries'} that may be a purchase, a reply or an opt-out could not be read, so messages may go on that should have stopped. GET /api/quarantine says why; correct the sender or update Rekindle, then POST /api/quarantine/replay (npx rekindle quarantine replay), or dismiss what is not to take effect.`,
    ],
    [
      steps.status === 'late',
      `${lateness(steps)} The machine has more to do than it can: add workers or processors, or lower the time scale. What becomes too late is skipped as too_old.`,
    ],
    [
      unread.length > 0 && postgres.status !== 'down',
      `Postgres did not say in time how these stand: ${unread.join(', ')}. It has more to do than it can, or a lock is held; ask again.`,
    ],
  ];
  return found.flatMap(([is, sentence]) => (is ? [sentence] : []));
}

/** Of steps that went out, and of the oldest that still waits: either alone may be the reason. */
function lateness({ late, worst_late_ms, backlog_ms }: Parts['steps']): string {
  const waits = (backlog_ms ?? 0) > stepsLateAfterMs ? [`the oldest has been waiting for a worker for ${seconds(backlog_ms)}`] : [];
  const went = (late ?? 0) > 0 ? [`${late} in the last minute, by up to ${seconds(worst_late_ms)}`] : [];
  return `Steps go out late: ${[...went, ...waits].join('; ')}.`;
}

const seconds = (ms: number | null) => `${Math.round((ms ?? 0) / 1_000)} s`;
