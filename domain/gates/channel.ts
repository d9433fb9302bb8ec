import type { Channel } from '../channels/index.ts';
import { consentLawWords, legalConsent, legalConsentInput, softGroundWords } from './consent-law.ts';
import type { Answer, DecisiveGate, GateInput, Situation } from './gate.ts';

const sentences = {
  silent: 'The step only marks the time.',
  not_connected: 'Channel not connected.',
  no_address: 'The person has no address on this channel.',
  suppressed: 'Marketing is blocked on this channel.',
  no_consent: 'The person has not consented to this channel.',
  consent_required: 'The law asks for consent.',
  consent_expired: 'What stood for consent is too long ago.',
  refused: 'The provider refused this message for good.',
} as const;

/** Passes where a channel of the step's list is possible and consented; else the step is skipped, with the preferred channel's reason. */
export const channel: DecisiveGate = {
  name: 'channel',
  check(situation): Answer {
    const { choice, facts } = situation;
    const { step } = facts;
    const input: GateInput = {};
    for (const { channel: name, reason } of choice.passedOver) input[name] = reason;
    const preferred = choice.passedOver[0];
    if (choice.kind === 'chosen') {
      input[choice.channel] = 'chosen';
      const soft = onSoftGround(situation, choice.channel);
      if (soft !== null) Object.assign(input, soft.input);
      if (preferred === undefined) return soft === null ? { result: 'pass', input } : { result: 'pass', input, note: soft.note };
      return { result: 'pass', input, note: `Instead of ${preferred.channel}: ${sentences[preferred.reason]}` };
    }
    const reason = preferred?.reason ?? 'not_connected';
    // The others were tried, or could not be: `refused` says that it was the message that failed.
    if (step.onFailure === 'end' && choice.passedOver.some((passed) => passed.reason === 'refused'))
      return { result: 'stop', reason: 'undeliverable', input, note: `${sentences.refused} Then the sequence ends.` };
    if (preferred !== undefined && (reason === 'consent_required' || reason === 'consent_expired')) {
      const law = lawInput(situation, preferred.channel) ?? {};
      return { result: 'skip', reason, input: { ...input, ...law }, note: `${sentences[reason]} ${capital(consentLawWords(law))}.` };
    }
    const by = preferred !== undefined && reason === 'suppressed' ? (facts.channels[preferred.channel]?.suppressedBy ?? []) : [];
    if (by.length > 0) input['suppressedBy'] = by.join(' ');
    return { result: 'skip', reason, input, note: sentences[reason] };
  },
};

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function lawInput({ facts, nowMs }: Situation, name: Channel): GateInput | null {
  const known = facts.channels[name];
  const found = known === undefined ? null : legalConsent(facts, name, known, nowMs);
  return found === null ? null : legalConsentInput(found);
}

/** What the law takes for consent, where the message rests on that: it belongs to the record. */
function onSoftGround(situation: Situation, name: Channel): { input: GateInput; note: string } | null {
  const input = lawInput(situation, name);
  const note = input === null ? null : softGroundWords(input);
  return input === null || note === null ? null : { input, note };
}
