import type { LineItem } from '../domain/events.ts';
import { brandColorOf, textColorOn } from './brand-color.ts';
import type { EmailFacts, ReviewFacts } from './email-facts.ts';
import { formatMoney, usableLocale } from './money.ts';
import { cleanLine, initialOf } from './plain-text.ts';
import { webUrl } from './web-url.ts';

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
  imageUrl: string | null;
  url: string;
  initial: string | null;
}

/**
 * The variables that copy and layout may use, formatted and cleaned; null: not known, to be asked with `if`. Published versions
 * keep their templates, so a name in here is never renamed or removed, only added.
 */
export interface EmailView {
  store: {
    name: string;
    url: string;
    logoUrl: string | null;
    postalAddress: string;
    supportEmail: string | null;
    brandColor: string;
    brandTextColor: string;
    shippingNote: string | null;
    returnsNote: string | null;
  };
  contact: { firstName: string | null };
  cart: {
    /** The first six; `moreCount` are left. */
    items: ItemView[];
    moreCount: number;
    count: number;
    total: string | null;
    /** Something of it has a known price: there is a column of amounts. */
    hasAmounts: boolean;
    /** The restore link, else the store. */
    url: string;
    canRestore: boolean;
    /** Title of the first product, short enough for a subject. */
    leadTitle: string | null;
    /** Products besides the first. */
    otherCount: number;
  };
  segment: EmailFacts['segment'];
  /** Set only with the modifier LOW_STOCK and a known number of units, 1 or more. */
  lowStock: { title: string; left: number } | null;
  reviews: { productTitle: string; average: string; count: string; quote: string | null; author: string | null } | null;
  unsubscribeUrl: string;
  openPixelUrl: string | null;
  synthetic: boolean;
}

/** A fact without which a mail must not go out is missing. Programs act on `code`. */
export class EmailFactsError extends Error {
  readonly code: 'missing_postal_address' | 'bad_unsubscribe_url' | 'bad_store_url';

  constructor(code: EmailFactsError['code'], message: string) {
    super(message);
    this.name = 'EmailFactsError';
    this.code = code;
  }
}

/**
 * Turn facts into what templates print: prices formatted, strings cleaned, addresses checked.
 * @throws EmailFactsError where the postal address, the unsubscribe link or the store's address is missing
 */
export function emailView(facts: EmailFacts): EmailView {
  const { store, contact, cart } = facts;
  const locale = usableLocale([contact.locale, store.locale]);
  const storeUrl = webUrl(store.url);
  if (storeUrl === null) throw new EmailFactsError('bad_store_url', 'The store has no http(s) address.');
  const unsubscribeUrl = webUrl(facts.unsubscribeUrl);
  if (unsubscribeUrl === null) throw new EmailFactsError('bad_unsubscribe_url', 'The unsubscribe link is no http(s) address.');
  const postalAddress = postalLine(store.postalAddress);
  if (postalAddress === null) throw new EmailFactsError('missing_postal_address', 'The store has no postal address; mails must show one (CAN-SPAM).');

  const restoreUrl = webUrl(cart.restoreUrl);
  const cartUrl = restoreUrl ?? storeUrl;
  const brandColor = brandColorOf(store.brandColor);
  const items = cart.items.slice(0, itemsShown).map((item) => itemView(item, cart.currency, locale, cartUrl));
  // A total of nothing beside priced products is a source without totals.
  const total = cart.totalMinor === 0 ? null : formatMoney(cart.totalMinor, cart.currency, locale);
  return {
    store: {
      name: cleanLine(store.name, 60) ?? new URL(storeUrl).hostname,
      url: storeUrl,
      logoUrl: webUrl(store.logoUrl),
      postalAddress,
      supportEmail: mailAddress(store.supportEmail),
      brandColor,
      brandTextColor: textColorOn(brandColor),
      shippingNote: cleanLine(store.shippingNote, 400),
      returnsNote: cleanLine(store.returnsNote, 400),
    },
    contact: { firstName: firstNameOf(contact.firstName) },
    cart: {
      items,
      moreCount: Math.max(0, cart.items.length - itemsShown),
      count: cart.items.length,
      total,
      hasAmounts: total !== null || items.some(({ price }) => price !== null),
      url: cartUrl,
      canRestore: restoreUrl !== null,
      leadTitle: cleanLine(cart.items[0]?.title ?? null, 42),
      otherCount: Math.max(0, cart.items.length - 1),
    },
    segment: facts.segment,
    lowStock: facts.modifiers.includes('LOW_STOCK') ? lowStockOf(cart.items, store.lowStockThreshold) : null,
    reviews: reviewsView(facts.reviews, locale),
    unsubscribeUrl,
    openPixelUrl: webUrl(facts.openPixelUrl),
    synthetic: facts.synthetic,
  };
}

