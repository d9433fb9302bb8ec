import type { DomainEvent, LineItem, ProductRef } from '../../events.ts';
import type { EpochMs } from '../../sequence/plan.ts';

type CartUpdated = Extract<DomainEvent, { type: 'cart.updated' }>;

/** What is kept of a bought cart, to judge later events under its key. */
export interface BoughtCart {
  /** When it was bought, by the provider's clock; null: unknown. */
  convertedAt: EpochMs | null;
  /** The products of the order; null or empty: it named none. */
  bought: ProductRef[] | null;
  /** Its last known items. */
  items: readonly LineItem[];
}

/**
 * Whether an event under the key of a bought cart is about a new cart: shops use a cart's id again after its order. It is one when it is
 * later than the order, the shop does not call it completed, something lies in it, and that is not what was bought. Everything else is a
 * late echo of the bought cart and begins nothing: a message after the purchase is worse than a cart that is not recovered.
 * Source: docs/rules.md#rule-16
 */
export function isNewEpisode(
  cart: BoughtCart,
  event: Pick<CartUpdated, 'occurredAtMs'> & { cart: Pick<CartUpdated['cart'], 'items' | 'completed'> },
): boolean {
  const { items, completed } = event.cart;
  if (completed || items.length === 0 || cart.convertedAt === null) return false;
  // Most shops give an order's time in whole seconds: the cart's last change may have come before it in the same second.
  const boughtByMs = cart.convertedAt % 1_000 === 0 ? cart.convertedAt + 999 : cart.convertedAt;
  if (event.occurredAtMs <= boughtByMs) return false;
  const known = [...(cart.bought ?? []), ...cart.items];
  // Neither the order nor an event before it said what was in the cart: these may be the bought items.
  if (known.length === 0) return false;
  return !items.every((item) => known.some((product) => isSameProduct(product, item)));
}

/** Whether two lines name the same product: by the shop's id where both have one, else by title. */
function isSameProduct(a: ProductRef, b: ProductRef): boolean {
  if (a.productId !== null && b.productId !== null) return a.productId === b.productId;
  const [left, right] = [a, b].map(({ title }) => title.normalize('NFKC').trim().toLowerCase());
  return left !== '' && left === right;
}

/** Whether the two lists have a product in common. */
export function sharesProduct(a: readonly ProductRef[], b: readonly ProductRef[]): boolean {
  return a.some((x) => b.some((y) => isSameProduct(x, y)));
}
