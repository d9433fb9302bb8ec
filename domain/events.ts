import type { LeadSource } from './campaigns/campaign.ts';
import type { ConversionOutcome } from './conversions/outcome.ts';
import type { ReportedFact } from './facts/report.ts';
import type { AutoReplySign } from './people/auto-reply.ts';
import type { CallWish } from './people/call-wish.ts';
import type { ReportedBehaviour } from './risk/behaviour.ts';
import type { EpochMs } from './sequence/plan.ts';
import type { BotType } from './subjects/lead/bot-type.ts';

/** A person as an event names them. Raw as the provider wrote it; `domain/people/identity.ts` normalises. */
export interface PersonRef {
  email: string | null;
  phone: string | null;
  /** The provider's own id of the person: verified, so that different ones are never merged. */
  externalId: string | null;
  /** Their private chat with the store's Telegram bot: its id, as digits. Absent or null: none is known. */
  telegram?: string | null;
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
  /** What is known about marketing to the person. Nothing is said about a channel that is not listed: an unticked box is no statement. */
  consents: ReportedConsent[];
}

/** Channels about which a form or a shop may state what the person answered. */
export const consentChannels = ['email', 'sms', 'whatsapp', 'call'] as const;

/** One statement about marketing on a channel, as an event carries it. */
export interface ReportedConsent {
  channel: (typeof consentChannels)[number];
  state: 'granted' | 'denied';
  /** `box`: a checkbox of this cart or order. `record`: what the shop has on record about the customer, which counts more (rule 14). */
  basis: 'box' | 'record';
  /** When it was said; null: the event's own time. */
  atMs: EpochMs | null;
  /** What stood beside the box, where the event says it. */
  wording?: string;
}

/** What proves a statement, as far as its source says. Personal data: it is kept with the consent, and shown to the store alone. */
export interface ConsentProof {
  /** Of the wording: `2026-03`, `v4` … */
  wordingVersion?: string;
  ip?: string;
  userAgent?: string;
  /** The page on which it was given. */
  url?: string;
}

/** One thing that lies in a cart. */
export interface LineItem {
  title: string;
  variant: string | null;
  /** More than zero; half a metre is 0.5. */
  quantity: number;
  /** Price of one after the line's discounts, in minor units of the cart's currency; null: unknown. */
  priceMinor: number | null;
  /** Price of one before any reduction, where it is higher than `priceMinor`; null: there is none, or it is unknown. */
  compareAtMinor: number | null;
  /** The shop's own id of the product, so that a cart and an order can be compared; null: the source does not say. */
  productId: string | null;
  /** The shop's own id of the variant, whose stock and price it has; absent or null: the source names none. */
  variantId?: string | null | undefined;
  imageUrl: string | null;
  productUrl: string | null;
  /** Units in stock; null: the source does not say. */
  stock: number | null;
}

/** A key by which its source knows a subject: `checkout_token`, `cart_token`, `external` … */
export interface SubjectKey {
  kind: string;
  value: string;
}

/** A product as an order names it, to be compared with the lines of a cart. */
export type ProductRef = Pick<LineItem, 'title' | 'productId'>;

/** Where a cart was filled. A store says which of these may start a sequence; by default only `web` does. */
export const cartOrigins = ['web', 'point_of_sale', 'draft', 'marketplace', 'other'] as const;
export type CartOrigin = (typeof cartOrigins)[number];

/** Why an order stops a sequence and is no revenue. */
export const noRevenueReasons = ['test', 'cancelled', 'declined'] as const;
export type NoRevenue = (typeof noRevenueReasons)[number];

/** Money given back, in the event's currency. */
export interface OrderRefund {
  id: string;
  amountMinor: number;
  atMs: EpochMs;
  /**
   * Of the amount, what the shop does not take off the order's current total, such as a goodwill amount that is for no line. Negative where
   * the total lost more than was given back, such as a fee that was kept. Absent: the current total contains the refund as it is.
   */
  besidesTotalMinor?: number;
}

/** A message of ours as its provider knows it. */
export interface MessageRef {
  /** The provider's account that took it (`Sender.account`). */
  account: string;
  providerMessageId: string;
  /** The message's own key, where the provider gives back what it was sent: it names the message before its provider's id is stored, and without it. */
  sendKey?: string;
}

/** What a person did in a chat. */
export type ChatAct =
  /** They wrote; `message.received` has the words. Without words it was a picture, a voice message or the like. */
  | { kind: 'text' }
  /** They changed what they had written before. It is a message like any other, and a bot usually leaves it unanswered. */
  | { kind: 'edit' }
  /** They opened the chat. `token`: of the link that led there, up to 64 of A–Z a–z 0–9 _ -; null: a link without one. */
  | { kind: 'start'; token: string | null }
  /** They pressed a button. `value` is what the bot gave it; `queryId` is what the provider wants acknowledged, once, within seconds. */
  | { kind: 'button'; value: string; queryId: string; messageId: string | null }
  /** They shared a contact. `isOwn`: the provider vouches that it is the person's own number; else it may be anybody's. */
  | { kind: 'contact'; phone: string; firstName: string | null; lastName: string | null; isOwn: boolean };

