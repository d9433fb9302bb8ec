import type { DomainEvent } from '../../events.ts';
import { foldAddress, foldTimes, isNewer } from '../fold.ts';
import type { Folded, Subject, SubjectAddress, SubjectReport } from '../kind.ts';
import type { CartDetails } from './details.ts';

/** What an event says about a cart. */
export type CartReport = Extract<DomainEvent, { type: 'cart.updated' }>['cart'];

/** Fold what an event says into a cart, by the provider's clock. @see SubjectKind.fold */
export function fold(known: Subject<CartDetails> | null, event: SubjectReport<CartReport>, address: SubjectAddress): Folded<CartDetails> {
  const { currency, totalMinor, items, restoreUrl, origin, createdAtMs } = event.report;
  // ISO 4217 reserves XXX for "no currency": all that an emptied cart has.
  const ownCurrency = currency === 'XXX' ? (known?.currency ?? null) : currency;
  const rest = { ...foldAddress(known, address, event.occurredAtMs), ...foldTimes(known, createdAtMs, event.occurredAtMs) };
  if (known === null) return { currency: ownCurrency, valueMinor: totalMinor, details: { items, restoreUrl, origin, bought: null }, ...rest };
  const newer = isNewer(event, known.lastActivityAt);
  const { details } = known;
  // An order or a deletion that arrived before its cart does not say what was in it. An open cart without items was emptied.
  const isKnown = known.state === 'open' || details.items.length > 0 || (known.valueMinor ?? 0) > 0;
  const replaced = newer || !isKnown;
  return {
    currency: replaced ? ownCurrency : known.currency,
    valueMinor: replaced ? totalMinor : known.valueMinor,
    details: {
      items: replaced ? items : details.items,
      // A link once known stays: carts/update never carries one.
      restoreUrl: newer ? (restoreUrl ?? details.restoreUrl) : (details.restoreUrl ?? restoreUrl),
      origin: newer ? (origin ?? details.origin) : (details.origin ?? origin),
      bought: details.bought,
    },
    ...rest,
  };
}
