export const baseSegments = ['FIRST_TIME', 'HIGH_VALUE', 'RETURNING'] as const;
export type BaseSegment = (typeof baseSegments)[number];
/** Added to any base segment; it adds sentences to the copy and replaces none. */
export type SegmentModifier = 'LOW_STOCK';
export const segmentNames = [...baseSegments, 'LOW_STOCK'] as const satisfies readonly (BaseSegment | SegmentModifier)[];
export type Segment = (typeof segmentNames)[number];

/** What the shop knows of a customer. null: it does not say. */
export interface PurchaseHistory {
  orderCount: number | null;
  /** Minor units of the store's currency. */
  lifetimeValueMinor: number | null;
}

export interface SegmentThresholds {
  /** A lifetime value above this, in minor units of the store's currency, is HIGH_VALUE. */
  highValueMinor: number;
  /** Units in stock at or below this are few. */
  lowStockAt: number;
}

/**
 * The base segment of a customer, checked in this order: FIRST_TIME, HIGH_VALUE, RETURNING.
 * @param customer - null: nobody is known
 */
export function baseSegment(customer: PurchaseHistory | null, { highValueMinor }: Pick<SegmentThresholds, 'highValueMinor'>): BaseSegment {
  const lifetimeValueMinor = customer?.lifetimeValueMinor ?? 0;
  // Without an order count, money spent is the only sign of an earlier order.
  const orderCount = customer?.orderCount ?? (lifetimeValueMinor > 0 ? 1 : 0);
  if (orderCount <= 0) return 'FIRST_TIME';
  return lifetimeValueMinor > highValueMinor ? 'HIGH_VALUE' : 'RETURNING';
}
