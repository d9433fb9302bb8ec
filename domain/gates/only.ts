import type { Answer, DecisiveGate } from './gate.ts';
import { judge } from './judge-condition.ts';

/**
 * What the sequence asks of a subject and its person, as they are when the sequence would begin to count. Asked once: a cart that loses its value later
 * goes on.
 * Source: docs/rules.md#rule-3
 */
export const only: DecisiveGate = {
  name: 'only',
  check({ facts, nowMs }): Answer {
    const condition = facts.sequence?.only;
    if (condition === undefined || facts.progress.activatedAtMs !== null) return { result: 'pass', input: {} };
    const { holds, read, undecidable } = judge(condition, facts, nowMs);
    const input = { ...read, holds };
    const doubt = undecidable.length === 0 ? '' : ` Cannot be known, counted as no: ${undecidable.join(', ')}.`;
    if (!holds) return { result: 'stop', reason: 'filtered', input, note: `It is not what the sequence is for.${doubt}` };
    return { result: 'pass', input };
  },
};
