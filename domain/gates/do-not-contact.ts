import { isClosed } from '../people/lifecycle.ts';
import type { Answer, DecisiveGate } from './gate.ts';

/** DO_NOT_CONTACT stops everything. What blocks one channel only is up to the channel gate. Source: docs/rules.md#rule-13 */
export const doNotContact: DecisiveGate = {
  name: 'do_not_contact',
  check({ facts: { person } }): Answer {
    const doNotContact = person.contacts.some(({ lifecycle }) => isClosed(lifecycle));
    const input = { doNotContact };
    if (!doNotContact) return { result: 'pass', input };
    if (person.contacts.every(({ lifecycle }) => lifecycle !== 'DO_NOT_CONTACT'))
      return { result: 'stop', reason: 'rejected', input, note: 'The advertiser refused the lead.' };
    return { result: 'stop', reason: 'opted_out', input, note: 'The person must not be contacted.' };
  },
};
