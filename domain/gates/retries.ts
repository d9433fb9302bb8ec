import type { Answer, DecisiveGate } from './gate.ts';
import { chosenChannel } from './gate.ts';

/**
 * A message that a channel's provider keeps refusing is given up after `maxRetries`; outages do not count. Where the step then goes on with its
 * next channel, that was chosen already.
 * Source: docs/rules.md#rule-8
 */
export const retries: DecisiveGate = {
  name: 'retries',
  check(situation): Answer {
    const { step } = situation.facts;
    const channel = chosenChannel(situation);
    const refusals = channel === null ? 0 : (step.refusals[channel] ?? 0);
    const input = { refusals, maxRetries: step.maxRetries };
    if (refusals <= step.maxRetries) return { result: 'pass', input };
    const note = 'The provider refused this message too often.';
    if (step.onFailure === 'end') return { result: 'stop', reason: 'undeliverable', input, note: `${note} Then the sequence ends.` };
    return { result: 'skip', reason: 'refused', input, note };
  },
};
