import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import type { DomainEvent } from '../../domain/events.ts';
import type { ChosenContact } from '../../domain/people/choose-contact.ts';
import { newStatements } from '../../domain/people/consent.ts';
import { foldDetails, noDetails } from '../../domain/people/fold-details.ts';
import { stopReasonOfOrder } from '../../domain/sequence/ending.ts';
import type { Identity } from './identities.ts';
import type { OrderWorld } from './order-world.ts';
import type { OrderWrites } from './write-order.ts';

type OrderPlaced = Extract<DomainEvent, { type: 'order.placed' }>;

/** What is known when a purchase is decided about. Its identities find one person at most. */
export interface OrderFacts {
  identities: Identity[];
  world: OrderWorld;
  chosen: ChosenContact | null;
}

/**
 * A purchase: the matched carts are bought for good, all cart enrollments of the persons stop, the matched one as `purchased`. By token
 * always; by identity only what is older than the order. Nothing is read and nothing written here.
 * Source: design, section 4, rule 11
 */
export function decideOrder(event: OrderPlaced, { identities, world, chosen }: OrderFacts): OrderWrites {
  const atMs = event.occurredAtMs;
  const known = world.contacts.find((c) => c.id === chosen?.contactId);
  const buyerId = identities.length === 0 ? null : (known?.id ?? uuidv7());
  const told = known?.details ?? noDetails;
  const details = foldDetails(told, event.person, atMs);
  const fresh = buyerId !== null && known === undefined ? { identities, lastSeenAt: null, lastOrderAt: atMs } : null;
  const rewritten = known !== undefined && !isDeepStrictEqual(details, told);

  // The order came before its cart: the converted subject waits here and absorbs whatever the cart's events say later.
  const cartToCome = world.subjects.length === 0 && event.keys.length > 0 ? { id: uuidv7(), contactId: buyerId } : null;
  const matched = cartToCome === null ? world.subjects : [cartToCome];
  const isMatch = (run: { subjectId: string }) => matched.some((s) => s.id === run.subjectId);
  const ending = world.open.filter((run) => isMatch(run) || run.startedAt <= atMs);

  const persons = [...new Set(world.contacts.map((c) => c.personId))];
  // A contact that is written anyway, and is its person's root, carries the order along.
  const written = rewritten && known.personId === known.id ? known.id : null;
  return {
    atMs,
    owner:
      buyerId === null || (fresh === null && !rewritten)
        ? null
        : { id: buyerId, details, lifecycle: known?.lifecycle ?? 'NEW', fresh, ...(written === null ? {} : { lastOrderAt: atMs }) },
    consents:
      buyerId === null
        ? []
        : newStatements(
            event.person.consents,
            atMs,
            world.consents.filter((c) => c.contactId === buyerId),
          ).map((statement) => ({ contactId: buyerId, ...statement })),
    buyers: persons.filter((id) => id !== written),
    cartToCome,
    keys: cartToCome === null ? [] : event.keys,
    bought: world.subjects.map((s) => s.id),
    ends: ending.map((run) => ({ id: run.id, reason: stopReasonOfOrder({ activated: run.activatedAt !== null, matched: isMatch(run) }) })),
    order: {
      externalId: event.order.externalId ?? '',
      currency: event.order.currency,
      totalMinor: event.order.totalMinor,
      contactId: buyerId ?? matched.find((s) => s.contactId !== null)?.contactId ?? null,
      subjectId: matched[0]?.id ?? null,
      // A sequence that had run to its end is still credited when its own cart is bought; its status stays COMPLETED.
      enrollmentId:
        ending.findLast((run) => isMatch(run) && run.activatedAt !== null)?.id ??
        world.completed.find((run) => run.subjectId === matched[0]?.id)?.id ??
        null,
    },
    covered: [...world.contacts.map((c) => c.id), ...(fresh === null || buyerId === null ? [] : [buyerId])],
  };
}
