import { isClosed } from '../../../domain/people/lifecycle.ts';
import { afterReply } from '../../../domain/people/on-reply.ts';
import { isAboutSilence } from '../../../domain/people/silence.ts';
import { stopReasonOfOrder } from '../../../domain/sequence/ending.ts';
import type { StopReason } from '../../../domain/sequence/plan.ts';
import type { Draft } from '../../intake/draft.ts';
import type { KnownContact, KnownEnrollment } from '../../intake/world.ts';
import { isClosedEverywhere } from './suppressions.ts';

/** Apply the stops that are already on record to a person's open enrollments. The answer waits for them as for any other stop. */
export function carryStops(draft: Draft, personId: string): void {
  // Even if this ends nothing: another delivery may have written the stop already and still wait for its calls.
  draft.coverPersons([personId]);
  const open = draft.openEnrollmentsOf([personId]);
  if (open.length === 0) return;
  const person = draft.contact(personId);
  const closed = isClosed(person.lifecycle) || isClosedEverywhere(draft, personId);
  for (const enrollment of open) {
    const refused = person.lifecycle === 'REJECTED' && !isClosedEverywhere(draft, personId);
    const reason = closed ? (refused ? 'rejected' : 'opted_out') : knownStop(draft, person, enrollment);
    if (reason !== null) draft.end([enrollment.id], reason);
  }
}

function knownStop(draft: Draft, { lastOrderAt, lastReplyAt, lastContactedAt }: KnownContact, enrollment: KnownEnrollment): StopReason | null {
  const { startedAt, kind } = draft.subject(enrollment.subjectId);
  if (lastOrderAt !== null && lastOrderAt >= startedAt && lastOrderAt >= enrollment.anchorAt) {
    return stopReasonOfOrder({ activated: enrollment.activatedAt !== null, matched: draft.kindOf(kind).boughtBy === 'person' });
  }
  const { definition } = enrollment.version;
  if (isAboutSilence(definition)) {
    // Before a silence has begun to count, whatever was said is where it is counted from.
    if (enrollment.activatedAt === null) return null;
    if (lastReplyAt !== null && lastReplyAt > enrollment.anchorAt) return 'replied';
    return lastContactedAt !== null && lastContactedAt > enrollment.anchorAt ? 'contacted' : null;
  }
  const { stopOn } = definition;
  const endsByReply = afterReply(definition, draft.context.tenant.settings) === 'stop';
  if (lastReplyAt !== null && lastReplyAt > enrollment.anchorAt && endsByReply) return 'replied';
  // A sequence that a colleague began by hand after the call goes on.
  const spoken = lastContactedAt !== null && lastContactedAt >= startedAt && lastContactedAt >= enrollment.anchorAt;
  return spoken && stopOn.includes('contacted') ? 'contacted' : null;
}
