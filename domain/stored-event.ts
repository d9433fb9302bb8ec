import type { DomainEvent, LineItem, PersonDetails, ReportedConsent } from './events.ts';

/**
 * An event as an earlier build stored it, in the shape of this one. Deliveries that were stored before an upgrade are applied after it, and backtests
 * read months of them. A field that came later means there what its absence meant then.
 *
 * Whoever adds a field to `DomainEvent` that may not be absent says here what it is in stored events.
 * @returns never throws: one row that no build can have written would keep all that are read with it from being applied. It comes back as it is, and whoever
 * applies it fails at it alone
 */
export function fromStored(event: DomainEvent): DomainEvent {
  try {
    return completed(event);
  } catch {
    return event;
  }
}

function completed(event: DomainEvent): DomainEvent {
  switch (event.type) {
    case 'cart.updated':
      return {
        ...event,
        person: personFrom(event.person),
        cart: { ...{ origin: null, completed: false }, ...event.cart, items: event.cart.items.map(itemFrom) },
      };
    case 'order.placed':
      return { ...event, person: personFrom(event.person), order: { ...{ products: [], noRevenue: null }, ...event.order } };
    case 'contact.updated':
    case 'lead.created':
      return { ...event, person: personFrom(event.person) };
    case 'contact.opted_out':
      return { ...{ basis: 'person' as const }, ...event };
    case 'contact.opted_in':
      return { ...{ basis: 'person' as const, confirmed: false }, ...event };
    default:
      return event;
  }
}

const itemFrom = (item: LineItem): LineItem => ({ ...{ compareAtMinor: null, productId: null }, ...item });

const personFrom = (person: PersonDetails): PersonDetails => ({
  ...person,
  consents: person.consents.map((consent): ReportedConsent => ({ ...{ basis: 'box' as const, atMs: null }, ...consent })),
});
