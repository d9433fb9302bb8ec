import { z } from 'zod';
import { cartOrigins, type CartOrigin, type LineItem, type ProductRef } from '../../events.ts';

/** The fields that only a cart has. Version 1. */
export interface CartDetails {
  items: LineItem[];
  /** Where the shopper finds the cart again; null: no event gave a link. */
  restoreUrl: string | null;
  /** Where it was filled; null: no event said so. */
  origin: CartOrigin | null;
  /** The products of its order; null: it was not bought, or the order named none. */
  bought: ProductRef[] | null;
}

const maybeText = z.string().nullable().default(null);
const maybeAmount = z.number().nullable().default(null);

// Lenient: a row that an older build wrote lacks the fields that came later.
const lineItem = z.object({
  title: z.string().default(''),
  variant: maybeText,
  quantity: z.number().default(1),
  priceMinor: maybeAmount,
  compareAtMinor: maybeAmount,
  productId: maybeText,
  variantId: z.string().nullable().optional(),
  imageUrl: maybeText,
  productUrl: maybeText,
  stock: maybeAmount,
}) satisfies z.ZodType<LineItem>;

const productRef = z.object({ title: z.string().default(''), productId: maybeText }) satisfies z.ZodType<ProductRef>;

export const cartDetails = z.object({
  items: z.array(lineItem).default([]),
  restoreUrl: maybeText,
  origin: z.enum(cartOrigins).nullable().default(null),
  bought: z.array(productRef).nullable().default(null),
}) satisfies z.ZodType<CartDetails>;
