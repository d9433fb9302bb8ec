/** What a reply leads to. `takeover`: a person answers, and nothing is sent until they are done. */
export const replyPolicies = ['stop', 'takeover'] as const;
export type ReplyPolicy = (typeof replyPolicies)[number];

/**
 * What a reply does to one sequence. The sequence's own `onReply` counts, else the store's; a sequence that leaves `replied` out of `stopOn` runs on unless it
 * says `takeover` itself.
 * Source: docs/rules.md#rule-21
 */
export function afterReply(sequence: { stopOn: readonly string[]; onReply?: ReplyPolicy }, store: { onReply: ReplyPolicy }): ReplyPolicy | 'runs_on' {
  if (sequence.onReply === 'takeover') return 'takeover';
  if (!sequence.stopOn.includes('replied')) return 'runs_on';
  return sequence.onReply ?? store.onReply;
}
