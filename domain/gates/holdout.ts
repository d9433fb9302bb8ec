import type { Answer, DecisiveGate } from './gate.ts';

/**
 * A share of the people in a sequence gets nothing, so that its effect can be measured. Their enrollment ends as it is activated; what they buy
 * is compared with what the others buy.
 * Source: docs/rules.md#rule-23
 */
export const holdout: DecisiveGate = {
  name: 'holdout',
  check({ facts: { holdout: assigned, progress } }): Answer {
    if (assigned === null || progress.activatedAtMs !== null) return { result: 'pass', input: {} };
    const input = { percent: assigned.percent, heldOut: assigned.heldOut };
    if (!assigned.heldOut) return { result: 'pass', input };
    return { result: 'stop', reason: 'holdout', input, note: 'The person is among those who get nothing, so that the effect can be measured.' };
  },
};
