import { and, desc, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { enrollments, messages, popups, sequences } from '../../db/schema/index.ts';
import { isClosed } from '../../domain/people/lifecycle.ts';
import type { MessagePayload } from '../../domain/channels/index.ts';
import { openChannels } from '../dispatch/open-channels.ts';
import { recordProof } from '../dispatch/fence.ts';
import type { VersionCache } from '../dispatch/versions.ts';
import type { Draft } from '../intake/draft.ts';

/** A pop-up that a page may show now. */
export interface TakenPopup {
  messageId: string;
  popup: Extract<MessagePayload, { channel: 'onsite' }>;
}

/** A page that was given a pop-up and has not reported it shown by then was left: the next page view gets it. */
const showWithinSeconds = 30;

/**
 * The pop-up that waits for this subject's next page view. Under the locks of the subject's person, which every stop and every dispatch takes, so that
 * none is given out once a stop was answered, or once the message that it lapses with is on its way.
 * @param draft - of the subject's world, under these locks
 */
export async function takePopup(tx: Tx, versions: VersionCache, draft: Draft, subjectId: string): Promise<TakenPopup | null> {
  const subject = draft.subject(subjectId);
  if (subject.state !== 'open' || !mayBeReached(draft, subject.contactId)) return null;
  const [waiting] = await tx
    .select({
      enrollment: { id: enrollments.id, versionId: enrollments.versionId },
      message: { id: messages.id, stepId: messages.stepId, state: messages.state, payload: messages.payload },
    })
    .from(popups)
    .innerJoin(enrollments, and(eq(enrollments.tenantId, popups.tenantId), eq(enrollments.id, popups.enrollmentId)))
    .innerJoin(sequences, and(eq(sequences.tenantId, enrollments.tenantId), eq(sequences.id, enrollments.sequenceId)))
    .innerJoin(messages, and(eq(messages.enrollmentId, popups.enrollmentId), eq(messages.stepId, popups.stepId)))
    .where(
      and(
        eq(enrollments.subjectId, subjectId),
        isNull(enrollments.endedAt),
        isNull(enrollments.held),
        eq(sequences.paused, false),
        isNull(popups.shownAt),
        sql`coalesce(${popups.handedAt} < clock_timestamp() - make_interval(secs => ${showWithinSeconds}), true)`,
      ),
    )
    .orderBy(desc(popups.putDownAt))
    .limit(1);
  if (waiting === undefined) return null;
  const { enrollment, message } = waiting;
  // An erased person's messages say nothing any more.
  if (message.payload?.channel !== 'onsite') return null;
  const step = (await versions.load(tx, enrollment.versionId)).definition.steps.find(({ id }) => id === message.stepId);
  if (step === undefined || (await hasLapsed(tx, enrollment.id, step.lapsesWith))) return null;
  await tx
    .update(popups)
    .set({ handedAt: sql`clock_timestamp()` })
    .where(and(eq(popups.enrollmentId, enrollment.id), eq(popups.stepId, message.stepId)));
  // It is stored, so the call that stored it was accepted, whatever its caller heard.
  if (message.state !== 'sent') await recordProof(tx, message.id);
  return { messageId: message.id, popup: message.payload };
}

function mayBeReached(draft: Draft, contactId: string | null): boolean {
  const owner = draft.findContact(contactId);
  if (owner === null) return false;
  const person = draft.contact(owner.personId);
  const { takenOverAt, takenOverUntil } = person;
  if (isClosed(person.lifecycle)) return false;
  if (takenOverAt !== null && (takenOverUntil === null || takenOverUntil > draft.context.nowMs)) return false;
  const blocked = draft.world.suppressions.map(({ addressHash, channel, reason }) => ({ hash: addressHash, channel, reason }));
  return !openChannels(draft.identitiesOf([person.id]), blocked, (identity) => draft.context.addressHash(identity)).isClosed('onsite');
}

/** The message that it gives way to went out, may have, or is on its way. */
async function hasLapsed(tx: Tx, enrollmentId: string, lapsesWith: string | null): Promise<boolean> {
  if (lapsesWith === null) return false;
  const gone = await tx
    .select({ id: messages.id })
    .from(messages)
    .where(and(eq(messages.enrollmentId, enrollmentId), eq(messages.stepId, lapsesWith), inArray(messages.state, ['claimed', 'sent', 'unknown'])));
  return gone.length > 0;
}
