import { monitorEventLoopDelay } from 'node:perf_hooks';
import { applyPending } from '../../operations/accept-delivery.ts';
import { sweepLeases } from '../../operations/sweep-leases.ts';
import { type Counts, noCounts } from './counts.ts';
import { type HistoryResult, runHistory } from './history.ts';
import type { HistoryPlan } from './plan.ts';
import { planOf } from './schedule.ts';
import { openWorld } from './world.ts';

export interface ProofOptions {
  /** The owner's URL of a migrated database of the proof's own. */
  url: string;
  seed: number;
  /** Histories begin until then; as long as it takes where it is left out. */
  forMs?: number;
  /** Run this history alone, again and again. */
  only?: number;
  /** How many histories at most. */
  histories?: number;
  /** Enough is seen when a violation matches. The run ends at once and leaves its database open: the process is to end, too. */
  stopAt?: RegExp;
  /** How many histories run at once, at most. */
  atOnce?: number;
  progress?: (line: string) => void;
  /** Called at once for each violation. */
  onViolation?: (violation: Violation) => void;
}

export interface Violation {
  index: number;
  violations: string[];
  trace: string[];
}

export interface ProofReport {
  seed: number;
  histories: number;
  tookMs: number;
  counts: Counts;
  /** By final state of a step. */
  ends: Record<string, number>;
  /** How the answers to stops were waited for. */
  waits: Record<string, number>;
  violations: Violation[];
  /** Errors that nothing done to a process explains, and how often. */
  surprises: Record<string, number>;
}

const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/**
 * Run random histories side by side on one database, each judged by itself. How many at once follows the machine: times are short, and
 * a loop that is late would break the proof's own assumptions.
 */
export async function runProof(options: ProofOptions): Promise<ProofReport> {
  const world = await openWorld(options.url);
  const startedMs = performance.now();
  const report: ProofReport = { seed: options.seed, histories: 0, tookMs: 0, counts: noCounts(), ends: {}, waits: {}, violations: [], surprises: {} };
  const running = new Set<Promise<void>>();
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  let over = false;
  let atOnce = 8;
  const most = options.atOnce ?? 48;
  const steer = setInterval(() => {
    const lateMs = loop.percentile(95) / 1e6 - 5;
    atOnce = lateMs > 8 ? Math.max(3, atOnce - 3) : Math.min(most, atOnce + 2);
    loop.reset();
  }, 400);
  const sweeps = (async () => {
    while (!over) {
      await sweepLeases(world.deps).catch((error: unknown) => surprise(report, `sweep: ${String(error)}`));
      await applyPending(world.deps).catch((error: unknown) => surprise(report, `inbox: ${String(error)}`));
      world.sweeps.passed += 1;
      await sleep(150);
    }
  })();
  const mayBegin = (index: number) => performance.now() - startedMs < (options.forMs ?? Infinity) && index < (options.histories ?? Infinity);
  const enough = () => report.violations.some((v) => v.violations.some((text) => options.stopAt?.test(text)));
  let saidMs = startedMs;
  for (let index = 0; mayBegin(index) && !enough(); index++) {
    const number = options.only ?? index;
    const task: Promise<void> = one(number, planOf(options.seed, number)).finally(() => running.delete(task));
    running.add(task);
    while (running.size >= atOnce && !enough()) await Promise.race([...running, sleep(100)]);
    if (performance.now() - saidMs > 10_000) {
      saidMs = performance.now();
      options.progress?.(`${report.histories} histories, ${report.violations.length} violations, ${running.size} under way`);
    }
  }
  if (!enough()) await Promise.all(running);
  over = true;
  clearInterval(steer);
  loop.disable();
  report.tookMs = performance.now() - startedMs;
  report.waits = { ...world.waits };
  // Histories may still run after a violation. They keep their database until the process ends: without it their errors would end the process first.
  if (enough()) return report;
  await sweeps;
  await world.close();
  return report;

  async function one(index: number, plan: HistoryPlan): Promise<void> {
    const result = await runHistory(world, plan).catch((error: unknown): HistoryResult => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { violations: over || enough() ? [] : [`the history did not end: ${text}`], surprises: [], counts: noCounts(), trace: [], ends: [] };
    });
    report.histories += 1;
    for (const key of Object.keys(report.counts) as (keyof Counts)[]) report.counts[key] += result.counts[key];
    for (const end of result.ends) report.ends[end] = (report.ends[end] ?? 0) + 1;
    for (const text of result.surprises) surprise(report, text);
    if (result.violations.length === 0) return;
    const violation = { index, violations: result.violations, trace: result.trace };
    report.violations.push(violation);
    options.onViolation?.(violation);
  }
}

function surprise(report: ProofReport, text: string): void {
  report.surprises[text] = (report.surprises[text] ?? 0) + 1;
}
