import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import type { DomainEvent } from '../../domain/events.ts';
import type { ChosenContact } from '../../domain/people/choose-contact.ts';
import { newStatements } from '../../domain/people/consent.ts';
import { foldDetails, noDetails } from '../../domain/people/fold-details.ts';
import { sharesProduct } from '../../domain/episodes.ts';
import { stopReasonOfOrder } from '../../domain/sequence/ending.ts';
import type { Identity, ScopedKey } from './identities.ts';
import type { Found } from './lock-named.ts';
import type { OrderWorld } from './order-world.ts';
import type { OrderWrites } from './write-order.ts';

type OrderPlaced = Extract<DomainEvent, { type: 'order.placed' }>;

/** What is known when a purchase is decided about. Its identities find one person at most. */
export interface OrderFacts {
  /** Those that name somebody: without the ones that too many are said to have. */
  identities: Identity[];
  keys: ScopedKey[];
  /** Whom the order reaches, and who shares nothing but its number. */
  found: Pick<Found, 'reached' | 'near'>;
  world: OrderWorld;
  chosen: ChosenContact | null;
  /** What an order without a number of its own is known by. */
  deliveryId: string;
}

type Run = OrderWorld['open'][number];

/**
 * A purchase: the matched carts are bought for good, all cart enrollments of the persons stop, the matched one as `purchased`. By token
 * always; by identity only what is older than the order. Carts of others who share the order's number stop when a product is the same: the
 * same purchase under another address. Nothing is read and nothing written here.
 * Source: docs/rules.md#rule-11
 */
export function decideOrder(event: OrderPlaced, facts: OrderFacts): OrderWrites {
  const { identities, world, chosen, found } = facts;
  const atMs = event.occurredAtMs;
  const { noRevenue } = event.order;
  const known = world.contacts.find((c) => c.id === chosen?.contactId);
  const buyerId = identities.length === 0 ? null : (known?.id ?? uuidv7());
  const told = known?.details ?? noDetails;
  const details = foldDetails(told, event.person, atMs);
  const fresh = buyerId !== null && known === undefined ? { identities, lastSeenAt: null, lastOrderAt: atMs } : null;
  const rewritten = known !== undefined && !isDeepStrictEqual(details, told);

  const subjects = boughtSubjects(world, atMs);
  // The order came before its cart: the converted subject waits here and absorbs whatever the cart's events say later.
  const cartToCome = world.subjects.length === 0 && facts.keys.length > 0 ? { id: uuidv7(), contactId: buyerId } : null;
  const matched = cartToCome === null ? subjects : [cartToCome];
  const isMatch = (run: { subjectId: string }) => matched.some((s) => s.id === run.subjectId);
  const personOf = new Map(world.contacts.map((c) => [c.id, c.personId]));
  const isReached = (run: Run) => found.reached.includes(personOf.get(run.contactId) ?? '');
  const own = world.open.filter((run) => isReached(run) && (isMatch(run) || run.startedAt <= atMs));
  const bought = event.order.products.length > 0 ? event.order.products : subjects.flatMap((s) => s.items);
  const others = world.open.filter((run) => !isReached(run) && run.startedAt <= atMs && sharesProduct(run.items, bought));

  const reached = world.contacts.filter((c) => found.reached.includes(c.personId));
  const persons = [...new Set(reached.map((c) => c.personId))];
  // A contact that is written anyway, and is its person's root, carries the order along.
  const written = rewritten && known.personId === known.id ? known.id : null;
  return {
    atMs,
    owner:
      buyerId === null || (fresh === null && !rewritten)
        ? null
        : { id: buyerId, details, lifecycle: known?.lifecycle ?? 'NEW', fresh, ...(written === null ? {} : { lastOrderAt: atMs }) },
    consents: consentsOf(event, buyerId, world),
    buyers: persons.filter((id) => id !== written),
    cartToCome,
    keys: cartToCome === null ? [] : facts.keys,
    bought: subjects.map((s) => s.id),
    products: event.order.products.map(({ title, productId }) => ({ title, productId })),
    ends: [
      ...own.map((run) => ({ id: run.id, reason: stopReasonOfOrder({ activated: run.activatedAt !== null, matched: isMatch(run), noRevenue }) })),
      ...others.map((run) => ({
        id: run.id,
        reason: stopReasonOfOrder({ activated: true, matched: false, noRevenue }),
        data: { evidence: 'same_number_and_product' },
      })),
    ],
    order: {
      externalId: event.order.externalId ?? `delivery:${facts.deliveryId}`,
      currency: event.order.currency,
      totalMinor: event.order.totalMinor,
      noRevenue,
      contactId: buyerId ?? matched.find((s) => s.contactId !== null)?.contactId ?? null,
      subjectId: matched[0]?.id ?? null,
      // A sequence that had run to its end, gave way to a newer cart or was ended by a test order, is still credited when its own cart is bought.
      enrollmentId:
        own.findLast((run) => isMatch(run) && run.activatedAt !== null)?.id ??
        world.completed.find((run) => run.subjectId === matched[0]?.id)?.id ??
        null,
    },
    covered: [...reached.map((c) => c.id), ...others.map((run) => run.contactId), ...(fresh === null || buyerId === null ? [] : [buyerId])],
  };
}

/**
 * The carts that the order is about. A known order keeps its cart; one that is older than the cart which has its keys now is about the one
 * that had them before.
 */
function boughtSubjects(world: OrderWorld, atMs: number): OrderWorld['subjects'] {
  if (world.order !== null && world.order.subjectId !== null) return world.subjects.filter((s) => s.id === world.order?.subjectId);
  const previous = new Set(world.subjects.map((s) => s.previousSubjectId));
  const current = world.subjects.filter((s) => !previous.has(s.id));
  return current.map((s) =>
    s.startedAt > atMs && s.previousSubjectId !== null ? (world.subjects.find((p) => p.id === s.previousSubjectId) ?? s) : s,
  );
}

function consentsOf(event: OrderPlaced, buyerId: string | null, world: OrderWorld): OrderWrites['consents'] {
  if (buyerId === null) return [];
  const known = world.consents.filter((c) => c.contactId === buyerId);
  return newStatements(event.person.consents, event.occurredAtMs, known).map((statement) => ({ contactId: buyerId, ...statement }));
}
