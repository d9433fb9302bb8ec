import { isAboutSilence } from '../../../domain/people/silence.ts';
import type { StopReason } from '../../../domain/sequence/plan.ts';
import type { Draft } from '../../intake/draft.ts';

/** End the enrollments about a subject. A subject that was converted before the activation had not been abandoned (docs/rules.md#rule-3). */
export function endRunsAbout(draft: Draft, subjectId: string, reason: StopReason): void {
  for (const enrollment of draft.enrollmentsAbout([subjectId]).filter((r) => r.endedAt === null)) {
    draft.end([enrollment.id], reason === 'purchased' && enrollment.activatedAt === null ? 'not_abandoned' : reason);
    const owner = draft.findContact(enrollment.contactId);
    if (owner === null) draft.coverContact(enrollment.contactId);
    else draft.coverPersons([owner.personId]);
  }
}

/**
 * A subject with an open enrollment turned out to be the one that an order is about. The order ends the enrollment, and is credited to it where it
 * was activated before.
 */
export function endBoughtSubject(draft: Draft, subjectId: string): void {
  const orders = draft.ordersOf(subjectId);
  const enrollment = draft.enrollmentsAbout([subjectId]).find((r) => r.endedAt === null && r.activatedAt !== null);
  const isVoid = orders.length > 0 && orders.every((order) => order.noRevenue !== null);
  endRunsAbout(draft, subjectId, isVoid ? 'order_void' : 'purchased');
  if (enrollment === undefined) return;
  const credited = orders.filter((order) => order.enrollmentId === null && order.placedAt >= (enrollment.activatedAt ?? 0));
  for (const order of credited) draft.credit(order.id, enrollment.id);
}

/** A subject turned out to be the one that a colleague has spoken about. */
export function endContacted(draft: Draft, subjectId: string, contactedAt: number): void {
  for (const { id, contactId, endedAt, version, activatedAt, anchorAt } of draft.enrollmentsAbout([subjectId])) {
    // A silence that has not begun to count is counted from the call; one that has begun since goes on.
    if (isAboutSilence(version.definition) && (activatedAt === null || contactedAt <= anchorAt)) continue;
    if (endedAt !== null || !version.definition.stopOn.includes('contacted')) continue;
    draft.end([id], 'contacted');
    const owner = draft.findContact(contactId);
    if (owner === null) draft.coverContact(contactId);
    else draft.coverPersons([owner.personId]);
  }
}
