import type { LineItem } from '../../events.ts';
import type { BaseSegment, SegmentModifier, SegmentThresholds } from '../../people/segments.ts';

/** `sequence_type` of the merchant's record, in the order in which figures list them. */
export const sequenceTypes = ['first_time', 'returning', 'high_value', 'low_stock'] as const;
export type SequenceType = (typeof sequenceTypes)[number];

/**
 * The modifiers of a cart. A sold-out product is not low on stock: "only a few left" would be untrue.
 */
export function segmentModifiers(
  items: readonly Pick<LineItem, 'stock'>[],
  { lowStockAt }: Pick<SegmentThresholds, 'lowStockAt'>,
): SegmentModifier[] {
  return items.some(({ stock }) => stock !== null && stock > 0 && stock <= lowStockAt) ? ['LOW_STOCK'] : [];
}

/** The segment that merchants see: the base, or `low_stock` where the base is RETURNING. */
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
