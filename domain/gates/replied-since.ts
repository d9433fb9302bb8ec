import { afterReply } from '../people/on-reply.ts';
import { latestOf } from './latest.ts';
import type { Answer, DecisiveGate } from './gate.ts';
import type { Facts } from './facts.ts';

/** The person wrote to the store after the sequence's anchor: from here on a human answers, unless the sequence runs on after replies. */
export const repliedSince: DecisiveGate = {
  name: 'replied_since',
  check({ facts }): Answer {
    const { person, progress, plan, settings } = facts;
    if (plan.silence === true) return endOfSilence(facts);
    const stops = afterReply(plan, settings) === 'stop';
    const lastReplyMs = latestOf(person.contacts, 'lastReplyMs');
    const input = { lastReplyMs, anchorMs: progress.anchorMs, stops };
    if (!stops || lastReplyMs === null || lastReplyMs <= progress.anchorMs) return { result: 'pass', input };
    return { result: 'stop', reason: 'replied', input, note: 'The person has written to the store since.' };
  },
};

/**
 * Before a silence has begun to count, whatever was said moves its anchor (the gate `activation`); then it ends it. The message's own transaction has done
 * so; this finds what a merge brought along. Source: docs/rules.md#rule-62
 */
function endOfSilence({ person, progress, subject }: Facts): Answer {
  const lastReplyMs = latestOf(person.contacts, 'lastReplyMs');
  const { lastActivityMs, lastContactMs = lastActivityMs } = subject;
  const { anchorMs } = progress;
  const input = { lastReplyMs, lastContactMs, anchorMs, counts: progress.activatedAtMs !== null };
  if (progress.activatedAtMs === null) return { result: 'pass', input };
  if (Math.max(lastReplyMs ?? 0, lastActivityMs) > anchorMs)
    return { result: 'stop', reason: 'replied', input, note: 'The person has written to the store since.' };
  if (lastContactMs > anchorMs) return { result: 'stop', reason: 'contacted', input, note: 'Somebody has been in contact with the person since.' };
  return { result: 'pass', input };
}
