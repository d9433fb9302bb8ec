import type { ProductProcess } from './faults.ts';
import type { Life } from './product-process.ts';
import type { Sample } from './vital-signs.ts';

/** How one process that lived long enough has grown after its warm-up: medians of its first and last half minute. */
export interface Growth {
  name: ProductProcess;
  livedMs: number;
  residentMib: { early: number; late: number };
  /** null: the system does not report it. */
  openFiles: { early: number; late: number } | null;
  flat: boolean;
}

export interface Flatness {
  processes: Growth[];
  /** Sessions at Postgres: the most at any time, and at the end. */
  sessions: { most: number; bound: number; atEnd: number };
}

// Code is loaded and compiled, pools and caches fill.
const warmUpMs = 45_000;
const windowMs = 30_000;
const shortestLifeMs = warmUpMs + 3 * windowMs;

/** 20 for requests and 4 for settling, per process (db/client.ts). */
const sessionsPerProcess = 24;

/** After its warm-up a process may grow by that much: collectors run late. */
const residentBound = (earlyMib: number) => earlyMib * 1.25 + 40;
const openFilesBound = (early: number) => early + 40;

/** Whether anything grows that should not. */
export function judgeFlatness(samples: readonly Sample[], lives: readonly Life[]): Flatness {
  const lastMs = samples.at(-1)?.atMs ?? 0;
  const processes = lives.flatMap((life): Growth[] => {
    if (life.readyMs === null) return [];
    const fromMs = life.readyMs + warmUpMs;
    const toMs = life.askedMs ?? life.endedMs ?? lastMs;
    const livedMs = toMs - life.readyMs;
    if (livedMs < shortestLifeMs) return [];
    const within = (pick: (s: Sample) => Map<number, number>, a: number, b: number) =>
      samples.flatMap((s) => (s.atMs >= a && s.atMs <= b ? (pick(s).get(life.pid) ?? []) : []));
    const growth = (pick: (s: Sample) => Map<number, number>) => {
      const [early, late] = [median(within(pick, fromMs, fromMs + windowMs)), median(within(pick, toMs - windowMs, toMs))];
      return early === null || late === null ? null : { early, late };
    };
    const residentMib = growth((s) => s.residentMib);
    const openFiles = growth((s) => s.openFiles);
    if (residentMib === null) return [];
    const flat = residentMib.late <= residentBound(residentMib.early) && (openFiles === null || openFiles.late <= openFilesBound(openFiles.early));
    return [{ name: life.name, livedMs, residentMib, openFiles, flat }];
  });
  const sessions = samples.flatMap((s) => s.sessions ?? []);
  return {
    processes,
    sessions: { most: Math.max(0, ...sessions), bound: 4 * sessionsPerProcess, atEnd: sessions.at(-1) ?? 0 },
  };
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}
