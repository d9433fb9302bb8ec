import type { CartOrigin, DomainEvent, LineItem } from './events.ts';
import type { EpochMs } from './sequence/plan.ts';

/** A cart as it was last heard of. Money in minor units of `currency`. */
export interface CartContent {
  /** null: unknown, and then every amount is. */
  currency: string | null;
  totalMinor: number | null;
  items: LineItem[];
  /** Where the shopper finds the cart again; null: no event told. */
  restoreUrl: string | null;
  /** The address that the cart was left with, normalised: the latest that its events gave. */
  email: string | null;
  emailAt: EpochMs | null;
  phone: string | null;
  phoneAt: EpochMs | null;
  origin: CartOrigin | null;
  startedAt: EpochMs;
  lastActivityAt: EpochMs;
}

/** A cart that was heard of before. */
export interface KnownContent extends CartContent {
  state: 'open' | 'converted' | 'gone';
}

type CartUpdated = Extract<DomainEvent, { type: 'cart.updated' }>;

/** How an event names the shopper, normalised; null: it does not, or not usably. */
export interface CartAddress {
  email: string | null;
  phone: string | null;
}

/**
 * Fold what an event says into a cart, by the provider's clock: an older event changes only what no newer one has told.
 * @param known - null: the cart was not heard of before
 */
export function foldCart(known: KnownContent | null, event: CartUpdated, address: CartAddress): CartContent {
  const { currency, totalMinor, items, restoreUrl, origin, createdAtMs } = event.cart;
  // ISO 4217 reserves XXX for "no currency": all that an emptied cart has.
  const ownCurrency = currency === 'XXX' ? (known?.currency ?? null) : currency;
  if (known === null) {
    return {
      currency: ownCurrency,
      totalMinor,
      items,
      restoreUrl,
      origin,
      ...foldAddress(null, address, event.occurredAtMs),
      startedAt: createdAtMs,
      lastActivityAt: event.occurredAtMs,
    };
  }
  const newer = isNewer(event, known.lastActivityAt);
  // An order or a deletion that came before its cart knows nothing of what was in it. An open cart that is empty was emptied.
  const told = known.state === 'open' || known.items.length > 0 || (known.totalMinor ?? 0) > 0;
  return {
    ...(newer || !told
      ? { currency: ownCurrency, totalMinor, items }
      : { currency: known.currency, totalMinor: known.totalMinor, items: known.items }),
    // A link once known stays: carts/update never carries one.
    restoreUrl: newer ? (restoreUrl ?? known.restoreUrl) : (known.restoreUrl ?? restoreUrl),
    origin: newer ? (origin ?? known.origin) : (known.origin ?? origin),
    ...foldAddress(known, address, event.occurredAtMs),
    startedAt: Math.min(known.startedAt, createdAtMs),
    lastActivityAt: Math.max(known.lastActivityAt, event.occurredAtMs),
  };
}

/** Of two events of one instant the later arrival counts; a clock of whole seconds cannot tell more than the second. */
function isNewer(event: Pick<CartUpdated, 'occurredAtMs' | 'toTheSecond'>, knownMs: EpochMs): boolean {
  if (event.occurredAtMs >= knownMs) return true;
  return event.toTheSecond === true && Math.floor(event.occurredAtMs / 1_000) === Math.floor(knownMs / 1_000);
}

type AddressFields = Pick<CartContent, 'email' | 'emailAt' | 'phone' | 'phoneAt'>;

/** Address and number each have a time of their own: an event without one takes none away. */
function foldAddress(known: AddressFields | null, { email, phone }: CartAddress, atMs: EpochMs): AddressFields {
  const emailWins = email !== null && (known?.emailAt == null || atMs >= known.emailAt);
  const phoneWins = phone !== null && (known?.phoneAt == null || atMs >= known.phoneAt);
  return {
    email: emailWins ? email : (known?.email ?? null),
    emailAt: emailWins ? atMs : (known?.emailAt ?? null),
    phone: phoneWins ? phone : (known?.phone ?? null),
    phoneAt: phoneWins ? atMs : (known?.phoneAt ?? null),
  };
}
