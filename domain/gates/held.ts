import type { Answer, DecisiveGate } from './gate.ts';

/** Paused, or a human took the conversation over: the step waits without a time. Source: docs/rules.md#rule-15 */
export const held: DecisiveGate = {
  name: 'held',
  check({ facts: { progress } }): Answer {
    const input = { held: progress.held };
    if (progress.held === null) return { result: 'pass', input };
    const note = progress.held === 'paused' ? 'The sequence is paused.' : 'A human has taken over.';
    return { result: 'hold', reason: progress.held, input, note };
  },
};
