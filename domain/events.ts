import type { EpochMs } from './sequence/plan.ts';

/** A person as an event names them. Raw as the provider wrote it; `domain/people/identity.ts` normalises. */
export interface PersonRef {
  email: string | null;
  phone: string | null;
  /** The provider's own id of the person: verified, so that different ones are never merged. */
  externalId: string | null;
}

export interface PersonDetails extends PersonRef {
  firstName: string | null;
  lastName: string | null;
  /** BCP 47, e.g. `de-AT`. */
  locale: string | null;
  /** IANA zone, where the provider knows it. */
  timeZone: string | null;
  country: string | null;
  region: string | null;
  orderCount: number | null;
  lifetimeValueMinor: number | null;
  /** What the person said about marketing; absent: the event does not speak of it. */
  consents: { channel: 'email' | 'sms'; state: 'granted' | 'denied' }[];
}

/** One thing that lies in a cart. */
export interface LineItem {
  title: string;
  variant: string | null;
  quantity: number;
  /** Price of one, in minor units of the cart's currency. */
  priceMinor: number;
  imageUrl: string | null;
  productUrl: string | null;
  /** Units in stock; null: the source does not say. */
  stock: number | null;
}

/** A key under which the outside knows a subject: `checkout_token`, `cart_token`, `external` … */
export interface SubjectKey {
  kind: string;
  value: string;
}

interface EventBase {
  /** When it happened by the provider's clock: events are folded by this, not by arrival. */
  occurredAtMs: EpochMs;
}

/**
 * What the outside world tells us, one shape for every integration. A receiver produces these; `operations/accept-event.ts`
 * applies them.
 */
export type DomainEvent =
  | (EventBase & {
      type: 'cart.updated';
      keys: SubjectKey[];
      person: PersonDetails;
      cart: {
        createdAtMs: EpochMs;
        currency: string;
        totalMinor: number;
        items: LineItem[];
        /** Where the shopper finds the cart again; null: the source has none. */
        restoreUrl: string | null;
      };
    })
  | (EventBase & { type: 'cart.deleted'; keys: SubjectKey[] })
  | (EventBase & {
      type: 'order.placed';
      keys: SubjectKey[];
      person: PersonDetails;
      order: { externalId: string; currency: string; totalMinor: number };
    })
  | (EventBase & { type: 'order.cancelled'; order: { externalId: string } })
  | (EventBase & { type: 'contact.updated'; person: PersonDetails })
  | (EventBase & { type: 'message.received'; person: PersonRef; channel: 'email' | 'sms' | 'telegram'; text: string | null })
  | (EventBase & {
      type: 'contact.opted_out';
      person: PersonRef;
      /** null: all channels. */
      channel: 'email' | 'sms' | 'call' | 'push' | null;
      /** A complaint, "stop all" or an operator's mark: DO_NOT_CONTACT, final (rule 13). */
      final: boolean;
      source: string;
    })
  | (EventBase & { type: 'contact.opted_in'; person: PersonRef; channel: 'email' | 'sms' | 'call' | 'push'; source: string; wording: string | null })
  | (EventBase & { type: 'privacy.requested'; topic: 'data_request' | 'redact' | 'shop_redact'; person: PersonRef | null })
  | (EventBase & { type: 'app.uninstalled' });
