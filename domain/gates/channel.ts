import type { Answer, DecisiveGate, GateInput } from './gate.ts';

const sentences = {
  silent: 'The step only marks the time.',
  not_connected: 'Channel not connected.',
  no_address: 'The person has no address on this channel.',
  suppressed: 'Marketing is blocked on this channel.',
  no_consent: 'The person has not consented to this channel.',
  refused: 'The provider refused this message for good.',
} as const;

/** Passes where a channel of the step's list is possible and consented; else the step is skipped, with the preferred channel's reason. */
export const channel: DecisiveGate = {
  name: 'channel',
  check({ choice, facts: { step } }): Answer {
    const input: GateInput = {};
    for (const { channel: name, reason } of choice.passedOver) input[name] = reason;
    const preferred = choice.passedOver[0];
    if (choice.kind === 'chosen') {
      input[choice.channel] = 'chosen';
      if (preferred === undefined) return { result: 'pass', input };
      return { result: 'pass', input, note: `Instead of ${preferred.channel}: ${sentences[preferred.reason]}` };
    }
    const reason = preferred?.reason ?? 'not_connected';
    // The others were tried, or could not be: `refused` says that it was the message that failed.
    if (step.onFailure === 'end' && choice.passedOver.some((passed) => passed.reason === 'refused'))
      return { result: 'stop', reason: 'undeliverable', input, note: `${sentences.refused} Then the sequence ends.` };
    return { result: 'skip', reason, input, note: sentences[reason] };
  },
};
