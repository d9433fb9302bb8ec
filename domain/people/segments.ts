import type { LineItem } from '../events.ts';

export type BaseSegment = 'FIRST_TIME' | 'HIGH_VALUE' | 'RETURNING';
/** Composes with any base segment; adds sentences to the copy, replaces nothing. */
export type SegmentModifier = 'LOW_STOCK';
export const segmentNames = ['FIRST_TIME', 'HIGH_VALUE', 'RETURNING', 'LOW_STOCK'] as const satisfies readonly (BaseSegment | SegmentModifier)[];
export type Segment = (typeof segmentNames)[number];

/** `sequence_type` of the merchant's record (S1-4): one value, stored when the enrollment starts. */
export type SequenceType = 'first_time' | 'returning' | 'high_value' | 'low_stock';

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
 * The base segment of a cart's customer, checked in this order: FIRST_TIME, HIGH_VALUE, RETURNING.
 * @param customer - null: the cart has none
 * Source: requirement S1-3
 */
export function baseSegment(customer: PurchaseHistory | null, { highValueMinor }: Pick<SegmentThresholds, 'highValueMinor'>): BaseSegment {
  const lifetimeValueMinor = customer?.lifetimeValueMinor ?? 0;
  // Without an order count, money spent is the only sign of an earlier order.
  const orderCount = customer?.orderCount ?? (lifetimeValueMinor > 0 ? 1 : 0);
  if (orderCount <= 0) return 'FIRST_TIME';
  return lifetimeValueMinor > highValueMinor ? 'HIGH_VALUE' : 'RETURNING';
}

/**
 * The modifiers of a cart. Sold out is not low: "only a few left" would be untrue.
 * Source: requirement S1-3
 */
export function segmentModifiers(
  items: readonly Pick<LineItem, 'stock'>[],
  { lowStockAt }: Pick<SegmentThresholds, 'lowStockAt'>,
): SegmentModifier[] {
  return items.some(({ stock }) => stock !== null && stock > 0 && stock <= lowStockAt) ? ['LOW_STOCK'] : [];
}

/** The one value that merchants see: the base, or `low_stock` where the base is RETURNING. Source: requirements S1-3, S1-4 */
export function sequenceType(segment: BaseSegment, modifiers: readonly SegmentModifier[]): SequenceType {
  switch (segment) {
    case 'FIRST_TIME':
      return 'first_time';
    case 'HIGH_VALUE':
      return 'high_value';
    case 'RETURNING':
      return modifiers.includes('LOW_STOCK') ? 'low_stock' : 'returning';
  }
}
