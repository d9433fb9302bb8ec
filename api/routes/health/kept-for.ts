import type { Clock } from '../../../operations/clock.ts';

/** Caches the answer for `keptMs`; concurrent callers share it. */
export function keptFor<T>(keptMs: number, clock: Clock, ask: () => Promise<T>): () => Promise<T> {
  let kept: { atMs: number; answer: Promise<T> } | null = null;
  return () => {
    const nowMs = clock.monotonicMs();
    if (kept === null || nowMs - kept.atMs > keptMs) kept = { atMs: nowMs, answer: ask() };
    return kept.answer;
  };
}
