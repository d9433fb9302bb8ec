import type { Answer, DecisiveGate } from './gate.ts';

/** Paused, or a person has taken the conversation over: the step waits until that ends. Source: docs/rules.md, rules 15 and 21 */
export const held: DecisiveGate = {
  name: 'held',
  check({ facts: { progress, person, sequence, campaign }, nowMs }): Answer {
    if (progress.held !== null) {
      const note = progress.held === 'paused' ? 'The sequence is paused.' : 'A person has taken over.';
      return { result: 'hold', reason: progress.held, input: { held: progress.held }, note };
    }
    if (sequence?.paused === true)
      return { result: 'hold', reason: 'sequence_paused', input: { held: 'sequence_paused' }, note: 'The whole sequence is paused.' };
    if (campaign?.paused === true)
      return { result: 'hold', reason: 'campaign_paused', input: { held: 'campaign_paused' }, note: 'Its campaign is paused.' };
    const takeover = person.contacts.find(
      ({ takenOver }) => takenOver != null && (takenOver.untilMs === null || takenOver.untilMs > nowMs),
    )?.takenOver;
    if (takeover == null) return { result: 'pass', input: { held: null } };
    const input = { held: 'takeover', takenOverUntilMs: takeover.untilMs };
    return { result: 'hold', reason: 'takeover', input, note: 'A person has taken over.' };
  },
};
