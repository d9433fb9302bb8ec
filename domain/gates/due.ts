import type { TimeGate } from './gate.ts';
import { clockGraceMs } from './gate.ts';

/**
 * A step never goes out before it is due, nor before the time it was put off to, even when a crashed dispatch is tried again
 * right after its failure was written.
 */
export const due: TimeGate = {
  name: 'due',
  opensAt({ facts, dueMs }, fromMs) {
    const readyMs = Math.max(dueMs, facts.progress.notBeforeMs[facts.step.id] ?? dueMs);
    return readyMs - fromMs > clockGraceMs ? readyMs : fromMs;
  },
  input({ facts: { progress, step }, dueMs }) {
    const input = { dueMs, notBeforeMs: progress.notBeforeMs[step.id] ?? null };
    return step.failures > 0 ? { ...input, failures: step.failures } : input;
  },
  note({ facts, dueMs }) {
    if ((facts.progress.notBeforeMs[facts.step.id] ?? dueMs) <= dueMs) return 'The step is not due yet.';
    return facts.step.failures > 0 ? 'It could not be sent, and the next attempt is not due yet.' : 'It was put off until then.';
  },
};
