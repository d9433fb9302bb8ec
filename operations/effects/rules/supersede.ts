import type { Draft } from '../../intake/draft.ts';

/**
 * Two conversations of one sequence came together in one person, by a merge or because a subject changed hands: the one about the subject
 * that was active last goes on.
 * Source: docs/rules.md#rule-17
 */
export function supersedeOlder(draft: Draft, personId: string): void {
  const activeAt = (subjectId: string) => draft.subject(subjectId).lastActivityAt;
  const open = draft
    .openRunsOf([personId])
    .filter((run) => run.version.definition.together !== 'many')
    .sort((a, b) => activeAt(b.subjectId) - activeAt(a.subjectId) || (a.id < b.id ? 1 : -1));
  const goingOn = new Map<string, string>();
  for (const run of open) {
    const newer = goingOn.get(run.sequenceId);
    if (newer === undefined) goingOn.set(run.sequenceId, run.id);
    else draft.end([run.id], 'superseded', { data: { by_enrollment: newer } });
  }
}
