import { expiryAt } from './due.ts';
import type { EpochMs, Plan, Progress, StepId } from './plan.ts';
import { scaled } from './time-scale.ts';

const firstWaitMs = 300_000;
/** Under a time scale a back-off would shrink to nothing and hammer the provider, which keeps wall time. */
const shortestWaitMs = 1_000;

/**
 * The wait before a step is tried again: 300 s × 2ⁿ.
 * @param failures - sends of this message that certainly failed so far, the latest included: 1 gives 300 s
 * @returns wall-clock milliseconds, at least one second
 * Source: docs/rules.md#rule-8
 */
export function backoffMs(failures: number, timeScale: number): number {
  // 2^20 × 300 s is ten years: beyond it every step is too old, and the number stays exact.
  const doublings = Math.min(Math.max(failures - 1, 0), 20);
  return Math.max(shortestWaitMs, scaled(firstWaitMs * 2 ** doublings, timeScale));
}

/** What failed, as the ledger counts it. */
export interface Failures {
  /** Sends of this message that certainly failed, the latest included: refusals and outages. */
  failures: number;
  /** Those among them that were a provider's refusal of this message. */
  refusals: number;
  maxRetries: number;
}

export type AfterFailure = { kind: 'defer'; untilMs: EpochMs; reason: 'send_failed' } | { kind: 'skip'; reason: 'refused' | 'too_old' };

/**
 * What follows a send that certainly failed. Refusals end at `maxRetries`, outages run on until the step is too old.
 * @param nowMs - when it failed
 * Source: docs/rules.md#rule-5, docs/rules.md#rule-8
 */
export function afterFailure(plan: Plan, progress: Progress, stepId: StepId, count: Failures, nowMs: EpochMs): AfterFailure {
  if (count.refusals > count.maxRetries) return { kind: 'skip', reason: 'refused' };
  const untilMs = nowMs + backoffMs(count.failures, plan.timeScale);
  if (untilMs > expiryAt(plan, progress, stepId)) return { kind: 'skip', reason: 'too_old' };
  return { kind: 'defer', untilMs, reason: 'send_failed' };
}
