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
