import { scaled } from '../../../domain/sequence/time-scale.ts';
import type { Draft } from '../../intake/draft.ts';

/** What is left of every open sequence moves. The answer waits for running calls as a reply's does: nothing goes out once the person was answered. */
export function snooze(draft: Draft, untilMs: number): void {
  const persons = draft.personsOf(draft.found.reached);
  draft.coverPersons(persons);
  const { nowMs, tenant } = draft.context;
  for (const { id } of draft.openEnrollmentsOf(persons)) {
    draft.snooze({ enrollmentId: id, atMs: nowMs, untilMs: nowMs + scaled(Math.max(0, untilMs - nowMs), tenant.timeScale) });
  }
}
