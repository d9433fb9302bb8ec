import type { EmailFacts } from '../../content/channels/email/view.ts';
import type { ReviewFacts, StoreFacts } from '../../content/copy-facts.ts';
import { subjectKinds } from '../../domain/subjects/index.ts';
import type { LineItem } from '../../domain/events.ts';

/** What the emails of these tests are about. */
export const cartKind = subjectKinds.of('cart');

/** A product of an invented shop. */
export function aProduct(given: Partial<LineItem> = {}): LineItem {
  return {
    title: 'Lambswool Blanket',
    variant: 'Moss',
    quantity: 1,
    priceMinor: 8_900,
    compareAtMinor: null,
    productId: null,
    imageUrl: 'https://shop.example.com/images/blanket.png',
    productUrl: 'https://shop.example.com/products/blanket',
    stock: null,
    ...given,
  };
}

export interface MailGiven {
  firstName?: string | null;
  locale?: string | null;
  items?: LineItem[];
  totalMinor?: number | null;
  currency?: string | null;
  restoreUrl?: string | null;
  modifiers?: 'LOW_STOCK'[];
  segment?: EmailFacts['segment'];
  reviews?: ReviewFacts | null;
  synthetic?: boolean;
  openPixelUrl?: string | null;
  store?: Partial<StoreFacts>;
}

/** Facts of an ordinary email; a test names only what it is about. */
export function aMail(given: MailGiven = {}): EmailFacts {
  const { firstName = 'Robin', locale = 'en-US', store = {}, segment = 'RETURNING', modifiers = [], reviews = null } = given;
  const { items = [aProduct()], totalMinor = 8_900, currency = 'USD', restoreUrl = 'https://shop.example.com/cart/restore' } = given;
  return {
    store: {
      name: 'Juniper & Fold',
      url: 'https://shop.example.com',
      logoUrl: null,
      postalAddress: 'Juniper & Fold, 12 Orchard Lane, Springfield, OR 97477',
      supportEmail: 'hello@shop.example.com',
      brandColor: '#2f5d50',
      locale: 'en-US',
      shippingNote: 'We ship within two working days, and delivery is free from $75.',
      returnsNote: 'You can send anything back within 30 days.',
      lowStockThreshold: modifiers.includes('LOW_STOCK') ? 5 : 0,
      ...store,
    },
    contact: { firstName, locale },
    subject: { kind: cartKind, details: { items, restoreUrl, origin: null, bought: null }, valueMinor: totalMinor, currency },
    subjectUrl: restoreUrl,
    segment,
    reviews,
    offer: null,
    unsubscribeUrl: 'https://mail.example.com/u/token-1',
    openPixelUrl: given.openPixelUrl ?? null,
    synthetic: given.synthetic ?? false,
  };
}
