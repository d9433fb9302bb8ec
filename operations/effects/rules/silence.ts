import { declines } from '../../../domain/people/decline.ts';
import { isAboutSilence } from '../../../domain/people/silence.ts';
import type { StopReason } from '../../../domain/sequence/plan.ts';
import type { NoSequence } from '../../../domain/subjects/no-sequence.ts';
import type { Draft } from '../../intake/draft.ts';
import type { KnownEnrollment, KnownSubject } from '../../intake/world.ts';
import { beginSequences } from './begin.ts';

/** The open subjects of these persons about which they talk with the store, the one that they asked about last first. */
export function talkedAbout(draft: Draft, personIds: readonly string[]): KnownSubject[] {
  return draft
    .subjects()
    .filter(({ kind, state, contactId }) => {
      const owner = draft.findContact(contactId);
      return state === 'open' && draft.kindOf(kind).silentTrigger !== undefined && owner !== null && personIds.includes(owner.personId);
    })
    .sort((a, b) => b.lastActivityAt - a.lastActivityAt || (a.id < b.id ? -1 : 1));
}

/** Whether a message ends this enrollment by its silence: before that has begun to count, the message only moves its anchor. */
export const endsWithSilence = ({ version, activatedAt }: KnownEnrollment): boolean => isAboutSilence(version.definition) && activatedAt !== null;

/** Whether it is about a silence that has not begun to count. */
export const awaitsSilence = ({ version, activatedAt }: KnownEnrollment): boolean => isAboutSilence(version.definition) && activatedAt === null;

/**
 * A message about these subjects went in either direction, ours excepted: it moves their last contact, ends the silences that it came after, and the next
 * silence is awaited from there. Of several subjects of one person the next silence is about the first.
 * @param reason - why what it ends has ended
 * Source: docs/rules.md#rule-62
 */
export function noteContact(draft: Draft, subjects: readonly KnownSubject[], atMs: number, reason: 'replied' | 'contacted'): void {
  const begunFor = new Set<string>();
  for (const { id } of subjects) {
    const { lastContactAt } = draft.subject(id);
    draft.changeSubject(id, { lastContactAt: Math.max(lastContactAt ?? atMs, atMs) });
    endSilences(draft, id, atMs, reason);
    const owner = draft.findContact(draft.subject(id).contactId);
    if (owner === null || draft.subject(id).state !== 'open') continue;
    const isFirst = !begunFor.has(owner.personId);
    begunFor.add(owner.personId);
    beginSequences(draft, { subject: draft.subject(id), owner }, ({ on, together }) => isAboutSilence({ on }) && (isFirst || together === 'many'));
  }
}

/** End the silences about a subject that this message came after. */
export function endSilences(draft: Draft, subjectId: string, atMs: number, reason: StopReason): void {
  const over = draft.enrollmentsAbout([subjectId]).filter((enrollment) => endsWithSilence(enrollment) && enrollment.anchorAt < atMs);
  draft.end(
    over.map(({ id }) => id),
    reason,
  );
}

/**
 * Somebody has answered a message of ours about their silence with a plain no: nothing more is begun about it until they ask again themselves. The same
 * word in a conversation with a colleague answers something else.
 */
export function noteDecline(draft: Draft, text: string | null, silences: readonly KnownEnrollment[]): void {
  if (text === null || !declines(text)) return;
  for (const { subjectId } of silences)
    draft.changeSubject(subjectId, {
      noSequence: { atMs: draft.context.nowMs, keptFrom: [{ sequence: null, reason: 'declined', detail: null }] },
    });
}

/** That they have said no, where this report is not later than that; null: they have not, or it is. */
export function stillDeclined({ noSequence }: Pick<KnownSubject, 'noSequence'>, occurredAtMs: number): NoSequence | null {
  const said = noSequence?.keptFrom.some(({ reason }) => reason === 'declined') === true;
  return said && noSequence !== null && occurredAtMs <= noSequence.atMs ? noSequence : null;
}
