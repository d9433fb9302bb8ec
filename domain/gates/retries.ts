import type { Answer, DecisiveGate } from './gate.ts';

/** A message that the provider keeps refusing is given up after `maxRetries`; outages do not count. Source: docs/rules.md#rule-8 */
export const retries: DecisiveGate = {
  name: 'retries',
  check({ facts: { step } }): Answer {
    const input = { refusals: step.refusals, maxRetries: step.maxRetries };
    if (step.refusals <= step.maxRetries) return { result: 'pass', input };
    return { result: 'skip', reason: 'refused', input, note: 'The provider refused this message too often.' };
  },
};
