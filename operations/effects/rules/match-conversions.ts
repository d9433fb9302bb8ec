import { type ClickStanding, foldClick } from '../../../domain/conversions/fold.ts';
import { isPayment } from '../../../domain/conversions/outcome.ts';
import type { Draft } from '../../intake/draft.ts';
import { iso } from '../../intake/stored-rows.ts';
import type { KnownConversion, KnownSubject } from '../../intake/world.ts';
import { convert, creditOf, endOwnEnrollments, moveLifecycles, noteBuyers, type Purchase } from './purchase.ts';

/** How a conversion and its lead were brought together. */
export type MatchedBy = NonNullable<KnownConversion['matchedBy']>;

/**
 * These reports are about this subject, and so is whatever else waits of the same clicks. A payment that stands is a purchase: everything that runs
 * for its persons ends. A refusal takes payments back; where nothing is left of them, the lead is refused, and everything ends as well.
 * Revenue is counted as one order of each click and currency, whose amount is always that of everything reported so far.
 * Source: docs/rules.md#rule-60
 */
export function matchConversions(draft: Draft, subjectId: string, reports: readonly KnownConversion[], by: MatchedBy): void {
  const clicks = [...new Set(reports.map(({ click }) => click))];
  const fresh = draft.conversions().filter((one) => one.subjectId === null && clicks.includes(one.click));
  for (const one of fresh)
    draft.putConversion({ ...one, subjectId, messageId: attemptOf(draft, one)?.id ?? one.messageId, matchedAt: draft.context.nowMs, matchedBy: by });
  const own = draft.conversions().filter((one) => one.subjectId === subjectId);
  const folded = [...new Set(own.map(({ click }) => click))].map((click) => {
    const all = own.filter((one) => one.click === click);
    return { click, all, standing: foldClick(all) };
  });
  for (const { click, all, standing } of folded.filter((one) => clicks.includes(one.click))) {
    const isPaid = fresh.some((one) => one.click === click && isPayment(one.outcome)) && standing.standing === 'converted';
    const credit = isPaid ? buy(draft, draft.subject(subjectId), all) : null;
    count(draft, { subject: draft.subject(subjectId), click, all, standing, credit });
    for (const one of all)
      if (standing.reversed.has(one.id) && one.reversedAt === null) draft.putConversion({ ...one, reversedAt: draft.context.nowMs });
  }
  const standsAnywhere = folded.some(({ standing }) => standing.standing === 'converted');
  if (!standsAnywhere && fresh.some(({ outcome }) => outcome === 'reject')) refuse(draft, draft.subject(subjectId));
}

/** Everything that runs for the subject's persons ends, as by any order. @returns the enrollment that the payment is credited to */
function buy(draft: Draft, subject: KnownSubject, all: readonly KnownConversion[]): string | null {
  const purchase: Purchase = { occurredAtMs: latestOf(all), order: { products: [], noRevenue: null } };
  const persons = personsOf(draft, subject);
  convert(draft, subject, purchase);
  noteBuyers(draft, persons, purchase.occurredAtMs);
  moveLifecycles(draft, [...persons, ...contactsOf(draft, subject)], 'sale');
  const ended = endOwnEnrollments(draft, purchase, persons, [subject]);
  return attributedTo(draft, all) ?? creditOf(draft, subject, ended);
}

/** Nothing of the lead's sequences is left, and nothing new begins. Revenue was taken back before. */
function refuse(draft: Draft, subject: KnownSubject): void {
  const owner = draft.findContact(subject.contactId);
  if (owner === null) return;
  const persons = [owner.personId];
  moveLifecycles(draft, [owner.personId, owner.id], 'reject');
  draft.coverPersons(persons);
  draft.end(
    draft.openEnrollmentsOf(persons).map(({ id }) => id),
    'rejected',
  );
}

interface Click {
  subject: KnownSubject;
  click: string;
  /** In the order of their arrival, as they stood before. */
  all: readonly KnownConversion[];
  standing: ClickStanding;
  credit: string | null;
}

/** What the click has brought so far, as orders. */
function count(draft: Draft, { subject, click, all, standing, credit }: Click): void {
  const [first] = all;
  if (first === undefined) return;
  const atMs = latestOf(all);
  const counted = (draft.world.conversions ?? []).filter((one) => one.click === click && one.subjectId !== null && isPayment(one.outcome));
  for (const { currency, minor, stands } of standing.revenue) {
    const externalId = `${click} ${currency ?? '?'}`;
    const before = counted.filter((one) => (one.payoutMinor === null ? null : one.currency) === currency);
    const stood = before.some(({ reversedAt }) => reversedAt === null);
    const update = (said: Record<string, unknown>) =>
      draft.changes.orderUpdates.push({
        ...{ id: draft.context.newId(), inbox_id: draft.context.inboxId, connection_id: first.connectionId, order_id: externalId, at: iso(atMs) },
        ...said,
      });
    if (stands) {
      draft.changes.orders.push({
        ...{ externalId, connectionId: first.connectionId, atMs, currency, totalMinor: minor, noRevenue: null },
        ...{ contactId: subject.contactId, subjectId: subject.id, enrollmentId: credit },
      });
      if (before.length > 0 && !stood) update({ cancelled: false, restored_id: draft.context.newId() });
      // What was never counted need not be taken back.
    } else if (stood) update({ cancelled: true, cancelled_id: draft.context.newId() });
  }
}

const latestOf = (all: readonly KnownConversion[]): number => Math.max(...all.map(({ atMs }) => atMs));

/** Whom the event reached, and whose the subject is. */
const personsOf = (draft: Draft, subject: KnownSubject): string[] => draft.personsOf([...draft.found.reached, ...contactsOf(draft, subject)]);

const contactsOf = (draft: Draft, subject: KnownSubject): string[] => {
  const owner = draft.findContact(subject.contactId);
  return owner === null ? [] : [owner.id];
};

function attemptOf(draft: Draft, { subId }: KnownConversion) {
  const { attempt = null } = draft.world;
  return attempt !== null && attempt.id === subId ? attempt : null;
}

/** The activated enrollment whose message's link was followed. */
function attributedTo(draft: Draft, all: readonly KnownConversion[]): string | null {
  const attempt = all.map((one) => attemptOf(draft, one)).find((one) => one !== null);
  const enrollment = draft.enrollments().find(({ id }) => id === attempt?.enrollmentId);
  return enrollment !== undefined && enrollment.activatedAt !== null ? enrollment.id : null;
}
