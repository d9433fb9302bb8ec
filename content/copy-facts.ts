import type { WrittenWords } from '../domain/composition/words.ts';
import type { CallConfiguration } from '../domain/channels/index.ts';
import type { Claims } from '../domain/claims/index.ts';
import type { BaseSegment } from '../domain/people/segments.ts';
import type { AnySubjectKind } from '../domain/subjects/index.ts';
import type { TenantSettings } from '../domain/tenant-settings.ts';

/** What customers said about one of the subject's products. Present only where it was read from a review source and is still fresh. */
export interface ReviewFacts {
  productTitle: string;
  /** Mean rating, 1 to 5. */
  averageOfFive: number;
  count: number;
  quote: { text: string; author: string | null } | null;
}

/** The shop as its messages show it. Notes are the merchant's own sentences, shown as they are; null: the message makes no such statement. */
export interface StoreFacts {
  name: string;
  url: string;
  logoUrl: string | null;
  /** Required by CAN-SPAM in every email; line breaks are allowed. An email without one is refused. */
  postalAddress: string;
  supportEmail: string | null;
  /** `#rrggbb` or `#rgb`; anything else falls back to the house colour. */
  brandColor: string;
  /** BCP 47; used for prices where the contact's locale is missing or unusable. */
  locale: string | null;
  shippingNote: string | null;
  returnsNote: string | null;
  /** Units at or below which the real number may be named. */
  lowStockThreshold: number;
}

/** What a message is about. */
export interface SubjectFacts {
  kind: AnySubjectKind;
  /** As the kind's own schema reads them. */
  details: unknown;
  /** Minor units of `currency`; null: the source has no total. */
  valueMinor: number | null;
  /** ISO 4217; null: unknown, and then no amount is shown. */
  currency: string | null;
}

/** A discount that the person was granted. */
export interface OfferFacts {
  code: string;
  percentOff: number;
  /** Epoch milliseconds: until then the code is valid. */
  endsAtMs: number;
  /** IANA, the person's likeliest: the end is told on their clock. */
  timeZone: string;
}

/**
 * Everything that a message may say, on whatever channel. Copy states nothing that is not in here, and every sentence built on a nullable fact
 * is left out where the fact is null. The caller is responsible for freshness: a stale stock, review or note is passed as null.
 */
export interface CommonFacts {
  store: StoreFacts;
  contact: {
    firstName: string | null;
    /** BCP 47. */
    locale: string | null;
    /** IANA; absent: not known. */
    timeZone?: string | null;
  };
  subject: SubjectFacts;
  segment: BaseSegment;
  /** What may be claimed now; absent: `reviews`, and what the subject says of its stock, are taken as they are. */
  claims?: Claims;
  reviews: ReviewFacts | null;
  /** Granted to this person with this very message; null: there is none, and copy promises no discount. */
  offer: OfferFacts | null;
  /** What a model has written, for the layout that is made for it; absent: the text's own words. */
  words?: WrittenWords;
  /** Demo traffic: the message carries a visible label. */
  synthetic: boolean;
  /** The id of this very message, for links to pages of others; absent: it has none yet. */
  subId?: string;
}

/** The input from which a channel composes a message. */
export interface CopyFacts extends CommonFacts {
  contact: CommonFacts['contact'] & { lastName: string | null };
  /** The tenant's settings: each channel takes from them how its messages are signed. */
  settings: TenantSettings;
  /** Links of this very message, absolute and signed. */
  links: MessageLinks;
  /** Nothing has gone to the person on this channel before. */
  isFirst: boolean;
  /** The person wrote by WhatsApp in the last 24 hours, so that free text may be sent there; absent: they did not. */
  inServiceWindow?: boolean;
  /** How the campaign makes its calls; absent: it does not say, or there is none. */
  callConfiguration?: Partial<CallConfiguration>;
  sendKey: { enrollmentId: string; stepId: string };
  /** Epoch milliseconds. */
  nowMs: number;
}

/** Each link is signed when it is read. */
export interface MessageLinks {
  /** Back to the subject; the click is counted. */
  click(): string;
  /** The same, as short as is safe. */
  short(): string;
  /** A picture that reports the open; null: opens are not tracked. */
  open(): string | null;
  unsubscribe(): string;
}
