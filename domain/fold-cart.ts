import type { DomainEvent, LineItem } from './events.ts';
import type { EpochMs } from './sequence/plan.ts';

/** A cart as it was last heard of. Money in minor units of `currency`. */
export interface CartContent {
  /** null: unknown, and then every amount is. */
  currency: string | null;
  totalMinor: number | null;
  items: LineItem[];
  /** Where the shopper finds the cart again; null: no event told. */
  restoreUrl: string | null;
  startedAt: EpochMs;
  lastActivityAt: EpochMs;
}

/** A cart that was heard of before. */
export interface KnownContent extends CartContent {
  state: 'open' | 'converted' | 'gone';
}

/**
 * Fold what an event says into a cart, by the provider's clock: an older event changes only what no newer one has told.
 * @param known - null: the cart was not heard of before
 */
export function foldCart(known: KnownContent | null, event: Extract<DomainEvent, { type: 'cart.updated' }>): CartContent {
  const { currency, totalMinor, items, restoreUrl, createdAtMs } = event.cart;
  // An emptied cart has no price and so no currency of its own.
  const ownCurrency = currency === 'XXX' ? (known?.currency ?? 'USD') : currency;
  if (known === null) return { currency: ownCurrency, totalMinor, items, restoreUrl, startedAt: createdAtMs, lastActivityAt: event.occurredAtMs };
  const newer = event.occurredAtMs >= known.lastActivityAt;
  // An order or a deletion that came before its cart knows nothing of what was in it. An open cart that is empty was emptied.
  const told = known.state === 'open' || known.items.length > 0 || (known.totalMinor ?? 0) > 0;
  return {
    ...(newer || !told
      ? { currency: ownCurrency, totalMinor, items }
      : { currency: known.currency, totalMinor: known.totalMinor, items: known.items }),
    // A link once known stays: carts/update never carries one.
    restoreUrl: newer ? (restoreUrl ?? known.restoreUrl) : (known.restoreUrl ?? restoreUrl),
    startedAt: Math.min(known.startedAt, createdAtMs),
    lastActivityAt: Math.max(known.lastActivityAt, event.occurredAtMs),
  };
}
