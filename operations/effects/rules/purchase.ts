import type { NoRevenue, ProductRef } from '../../../domain/events.ts';
import type { LifecycleChange } from '../../../domain/people/lifecycle.ts';
import { stopReasonOfOrder } from '../../../domain/sequence/ending.ts';
import type { StopReason } from '../../../domain/sequence/plan.ts';
import type { Draft } from '../../intake/draft.ts';
import type { KnownEnrollment, KnownSubject } from '../../intake/world.ts';

/** What is known of a purchase. */
export interface Purchase {
  occurredAtMs: number;
  order: { products: ProductRef[]; noRevenue: NoRevenue | null };
}

/** An enrollment that a purchase ended. */
export interface EndedEnrollment extends KnownEnrollment {
  /** The purchase names its subject. */
  named: boolean;
  /** It counts as the purchase of its subject, whether or not it names it. */
  matched: boolean;
}

/** The subject was bought. */
export function convert(draft: Draft, subject: KnownSubject, { occurredAtMs, order }: Purchase): void {
  const kind = draft.kindOf(subject.kind);
  draft.changeSubject(subject.id, {
    state: 'converted',
    convertedAt: subject.convertedAt ?? occurredAtMs,
    details: kind.convert(kind.details.parse(subject.details), order.products),
  });
}

/** These persons have bought: when, how far the store has come with them, and that the answer waits for their running calls. */
export function noteBuyers(draft: Draft, persons: readonly string[], atMs: number): void {
  for (const id of persons) {
    const { lastOrderAt } = draft.contact(id);
    draft.changeContact(id, { lastOrderAt: Math.max(lastOrderAt ?? atMs, atMs) });
  }
  draft.coverPersons(persons);
}

export function moveLifecycles(draft: Draft, contactIds: Iterable<string>, change: LifecycleChange): void {
  for (const id of new Set(contactIds)) draft.moveLifecycle(id, change);
}

/** @returns what ended by this purchase, oldest first */
export function endOwnEnrollments(draft: Draft, purchase: Purchase, persons: readonly string[], matched: readonly KnownSubject[]): EndedEnrollment[] {
  const { noRevenue } = purchase.order;
  const ended = draft
    .openEnrollmentsOf(persons)
    .map((enrollment) => ({ ...enrollment, subject: draft.subject(enrollment.subjectId), named: matched.some((s) => s.id === enrollment.subjectId) }))
    .filter((enrollment) => enrollment.named || enrollment.subject.startedAt <= purchase.occurredAtMs)
    // Any order of its person converts a lead; only its own order converts a cart.
    .map((enrollment) => ({ ...enrollment, matched: enrollment.named || draft.kindOf(enrollment.subject.kind).boughtBy === 'person' }));
  for (const enrollment of ended) {
    draft.end([enrollment.id], stopReasonOfOrder({ activated: enrollment.activatedAt !== null, matched: enrollment.matched, noRevenue }));
    if (enrollment.matched && !enrollment.named && noRevenue === null) convert(draft, enrollment.subject, purchase);
  }
  return ended;
}

/** The enrollment that a purchase of this subject is credited to; null: none. */
export function creditOf(draft: Draft, subject: KnownSubject | undefined, ended: readonly EndedEnrollment[]): string | null {
  return (
    ended.findLast((enrollment) => enrollment.named && enrollment.activatedAt !== null)?.id ??
    draft.world.enrollments.find((enrollment) => enrollment.subjectId === subject?.id && isStillCredited(enrollment))?.id ??
    ended.findLast((enrollment) => enrollment.matched && enrollment.activatedAt !== null)?.id ??
    null
  );
}

/** Such a sequence is still credited when its own subject is bought: it had run to its end, gave way to a newer subject or was ended by a test order. */
const creditedAfter: readonly (StopReason | null)[] = ['expired', 'superseded', 'order_void'];

function isStillCredited({ status, stopReason, activatedAt }: KnownEnrollment): boolean {
  return status === 'COMPLETED' || (creditedAfter.includes(stopReason) && activatedAt !== null);
}
