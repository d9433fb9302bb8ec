import type { Answer, DecisiveGate } from './gate.ts';

/** The subject is read again before every send: one that was bought or is gone ends the sequence. */
export const subjectOpen: DecisiveGate = {
  name: 'subject_open',
  check({ facts: { subject, progress } }): Answer {
    const input = { state: subject.state, activated: progress.activatedAtMs !== null };
    switch (subject.state) {
      case 'open':
        return { result: 'pass', input };
      case 'gone':
        return { result: 'stop', reason: 'cart_deleted', input, note: 'It was deleted where it came from: its link leads nowhere.' };
      case 'converted':
        return progress.activatedAtMs === null
          ? { result: 'stop', reason: 'not_abandoned', input, note: 'It was bought before the sequence had begun.' }
          : { result: 'stop', reason: 'purchased', input, note: 'It was bought.' };
    }
  },
};
