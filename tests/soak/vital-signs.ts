import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Life } from './product-process.ts';
import type { RunClock } from './run-clock.ts';

/** How large the processes are and how many connections they hold, at one moment. */
export interface Sample {
  atMs: number;
  /** Resident memory by process id, in MiB. */
  residentMib: Map<number, number>;
  /** Open files and sockets by process id; empty where the system does not report it. */
  openFiles: Map<number, number>;
  /** Sessions of the product at Postgres; null: it was away. */
  sessions: number | null;
  /** Programs that run or wait for a core, per core, over the last minute. */
  loadPerCore: number;
}

export interface VitalSigns {
  samples: Sample[];
  stop(): Promise<void>;
}

/** Measure every few seconds until stopped. */
export function watchVitalSigns(options: { databaseUrl: string; clock: RunClock; lives: () => Life[]; everyMs: number }): VitalSigns {
  const samples: Sample[] = [];
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      const alive = options.lives().filter((life) => life.endedMs === null);
      const [residentMib, sessions] = await Promise.all([residentOf(alive), sessionsOf(options.databaseUrl)]);
      const loadPerCore = (loadavg()[0] ?? 0) / availableParallelism();
      samples.push({ atMs: options.clock.nowMs(), residentMib, openFiles: openFilesOf(alive), sessions, loadPerCore });
      const nextMs = options.clock.nowMs() + options.everyMs;
      while (!stopped && options.clock.nowMs() < nextMs) await new Promise((done) => setTimeout(done, 100));
    }
  })();
  return {
    samples,
    async stop() {
      stopped = true;
      await watching;
    },
  };
}

async function residentOf(alive: Life[]): Promise<Map<number, number>> {
  if (alive.length === 0) return new Map();
  // Fails when none of them runs any more.
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,rss=', '-p', alive.map((life) => life.pid).join()]).catch(() => ({ stdout: '' }));
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return new Map(rows.flatMap(([pid, kib]) => (pid === undefined || kib === undefined ? [] : [[pid, kib / 1_024] as const])));
}

function openFilesOf(alive: Life[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { pid } of alive) {
    try {
      counts.set(pid, readdirSync(`/proc/${pid}/fd`).length);
    } catch {
      // Gone by now, or a system without /proc.
    }
  }
  return counts;
}

async function sessionsOf(databaseUrl: string): Promise<number | null> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2_000, query_timeout: 2_000, application_name: 'observer' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ n: number }>(`select count(*)::int as n from pg_stat_activity where application_name like 'rekindle-%'`);
    return rows[0]?.n ?? null;
  } catch {
    return null;
  } finally {
    await client.end().catch(() => undefined);
  }
}
