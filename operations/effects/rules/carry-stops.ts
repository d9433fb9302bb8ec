import { stopReasonOfOrder } from '../../../domain/sequence/ending.ts';
import type { StopReason } from '../../../domain/sequence/plan.ts';
import type { Draft } from '../../intake/draft.ts';
import type { KnownContact, KnownRun } from '../../intake/world.ts';
import { isClosedEverywhere } from './suppressions.ts';

/** Apply to a person's open enrollments what is already known to stop them. The answer waits for a stop found here as for any other. */
export function carryStops(draft: Draft, personId: string): void {
  // Even if this ends nothing: another delivery may have written the stop already and still wait for its calls.
  draft.coverPersons([personId]);
  const open = draft.openRunsOf([personId]);
  if (open.length === 0) return;
  const person = draft.contact(personId);
  const closed = person.lifecycle === 'DO_NOT_CONTACT' || isClosedEverywhere(draft, personId);
  for (const run of open) {
    const reason = closed ? 'opted_out' : knownStop(draft, person, run);
    if (reason !== null) draft.end([run.id], reason);
  }
}

function knownStop(draft: Draft, { lastOrderAt, lastReplyAt }: KnownContact, run: KnownRun): StopReason | null {
  const { startedAt, kind } = draft.subject(run.subjectId);
  if (lastOrderAt !== null && lastOrderAt >= startedAt && lastOrderAt >= run.anchorAt) {
    return stopReasonOfOrder({ activated: run.activatedAt !== null, matched: draft.kindOf(kind).boughtBy === 'person' });
  }
  const stopsOnReply = run.version.definition.stopOn.includes('replied');
  return lastReplyAt !== null && lastReplyAt > run.anchorAt && stopsOnReply ? 'replied' : null;
}
