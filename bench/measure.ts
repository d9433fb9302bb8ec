/** One figure beside its bare floor, both from the same run. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** The bare floor, same unit; null: the figure has none and stands against its budget alone. */
  floor: number | null;
  ratio: number | null;
  /** In words, from docs/performance.md; null: it has no budget and is measured to know it. */
  budget: string | null;
  met: boolean | null;
}

/** How long single things took, in milliseconds; `floor`: the bare thing in the same run, null where there is none. */
export interface Latency {
  name: string;
  valuesMs: number[];
  floorMs: number[] | null;
}

export interface Table {
  title: string;
  columns: string[];
  rows: (string | number)[][];
}

/** What one section of the benchmark found. */
export interface Measured {
  figures: Figure[];
  latencies?: Latency[];
  tables?: Table[];
  notes?: string[];
}

/** A figure that is measured to know it, without a budget. */
export function known(name: string, value: number, unit: string, floor: number | null = null): Figure {
  return { name, value, unit, floor, ratio: floor === null ? null : value / floor, budget: null, met: null };
}

/** A figure against its budget alone. @param met - whether the value keeps it */
export function budgeted(name: string, value: number, unit: string, budget: string, met: (value: number) => boolean): Figure {
  return { name, value, unit, floor: null, ratio: null, budget, met: met(value) };
}

/** A figure whose budget is a share of its floor. @param met - whether the ratio keeps it */
export function besideFloor(name: string, value: number, unit: string, floor: number, budget: string, met: (ratio: number) => boolean): Figure {
  const ratio = value / floor;
  return { name, value, unit, floor, ratio, budget, met: met(ratio) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  if (high === undefined) throw new RangeError('no values');
  return sorted.length % 2 === 0 && low !== undefined ? (low + high) / 2 : high;
}

/** @param q - 0 to 1 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))];
  if (found === undefined) throw new RangeError('no values');
  return found;
}

export interface Spread {
  p50: number;
  p99: number;
  p999: number;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  p50: quantile(values, 0.5),
  p99: quantile(values, 0.99),
  p999: quantile(values, 0.999),
});

/** Run `work` `total` times with at most `width` at once. @returns seconds taken and each one's milliseconds */
export async function flood(
  total: number,
  width: number,
  work: (index: number) => Promise<void>,
): Promise<{ seconds: number; latenciesMs: number[] }> {
  const latenciesMs: number[] = [];
  let next = 0;
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < total) {
        const index = next++;
        const fromMs = performance.now();
        await work(index);
        latenciesMs.push(performance.now() - fromMs);
      }
    }),
  );
  return { seconds: (performance.now() - startMs) / 1_000, latenciesMs };
}

/** Begin `work` `total` times, evenly, however long each takes. Resolves when all are done. */
export async function pace(total: number, perSecond: number, work: (index: number) => Promise<void>): Promise<void> {
  const startMs = performance.now();
  const running: Promise<void>[] = [];
  for (let index = 0; index < total; index++) {
    await pause(startMs + (index * 1_000) / perSecond - performance.now());
    running.push(work(index));
  }
  await Promise.all(running);
}

const pause = (ms: number) => new Promise<void>((done) => void setTimeout(done, Math.max(0, ms)));

/** Poll until `look` says so. @throws Error naming what did not come about in time */
export async function until(what: string, look: () => Promise<boolean>, timeoutMs: number, everyMs = 50): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await look())) {
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await pause(everyMs);
  }
}

export interface CountWait {
  /** E.g. `workflows asleep`. */
  what: string;
  target: number;
  count(): Promise<number>;
  /** How long nothing may be added, at least; default a minute. */
  leastMs?: number;
  everyMs?: number;
}

const timesSlower = 20;

/**
 * Wait until a count reaches its target. The limit follows the speed of this machine: it gives up when nothing was added for twenty times as long as
 * each one took so far, and for a minute at least. @throws Error saying how far it came and how long it waited
 */
export async function untilCount({ what, target, count, leastMs = 60_000, everyMs = 20 }: CountWait): Promise<void> {
  const fromMs = performance.now();
  const first = await count();
  let [reached, reachedMs, limitMs] = [first, fromMs, leastMs];
  for (let now = first; now < target; now = await count()) {
    const nowMs = performance.now();
    if (now > reached) {
      [reached, reachedMs] = [now, nowMs];
      limitMs = Math.max(leastMs, (timesSlower * (nowMs - fromMs)) / (reached - first));
    } else if (nowMs - reachedMs > limitMs) {
      const seconds = (ms: number) => (ms / 1_000).toFixed(1);
      throw new Error(
        `waited in vain for: ${target} ${what}; ${reached} in ${seconds(reachedMs - fromMs)} s, and then none for ${seconds(limitMs)} s, the limit`,
      );
    }
    await pause(everyMs);
  }
}
