import type { Answer, FinalGate } from './gate.ts';

/** A step that could only go out after its expiry is skipped now, not when it gets there. Source: docs/rules.md#rule-5 */
export const tooOld: FinalGate = {
  name: 'too_old',
  check({ expiryMs, dueMs }, { atMs: sendMs }): Answer {
    const input = { dueMs, expiryMs, sendMs };
    if (sendMs <= expiryMs) return { result: 'pass', input };
    return { result: 'skip', reason: 'too_old', input, note: 'By the time it may be sent, the step is too old.' };
  },
};
