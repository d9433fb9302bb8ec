import type { Draft } from '../../intake/draft.ts';
import type { EventOf } from '../effect.ts';

/**
 * An opt-out that was read in a sentence counts at once, and is a task for a person, who reads whether more was asked for. Where nothing runs, the consent's
 * wording is enough. Source: docs/rules.md#rule-111
 */
export function reviewOptOut(draft: Draft, { channel, text }: EventOf<'message.received'>): void {
  const running = draft.openEnrollmentsOf(draft.personsOf(draft.found.reached));
  const [latest] = running.toSorted((a, b) => b.anchorAt - a.anchorAt || (a.id < b.id ? -1 : 1));
  if (latest === undefined) return;
  const { id: enrollmentId, subjectId, contactId } = latest;
  draft.changes.tasks.push({
    kind: 'opt_out_in_words',
    key: `opt_out_in_words:${contactId}`,
    subjectId,
    enrollmentId,
    data: { channel, note: text },
  });
}