/**
 * A turn of a person in a chat with the store's bot: what a conversation needs beside the message that every turn is. It comes as `chat` of
 * `message.received`, so that a turn stops, ends silences and opts out as a reply on any channel does.
 */
export interface ChatTurn {
  /** The chat, which is the person's address on the channel `telegram`. */
  chatId: string;
  /** Numbers the turns of a bot in their order; a repeat has the same. */
  updateId: number;
  act: ChatAct;
  /** Of the person's own program, BCP 47; null: it does not say. */
  language: string | null;
  firstName: string | null;
  lastName: string | null;
  /** It came while the bot was down: it counts like any other, and the bot does not answer it. */
  late: boolean;
}

interface EventBase {
  /** When it happened by the provider's clock: events are folded by this, not by arrival. */
  occurredAtMs: EpochMs;
  /** The clock has whole seconds only: of two events of one second, the later arrival counts. */
  toTheSecond?: true;
}

/**
 * What has happened outside, in one shape for every integration. Receivers produce these; `operations/effects/` decides what each leads to.
 */
export type DomainEvent =
  | (EventBase & {
      type: 'cart.updated';
      keys: SubjectKey[];
      person: PersonDetails;
      cart: {
        createdAtMs: EpochMs;
        /** ISO 4217; null: unknown, and then every amount is. */
        currency: string | null;
        totalMinor: number | null;
        items: LineItem[];
        /** Where the shopper finds the cart again; null: the source has none. */
        restoreUrl: string | null;
        /** null: the source does not say. */
        origin: CartOrigin | null;
        /** The shop says that this cart was bought: an order follows. It begins no sequence. */
        completed: boolean;
      };
    })
  | (EventBase & { type: 'cart.deleted'; keys: SubjectKey[] })
  /** Somebody asked about something and left an address. Reported again, it fills in what was not known. */
  | (EventBase & {
      type: 'lead.created';
      keys: SubjectKey[];
      person: PersonDetails;
      lead: {
        createdAtMs: EpochMs;
        /** Where the lead came from, as the source names it. */
        source: string | null;
        /** By which way it came in, where `source` is a label of its own; absent or null: `source` says it. */
        via?: LeadSource | null;
        /** What they asked about. */
        interest: string | null;
        message: string | null;
        /** The page about what they asked for. */
        url: string | null;
        /** The area that they asked about, such as a part of a town; absent or null: the source does not say. */
        area?: string | null;
        /** What else they want of it, in words that messages may repeat; absent or null: the source does not say. */
        preferences?: string | null;
        /** Which of the store's bots talks with them; absent or null: the source does not say. */
        botType?: BotType | null;
        currency: string | null;
        /** What it may be worth, as the source estimates. */
        valueMinor: number | null;
        /** The ids under which a tracker knows the click that led to the lead; absent or null: the source does not say. */
        subId?: string | null;
        clickId?: string | null;
        /** Answers for which there is no field, by the names of their questions. */
        attributes?: Readonly<Record<string, string>>;
      };
    })
  /** A colleague has spoken with the lead: from here on a person answers. With `automated`, another system has sent something: that moves the last contact. */
  | (EventBase & {
      type: 'lead.contacted';
      keys: SubjectKey[];
      person: PersonRef;
      /** Who, as the source names them; null: it does not say. */
      by: string | null;
      automated?: true;
      /** What was sent, where its provider names it: a message of ours is no contact. */
      message?: MessageRef;
    })
  /** A viewing, or another appointment, was agreed with the lead or called off; each change is reported. */
  | (EventBase & {
      type: 'viewing.reported';
      keys: SubjectKey[];
      person: PersonRef;
      viewing: {
        /** By which its changes belong together. */
        id: string;
        isOff: boolean;
      };
    })
  /** A tracker says what became of a click that led to a lead, or that a message of ours led to. */
  | (EventBase & {
      type: 'conversion.reported';
      conversion: {
        /** The ids by which the lead may be known: of an attempt, of the lead, or the tracker's own. Never empty. */
        ids: string[];
        /** By which reports belong together: one of `ids`. */
        click: string;
        /** As it was given back to us. */
        subId: string | null;
        clickId: string | null;
        /** Empty: none was given. */
        tid: string;
        /** As stated, in lower case. */
        status: string;
        outcome: ConversionOutcome;
        currency: string | null;
        payoutMinor: number | null;
      };
    })
  /** A subject of a kind that is neither a cart nor a lead. `details` are what that kind's own schema reads. */
  | (EventBase & {
      type: 'subject.reported';
      kind: string;
      keys: SubjectKey[];
      person: PersonDetails;
      subject: { createdAtMs: EpochMs; currency: string | null; valueMinor: number | null; details: unknown };
    })
  /** What an account did, each with its time. The event's own time is the latest of them. */
  | (EventBase & {
      type: 'behaviour.reported';
      keys: SubjectKey[];
      person: PersonDetails;
      account: { createdAtMs: EpochMs; name: string | null; url: string | null };
      behaviour: ReportedBehaviour[];
    })
  | (EventBase & {
      type: 'order.placed';
      keys: SubjectKey[];
      person: PersonDetails;
      order: {
        /** null: the source does not name it. */
        externalId: string | null;
        currency: string | null;
        /** As ordered, before refunds and edits; null: unknown. */
        totalMinor: number | null;
        products: ProductRef[];
        noRevenue: NoRevenue | null;
        /** Discount codes that were redeemed; absent: none, or the source does not say. */
        codes?: string[];
      };
    })
  /** A change of an order after it was placed. It states how the order stands at its time, so it may arrive in any order and more than once. */
  | (EventBase & {
      type: 'order.updated';
      order: {
        externalId: string;
        currency: string | null;
        /** What the order is worth now, after edits and refunds; null: the event does not say. */
        currentTotalMinor: number | null;
        /** Refunds, each known by its own id; not necessarily all of them. */
        refunds: OrderRefund[];
        /** The shop says that the order is not cancelled: this takes back any earlier cancellation. Absent: the event does not say. */
        holds?: true;
      };
    })
  | (EventBase & { type: 'order.cancelled'; order: { externalId: string } })
  | (EventBase & { type: 'contact.updated'; person: PersonDetails })
  /** A receipt. `delivered` is proof that the provider had accepted the message; `failed` says that it never reached the person. */
  | (EventBase & {
      type: 'message.delivered' | 'message.failed';
      message: MessageRef;
      /** The provider's own words or code; null: it gives none. */
      detail: string | null;
      /** `failed`: the address will never take a message, so that nothing more is sent to it. */
      permanent: boolean;
    })
  /** A telephone call is over. */
  | (EventBase & {
      type: 'call.ended';
      person: PersonRef;
      message: MessageRef;
      /** `failed`: nobody's doing, such as an error of the provider. */
      outcome: 'answered' | 'not_reached' | 'failed';
      /** As the provider names it. */
      reason: string;
      /** The number will never be reached. */
      permanent: boolean;
      /** null: nothing was said, or a later report brings it. */
      transcript: string | null;
      /** The words by which the wish was heard. */
      keywords: string[];
      wish: CallWish | null;
      startedAtMs: EpochMs | null;
      endedAtMs: EpochMs | null;
    })
  | (EventBase & {
      type: 'message.received';
      person: PersonRef;
      /** null: by a way that is no channel of ours, such as a chat on the page. */
      channel: 'email' | 'sms' | 'whatsapp' | 'telegram' | null;
      /** Of an email; absent or null: not known. */
      subject?: string | null;
      text: string | null;
      /** By what sign a program wrote it (`readAutoReply`); absent or null: by none. */
      automatic?: AutoReplySign | null;
      /** The provider answers neither STOP nor HELP, so the account by which it came does. Absent: the provider does, or nobody knows. */
      unanswered?: true;
      /** It is a turn in a chat with the store's bot; absent: it is none. */
      chat?: ChatTurn;
      /** Of the lead that the chat is; absent: none is named. */
      keys?: SubjectKey[];
    })
  | (EventBase & {
      type: 'contact.opted_out';
      person: PersonRef;
      /** null: all channels. */
      channel: 'email' | 'sms' | 'whatsapp' | 'call' | 'push' | 'telegram' | null;
      /** A complaint, "stop all" or an operator's mark: DO_NOT_CONTACT, final (rule 13). */
      final: boolean;
      source: string;
      /** `person`: their own act. `record`: the shop's record of the customer says so. */
      basis: 'person' | 'record';
      /** They have blocked the store's bot; absent: they have not. */
      chat?: Pick<ChatTurn, 'chatId' | 'updateId'>;
      /** A switch of the CRM: it closes while it stands so, and is no statement about consent. */
      dnd?: true;
    })
  | (EventBase & {
      type: 'contact.opted_in';
      person: PersonRef;
      /** null, with `dnd` only: all channels. */
      channel: 'email' | 'sms' | 'whatsapp' | 'call' | 'push' | 'telegram' | null;
      source: string;
      wording: string | null;
      /** `record`: lifts only an opt-out that came from the shop's record, unless `confirmed`. */
      basis: 'person' | 'record';
      /** The person confirmed it from their own mailbox or phone (double opt-in). */
      confirmed: boolean;
      /** A switch of the CRM stands open: what such a switch has closed is opened, and nobody has consented to anything. */
      dnd?: true;
      proof?: ConsentProof;
      /** They have unblocked the store's bot; absent: they have not. */
      chat?: Pick<ChatTurn, 'chatId' | 'updateId'>;
    })
  /**
   * What a source states about products, areas and offers. `connection`: the ids are those of this shop alone. `by`: the source, where a fact
   * does not name its own. It is about nobody.
   */
  | (EventBase & { type: 'facts.reported'; of: 'connection' | 'store'; by: string; facts: ReportedFact[] })
  | (EventBase & { type: 'privacy.requested'; topic: 'data_request' | 'redact' | 'shop_redact'; person: PersonRef | null })
  | (EventBase & { type: 'app.uninstalled' });
