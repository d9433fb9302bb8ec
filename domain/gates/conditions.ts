import { judge } from './judge-condition.ts';
import type { Answer, DecisiveGate } from './gate.ts';

/** The step's `when`, read at the moment of sending. Source: docs/rules.md#rule-9 */
export const conditions: DecisiveGate = {
  name: 'conditions',
  check({ facts, nowMs }): Answer {
    if (facts.step.when === null) return { result: 'pass', input: {} };
    const { holds, read, undecidable } = judge(facts.step.when, facts, nowMs);
    const input = { ...read, holds };
    const doubt = undecidable.length === 0 ? '' : `Cannot be known, counted as no: ${undecidable.join(', ')}.`;
    if (!holds) return { result: 'skip', reason: 'condition', input, note: `The step's condition does not hold. ${doubt}`.trim() };
    return doubt === '' ? { result: 'pass', input } : { result: 'pass', input, note: doubt };
  },
};
