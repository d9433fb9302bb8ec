import { type InCampaign, mayOverlap } from '../../../domain/sequence/overlap.ts';
import type { Draft } from '../../intake/draft.ts';
import type { KnownEnrollment } from '../../intake/world.ts';

/**
 * Two conversations came together in one person, by a merge or because a subject changed hands, that may not run side by side: of one sequence, or of
 * different campaigns of which one refuses overlap. The one about the subject that was active last goes on.
 * Source: docs/rules.md#rule-17, docs/rules.md#rule-78
 */
export function supersedeOlder(draft: Draft, personId: string): void {
  const activeAt = (subjectId: string) => draft.subject(subjectId).lastActivityAt;
  const open = draft.openEnrollmentsOf([personId]).sort((a, b) => activeAt(b.subjectId) - activeAt(a.subjectId) || (a.id < b.id ? 1 : -1));
  const goingOn: KnownEnrollment[] = [];
  for (const enrollment of open) {
    const newer = goingOn.find((other) => !maySideBySide(enrollment, other));
    if (newer === undefined) goingOn.push(enrollment);
    else draft.end([enrollment.id], 'superseded', { data: { by_enrollment: newer.id } });
  }
}

function maySideBySide(one: KnownEnrollment, other: KnownEnrollment): boolean {
  const isSame = one.sequenceId === other.sequenceId && isAlone(one) && isAlone(other);
  return !isSame && mayOverlap(campaignOf(one), campaignOf(other));
}

const isAlone = ({ version }: KnownEnrollment) => version.definition.together !== 'many';

export const campaignOf = ({ campaignId = null, version }: KnownEnrollment): InCampaign => ({ campaignId, definition: version.definition });
