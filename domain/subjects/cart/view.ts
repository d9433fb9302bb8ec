import type { LineItem } from '../../events.ts';
import type { Subject, ViewTools } from '../kind.ts';
import type { CartDetails } from './details.ts';

const itemsShown = 6;

/** One product of the cart, ready to print. */
export interface ItemView {
  title: string | null;
  variant: string | null;
  quantity: string | null;
  /** Price of one; null where it equals `price`. */
  unitPrice: string | null;
  /** Price of the line, after its discounts; null: unknown. */
  price: string | null;
  /** What the line would have cost before any reduction; null: there is none, or it is unknown. */
  compareAt: string | null;
  /** By how much the price was reduced, e.g. `20%`, rounded down; null: by less than one, or it is unknown. */
  discount: string | null;
  imageUrl: string | null;
  url: string;
  initial: string | null;
}

/** What copy about a cart may use. */
export interface CartView extends Record<string, unknown> {
  cart: {
    /** The first six; `moreCount` are left. */
    items: ItemView[];
    moreCount: number;
    count: number;
    total: string | null;
    /** At least one price is known, so amounts are shown. */
    hasAmounts: boolean;
    /** The restore link, else the store. */
    url: string;
    canRestore: boolean;
    /** Title of the first product, short enough for a subject. */
    leadTitle: string | null;
    /** Products besides the first. */
    otherCount: number;
  };
  /** Set only where stock is low and the number of units is known, 1 or more. */
  lowStock: { title: string; left: number } | null;
}

export function view({ details, valueMinor }: Pick<Subject<CartDetails>, 'details' | 'valueMinor'>, tools: ViewTools): CartView {
  const url = tools.link ?? tools.storeUrl;
  const items = details.items.slice(0, itemsShown).map((item) => itemView(item, url, tools));
  // A total of zero beside priced products means that the source sends no totals.
  const total = valueMinor === 0 ? null : tools.money(valueMinor);
  return {
    cart: {
      items,
      moreCount: Math.max(0, details.items.length - itemsShown),
      count: details.items.length,
      total,
      hasAmounts: total !== null || items.some(({ price }) => price !== null),
      url,
      canRestore: tools.link !== null,
      leadTitle: tools.line(details.items[0]?.title ?? null, 42),
      otherCount: Math.max(0, details.items.length - 1),
    },
    lowStock: lowStockOf(details.items, tools),
  };
}

function itemView(item: LineItem, cartUrl: string, tools: ViewTools): ItemView {
  const title = tools.line(item.title, 120);
  // Shops sell by the metre and by the gram: 0.5 and 0.125 are quantities.
  const quantity = Number.isFinite(item.quantity) && item.quantity >= 0.000_001 ? item.quantity : null;
  // A negative price is invalid, and rounding must not hide that.
  const ofLine = (minor: number) => tools.money(minor < 0 ? null : Math.round(minor * (quantity ?? 1)));
  const unitPrice = tools.money(item.priceMinor);
  const price = item.priceMinor === null ? null : ofLine(item.priceMinor);
  return {
    title,
    variant: variantOf(item.variant, tools),
    quantity: quantity === null ? null : tools.number(quantity, quantity < 1 ? 6 : 3),
    unitPrice: quantity === null || quantity === 1 || unitPrice === price ? null : unitPrice,
    price,
    compareAt: isReduced(item) && price !== null ? ofLine(item.compareAtMinor) : null,
    discount: isReduced(item) && price !== null ? discountOf(item, tools) : null,
    imageUrl: tools.webUrl(item.imageUrl),
    url: tools.webUrl(item.productUrl) ?? cartUrl,
    initial: tools.initial(title),
  };
}

/** Carts that were stored before prices could be compared have no `compareAtMinor` at all. */
function isReduced(item: LineItem): item is LineItem & { priceMinor: number; compareAtMinor: number } {
  const before: number | null | undefined = item.compareAtMinor;
  return typeof before === 'number' && Number.isSafeInteger(before) && item.priceMinor !== null && item.priceMinor >= 0 && before > item.priceMinor;
}

function discountOf({ priceMinor, compareAtMinor }: { priceMinor: number; compareAtMinor: number }, tools: ViewTools): string | null {
  const percent = Math.floor(((compareAtMinor - priceMinor) * 100) / compareAtMinor);
  return percent < 1 ? null : tools.percent(percent / 100);
}

function isLow(stock: number | null, { lowStockAt }: ViewTools): stock is number {
  return stock !== null && Number.isSafeInteger(stock) && stock >= 1 && stock <= lowStockAt;
}

/** The scarcest product with a known number of units at or below the threshold; none left is no reason to hurry anyone. */
function lowStockOf(items: readonly LineItem[], tools: ViewTools): CartView['lowStock'] {
  let scarcest: CartView['lowStock'] = null;
  for (const { title, stock } of items) {
    const name = tools.line(title, 80);
    if (name === null || !isLow(stock, tools)) continue;
    if (scarcest === null || stock < scarcest.left) scarcest = { title: name, left: stock };
  }
  return scarcest;
}

/** Shopify's name for the only variant of a product without variants; it says nothing to a shopper. */
function variantOf(value: string | null, tools: ViewTools): string | null {
  const variant = tools.line(value, 80);
  return variant === 'Default Title' ? null : variant;
}
