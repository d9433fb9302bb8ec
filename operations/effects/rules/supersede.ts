import type { Draft } from '../../intake/draft.ts';

/**
 * Two conversations of one sequence came together in one person, by a merge or because a subject changed hands: the one about the subject
 * that was active last goes on.
 * Source: docs/rules.md#rule-17
 */
export function supersedeOlder(draft: Draft, personId: string): void {
  const activeAt = (subjectId: string) => draft.subject(subjectId).lastActivityAt;
  const open = draft
    .openEnrollmentsOf([personId])
    .filter((enrollment) => enrollment.version.definition.together !== 'many')
    .sort((a, b) => activeAt(b.subjectId) - activeAt(a.subjectId) || (a.id < b.id ? 1 : -1));
  const goingOn = new Map<string, string>();
  for (const enrollment of open) {
    const newer = goingOn.get(enrollment.sequenceId);
    if (newer === undefined) goingOn.set(enrollment.sequenceId, enrollment.id);
    else draft.end([enrollment.id], 'superseded', { data: { by_enrollment: newer } });
  }
}
