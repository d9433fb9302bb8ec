import type { ProductRef } from '../../domain/events.ts';
import { stopReasonOfOrder } from '../../domain/sequence/ending.ts';
import { cart } from '../../domain/subjects/cart/index.ts';
import { sharesProduct } from '../../domain/subjects/cart/episodes.ts';
import type { Draft } from '../intake/draft.ts';
import { usableOf } from '../intake/found.ts';
import { identitiesOf, keysOf } from '../intake/source.ts';
import type { KnownSubject } from '../intake/world.ts';
import { unheardOf } from './cart-deleted.ts';
import type { Effect, EventOf } from './effect.ts';
import { applyDetails } from './rules/details.ts';
import { resolveContact } from './rules/persons.ts';
import { convert, creditOf, endOwnEnrollments, type EndedEnrollment, moveLifecycles, noteBuyers } from './rules/purchase.ts';

type OrderPlaced = EventOf<'order.placed'>;

/**
 * A purchase: the matched subjects are converted for good, and all enrollments of the persons end, those of the matched subjects as `purchased`. A
 * key matches always, an identity only subjects that are older than the order. Subjects of other people with the order's number stop when a product
 * is the same: then it is the same purchase under another address.
 * Source: docs/rules.md#rule-11
 */
export const orderPlaced: Effect<OrderPlaced> = {
  stops: 'always',
  reads: ['runs', 'order', 'claims'],
  orderNumber: (event) => event.order.externalId,
  decide(event, draft) {
    const buyerId = resolveBuyer(draft, event);
    const bought = boughtSubjects(draft, event);
    const matched = bought.length > 0 ? bought : subjectToCome(draft, event, buyerId);
    for (const subject of bought) convert(draft, subject, event);
    const persons = draft.personsOf(draft.found.reached);
    noteBuyers(draft, persons, event.occurredAtMs);
    if (event.order.noRevenue === null) moveLifecycles(draft, [...persons, ...(buyerId === null ? [] : [buyerId])], 'bought');
    const ended = endOwnEnrollments(draft, event, persons, matched);
    endRunsOfSamePurchase(draft, event, persons, bought);
    recordOrder(draft, event, { buyerId, matched, ended });
    redeem(draft, event);
  },
};

/** Codes are compared as shops do, without regard to case. What is no revenue has redeemed nothing. */
function redeem(draft: Draft, { order, occurredAtMs }: OrderPlaced): void {
  if (order.noRevenue !== null) return;
  for (const code of new Set((order.codes ?? []).map((one) => one.trim().toUpperCase())))
    draft.changes.redeemed.push({ code, order: order.externalId, atMs: occurredAtMs });
}

/** The contact that placed the order; null: the event names no contact. */
function resolveBuyer(draft: Draft, event: OrderPlaced): string | null {
  const resolved = resolveContact(draft, usableOf(draft.found, identitiesOf(draft.context.source, event.person)));
  if (resolved === null) return null;
  // A person whose names were all new is not among those whom the names found.
  if (!draft.personsOf(draft.found.reached).includes(draft.contact(resolved.contactId).personId)) draft.found.reached.push(resolved.contactId);
  applyDetails(draft, resolved.contactId, event.person, event.occurredAtMs);
  return resolved.contactId;
}

/**
 * The subjects that the order is about. A known order keeps its subject; one that is older than the subject that has its keys now is about the
 * subject that had them before.
 */
function boughtSubjects(draft: Draft, { occurredAtMs }: OrderPlaced): KnownSubject[] {
  const known = draft.world.order?.subjectId ?? null;
  if (known !== null) return [draft.subject(known)];
  return draft.matched().map((subject) => {
    const previous = draft.findSubject(subject.previousSubjectId);
    return subject.startedAt > occurredAtMs && previous !== null ? previous : subject;
  });
}

/** The order came before its subject: store a converted subject, which later events fill in. */
function subjectToCome(draft: Draft, event: OrderPlaced, buyerId: string | null): KnownSubject[] {
  const keys = keysOf(draft.context.source, event.keys);
  if (keys.length === 0) return [];
  const atMs = event.occurredAtMs;
  const { details, ...unknown } = cart.fold(null, { occurredAtMs: atMs, report: unheardOf(atMs) }, { email: null, phone: null });
  const fields = {
    ...unknown,
    kind: cart.kind,
    contactId: buyerId,
    previousSubjectId: null,
    noSequence: null,
    convertedAt: atMs,
    contactedAt: null,
    lastContactAt: null,
    state: 'converted' as const,
  };
  return [draft.createSubject({ ...fields, details: cart.convert(details, event.order.products) }, keys)];
}

function endRunsOfSamePurchase(draft: Draft, event: OrderPlaced, persons: readonly string[], boughtNow: readonly KnownSubject[]): void {
  const products = (subject: KnownSubject): readonly ProductRef[] => {
    const kind = draft.kindOf(subject.kind);
    return kind.products(kind.details.parse(subject.details));
  };
  const bought = event.order.products.length > 0 ? event.order.products : boughtNow.flatMap(products);
  const near = draft.personsOf(draft.found.near).filter((id) => !persons.includes(id));
  for (const enrollment of draft.openEnrollmentsOf(near)) {
    const subject = draft.subject(enrollment.subjectId);
    if (subject.startedAt > event.occurredAtMs || !sharesProduct(products(subject), bought)) continue;
    const reason = stopReasonOfOrder({ activated: true, matched: false, noRevenue: event.order.noRevenue });
    draft.end([enrollment.id], reason, { data: { evidence: 'same_number_and_product' } });
    draft.coverContact(enrollment.contactId);
  }
}

interface Credit {
  buyerId: string | null;
  matched: readonly KnownSubject[];
  ended: readonly EndedEnrollment[];
}

function recordOrder(draft: Draft, event: OrderPlaced, { buyerId, matched, ended }: Credit): void {
  const [subject] = matched;
  const { externalId, currency, totalMinor, noRevenue } = event.order;
  draft.changes.orders.push({
    externalId: externalId ?? `delivery:${draft.context.inboxId ?? draft.context.newId()}`,
    atMs: event.occurredAtMs,
    currency,
    totalMinor,
    noRevenue,
    contactId: buyerId ?? matched.find((s) => s.contactId !== null)?.contactId ?? null,
    subjectId: subject?.id ?? null,
    enrollmentId: creditOf(draft, subject, ended),
  });
}
