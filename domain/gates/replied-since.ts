import { afterReply } from '../people/on-reply.ts';
import { latestOf } from './latest.ts';
import type { Answer, DecisiveGate } from './gate.ts';

/** The person wrote to the store after the sequence's anchor: from here on a human answers, unless the sequence runs on after replies. */
export const repliedSince: DecisiveGate = {
  name: 'replied_since',
  check({ facts: { person, progress, plan, settings } }): Answer {
    // Before a silence has begun to count, a reply moves its anchor (the gate `activation`); then it ends it, whoever answers the reply.
    const stops = plan.silence === true ? progress.activatedAtMs !== null : afterReply(plan, settings) === 'stop';
    const lastReplyMs = latestOf(person.contacts, 'lastReplyMs');
    const input = { lastReplyMs, anchorMs: progress.anchorMs, stops };
    if (!stops || lastReplyMs === null || lastReplyMs <= progress.anchorMs) return { result: 'pass', input };
    return { result: 'stop', reason: 'replied', input, note: 'The person has written to the store since.' };
  },
};
