import type { LineItem } from '../domain/events.ts';

/** What customers said about one of the cart's products. Present only where it was read from a review source and is still fresh. */
export interface ReviewFacts {
  productTitle: string;
  /** Mean rating, 1 to 5. */
  averageOfFive: number;
  count: number;
  quote: { text: string; author: string | null } | null;
}

/** The shop as its mails show it. Notes are the merchant's own sentences, shown as they are; null: the mail makes no such statement. */
export interface StoreFacts {
  name: string;
  url: string;
  logoUrl: string | null;
  /** Required by CAN-SPAM; line breaks are allowed. A mail without one is refused. */
  postalAddress: string;
  supportEmail: string | null;
  /** `#rrggbb` or `#rgb`; anything else falls back to the house colour. */
  brandColor: string;
  /** BCP 47; used for prices where the contact's locale is missing or unusable. */
  locale: string | null;
  shippingNote: string | null;
  returnsNote: string | null;
  /** Units at or below which the real number may be named (S1-3; default of the product: 5). */
  lowStockThreshold: number;
}

/**
 * Everything a mail may say. Copy states nothing that is not in here, and every sentence built on a nullable fact is left out
 * where the fact is null (fact-gated copy: requirements, section 5). The caller answers for freshness: a stale `stock`, review
 * or note is passed as null.
 */
export interface EmailFacts {
  store: StoreFacts;
  contact: { firstName: string | null; locale: string | null };
  cart: {
    items: LineItem[];
    /** Minor units of `currency`; null: the source has no total. */
    totalMinor: number | null;
    /** ISO 4217; null: unknown, and then no amount is shown. */
    currency: string | null;
    /** Tracked or not; null: the cart cannot be restored and the button leads to the store. */
    restoreUrl: string | null;
  };
  segment: 'FIRST_TIME' | 'HIGH_VALUE' | 'RETURNING';
  modifiers: 'LOW_STOCK'[];
  reviews: ReviewFacts | null;
  /** No offers exist yet; copy promises no discount. */
  offer: null;
  /** Absolute http(s) URL with the signed token. */
  unsubscribeUrl: string;
  /** Absolute URL of a transparent picture that reports the open; null: opens are not tracked. */
  openPixelUrl: string | null;
  /** Demo traffic: the mail carries the visible label "Synthetic demo message". */
  synthetic: boolean;
}
