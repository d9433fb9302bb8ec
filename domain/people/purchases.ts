import type { PurchaseHistory } from './segments.ts';

/** Orders known from the store's own events, in one currency; '' where their value is not known. */
export interface OwnOrders {
  currency: string;
  /** That were not cancelled, and are revenue. */
  orders: number;
  /** After refunds, minor units. */
  netMinor: number;
}

/**
 * What a customer has bought: what their shop says, or what its orders add up to, whichever is more. A shop's figure may be old or missing, and orders
 * from before the connection are known to the shop alone.
 * @param currency - the store's; null: it has named none, and orders in one currency alone are added up
 */
export function withOwnOrders(said: PurchaseHistory, own: readonly OwnOrders[], currency: string | null): PurchaseHistory {
  if (own.length === 0) return said;
  const orders = own.reduce((sum, each) => sum + each.orders, 0);
  const valued = own.filter((each) => each.currency !== '');
  const counted = currency === null ? (valued.length === 1 ? valued : []) : valued.filter((each) => each.currency === currency);
  const netMinor = counted.length === 0 ? null : counted.reduce((sum, each) => sum + each.netMinor, 0);
  return { orderCount: more(said.orderCount, orders), lifetimeValueMinor: more(said.lifetimeValueMinor, netMinor) };
}

const more = (a: number | null, b: number | null) => (a === null || b === null ? (a ?? b) : Math.max(a, b));

/** What became of the messages that went to a person on one channel. */
export interface Engagement {
  channel: string;
  sent: number;
  opened: number;
  clicked: number;
}
