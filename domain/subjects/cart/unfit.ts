import type { CartOrigin, LineItem } from '../../events.ts';
import type { TenantSettings } from '../../tenant-settings.ts';
import type { Folded } from '../kind.ts';
import type { CartDetails } from './details.ts';
import type { CartReport } from './fold.ts';

const places: Record<CartOrigin, string> = {
  web: 'in the web shop',
  point_of_sale: 'at the point of sale',
  draft: 'by the staff, as a draft',
  marketplace: 'on a marketplace',
  other: 'outside the web shop',
};

/** Why no sequence may begin about a cart. Source: docs/rules.md#rule-18 */
export function unfit(
  { details, valueMinor }: Pick<Folded<CartDetails>, 'details' | 'valueMinor'>,
  { recoverFrom }: Pick<TenantSettings, 'recoverFrom'>,
  report: Pick<CartReport, 'completed'> | null,
): string | null {
  if (report?.completed === true) return 'the shop calls it completed';
  if (isWorthNothing({ items: details.items, totalMinor: valueMinor })) return 'there is nothing in it that costs anything';
  if (details.origin !== null && !recoverFrom.includes(details.origin))
    return `it was filled ${places[details.origin]}, which this store does not recover`;
  return null;
}

/**
 * Only free samples, or no readable items: there is nothing to recover. A total of zero beside priced items means that the source sends no
 * totals.
 */
function isWorthNothing({ items, totalMinor }: { items: readonly Pick<LineItem, 'priceMinor'>[]; totalMinor: number | null }): boolean {
  if (items.length === 0) return (totalMinor ?? 0) === 0;
  return totalMinor === 0 && items.every((item) => item.priceMinor === 0);
}
