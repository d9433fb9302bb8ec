import type { CartOrigin, LineItem, ProductRef } from '../../events.ts';
import type { CartDetails } from './details.ts';

/** The columns in which builds before `subjects.details` keep a cart. */
export interface OldColumns {
  items: LineItem[];
  restoreUrl: string | null;
  origin: CartOrigin | null;
  bought: ProductRef[] | null;
}

/** The details of a cart that nobody has written since the column `details` exists. */
export function detailsOfOldColumns({ items, restoreUrl, origin, bought }: OldColumns): CartDetails {
  return { items, restoreUrl, origin, bought };
}