function itemView(item: LineItem, currency: string | null, locale: string, cartUrl: string): ItemView {
  const title = cleanLine(item.title, 120);
  // Shops sell by the metre and by the gram: 0.5 and 0.125 are quantities.
  const quantity = Number.isFinite(item.quantity) && item.quantity >= 0.000_001 ? item.quantity : null;
  const ofLine = (minor: number) => formatMoney(Math.round(minor * (quantity ?? 1)), currency, locale);
  const unitPrice = formatMoney(item.priceMinor, currency, locale);
  const price = item.priceMinor === null ? null : ofLine(item.priceMinor);
  return {
    title,
    variant: variantOf(item.variant),
    quantity: quantity === null ? null : new Intl.NumberFormat(locale, { maximumFractionDigits: quantity < 1 ? 6 : 3 }).format(quantity),
    unitPrice: quantity === null || quantity === 1 || unitPrice === price ? null : unitPrice,
    price,
    compareAt: isReduced(item) && price !== null ? ofLine(item.compareAtMinor) : null,
    imageUrl: webUrl(item.imageUrl),
    url: webUrl(item.productUrl) ?? cartUrl,
    initial: initialOf(title),
  };
}

/** Carts that were stored before prices could be compared have no `compareAtMinor` at all. */
function isReduced(item: LineItem): item is LineItem & { priceMinor: number; compareAtMinor: number } {
  const before: number | null | undefined = item.compareAtMinor;
  return typeof before === 'number' && item.priceMinor !== null && before > item.priceMinor;
}

/** The scarcest product with a known number of units at or below the threshold; none left is no reason to hurry anyone. */
function lowStockOf(items: LineItem[], threshold: number): EmailView['lowStock'] {
  let scarcest: EmailView['lowStock'] = null;
  for (const { title, stock } of items) {
    const name = cleanLine(title, 80);
    if (name === null || stock === null || !Number.isSafeInteger(stock) || stock < 1 || stock > threshold) continue;
    if (scarcest === null || stock < scarcest.left) scarcest = { title: name, left: stock };
  }
  return scarcest;
}

function reviewsView(reviews: ReviewFacts | null, locale: string): EmailView['reviews'] {
  const productTitle = cleanLine(reviews?.productTitle ?? null, 80);
  if (reviews === null || productTitle === null) return null;
  if (!(reviews.averageOfFive >= 1 && reviews.averageOfFive <= 5) || !Number.isSafeInteger(reviews.count) || reviews.count < 1) return null;
  return {
    productTitle,
    average: new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(reviews.averageOfFive),
    count: new Intl.NumberFormat(locale).format(reviews.count),
    quote: cleanLine(reviews.quote?.text ?? null, 280),
    author: cleanLine(reviews.quote?.author ?? null, 60),
  };
}

/**
 * A first name that may be greeted. Sign-up forms are abused to send advertising through a shop's mails ("Hi win-big.example/x"),
 * so whatever looks like an address, or has no letter, or is longer than a name, is no name.
 */
function firstNameOf(value: string | null): string | null {
  const name = cleanLine(value, 60);
  if (name === null || !/\p{L}/u.test(name) || name.length > 40) return null;
  if (/[/\\@]|www\.|\p{L}\.\p{L}{2,}/iu.test(name) || /^(null|undefined|n\/a|none)$/i.test(name)) return null;
  return name;
}

/** Shopify's name for the only variant of a product without variants; it says nothing to a shopper. */
function variantOf(value: string | null): string | null {
  const variant = cleanLine(value, 80);
  return variant === 'Default Title' ? null : variant;
}

function mailAddress(value: string | null): string | null {
  const address = cleanLine(value, 254);
  return address !== null && /^[^\s@<>"'?&]+@[^\s@<>"'?&]+$/.test(address) ? address : null;
}

function postalLine(value: string): string | null {
  const lines = value.split(/[\r\n]+/).map((line) => cleanLine(line.replace(/,\s*$/, ''), 120));
  const joined = lines.filter((line) => line !== null).join(', ');
  return joined === '' ? null : joined;
}
