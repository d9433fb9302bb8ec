import type { z } from 'zod';
import type { Claimable } from '../claims/claimable.ts';
import type { ClaimName } from '../claims/index.ts';
import type { BaseSegment, PurchaseHistory, SegmentModifier, SegmentThresholds } from '../people/segments.ts';
import type { EpochMs, StopReason, StopTrigger } from '../sequence/plan.ts';
import type { TenantSettings } from '../tenant-settings.ts';
import type { AttributeValue, ChatAttributes } from './attributes.ts';

/**
 * A subject, by the latest event about it: what a sequence is about. `D` are the details that only its kind
 * has. Money in minor units of `currency`.
 */
export interface Subject<D> {
  state: 'open' | 'converted' | 'gone';
  /** ISO 4217; null: unknown, and then the value is. */
  currency: string | null;
  /** What it is worth; null: unknown. */
  valueMinor: number | null;
  details: D;
  /** The address and number that it was left with, normalised: the latest that its events gave, each with the provider's time. */
  email: string | null;
  emailAt: EpochMs | null;
  phone: string | null;
  phoneAt: EpochMs | null;
  startedAt: EpochMs;
  lastActivityAt: EpochMs;
}

/** A subject after an event was folded into it; its state is decided elsewhere. */
export type Folded<D> = Omit<Subject<D>, 'state'>;

/** An event that reports a subject, in the shape that every kind folds. `report` is the part of the event that only its kind knows. */
export interface SubjectReport<R> {
  /** By the provider's clock: reports are folded by this, not by arrival. */
  occurredAtMs: EpochMs;
  /** The clock has whole seconds only. */
  toTheSecond?: true;
  report: R;
}

/** How an event names the person, normalised; null: it does not, or unusably. */
export interface SubjectAddress {
  email: string | null;
  phone: string | null;
}

/** What a view needs to print values in the reader's language. Given by the content, so that a subject formats nothing itself. */
export interface ViewTools {
  /** An amount as a price, e.g. `€129.90`; null where it makes none. */
  money(minor: number | null): string | null;
  /** A number, with as many decimals as given. */
  number(value: number, mostDecimals?: number): string;
  /** A share of one, e.g. `20%` for 0.2. */
  percent(share: number): string;
  /** Text cleaned to one line of at most so many characters; null where nothing readable remains. */
  line(text: string | null, most: number): string | null;
  /** The first character that may stand for a text whose picture is missing. */
  initial(text: string | null): string | null;
  /** An absolute http(s) address; null: it is none. */
  webUrl(text: string | null): string | null;
  storeUrl: string;
  /** Where the button leads: the tracked link to the subject; null: the subject has no link of its own. */
  link: string | null;
  lowStockAt: number;
}

/**
 * The words for subjects of a kind, from which pages, lists, stories and messages build their sentences. Phrases are lower case and complete the
 * sentence named beside them; where one is left out, a general phrase is used.
 */
export interface Words {
  /** What it is, e.g. `cart`. Sentences write "the cart", "this cart". */
  noun: string;
  /** Whose it is, e.g. `shopper`. Sentences write "the shopper". */
  person: string;
  /** Who reports it, e.g. `shop`. Sentences write "the shop". */
  source: string;
  /** A clause of copy, with its variables: "You are getting this email because you left something in your cart at {{ store.name }}." */
  because: string;
  /** What the person did last, e.g. `activity on the cart`. */
  activity: string;
  /** What its things are called, for a count: `product` gives "2 products". Null: it holds nothing that is counted. */
  item: string | null;
  /** The activation, after the subject and its value in brackets: "The cart (EUR 80) counts as abandoned: the sequence has begun." */
  begun: string;
  /** The same before it: "The cart does not count as abandoned yet". */
  notBegun: string;
  /** When its value at the activation is named beside its present one: "€40.00 when it was left, €35.00 now". */
  atActivation: string;
  /** What its figures are called: those begun, none of them, those that were won, what they brought in. */
  figures: { begun: string; none: string; won: string; revenue: string };
  /** Completes "The sequence was stopped: …". */
  stop: Partial<Record<StopReason, string>>;
  /** Completes "… was put off until …: …", by the reason of a deferral. */
  defer: Readonly<Record<string, string>>;
  /** Stations of a story on the live page, by the happening or the reason of a stop. */
  stations: Readonly<Record<string, string>>;
  /** Before the activation, on the live page: what the next station asks. */
  stillOpen: string;
  /** What a story on the live page is called, before four characters of its id: `shopper 1a2b`. */
  alias: string;
}

/**
 * A kind of subject, such as a cart or a lead, with its words. One file or folder here and one line in `domain/subjects/index.ts`; code elsewhere
 * names no kind. `R` is what its events report, `D` what is kept of that, as JSON in `subjects.details`. All functions are pure.
 */
export interface SubjectKind<D, R> {
  /** As `subjects.kind` and Temporal's search attribute have it. */
  kind: string;
  /** What starts its sequences, as their `on:` names it. */
  trigger: string;
  /**
   * What starts the sequences about a silence, where its person talks with the store; absent: nobody does. Such a sequence is anchored at the last
   * contact, begins to count once that has been quiet for `quietFor`, and ends with the next message in either direction (docs/rules.md#rule-62).
   */
  silentTrigger?: string;
  /** What starts the sequences about a chat that its person has left; absent: nobody chats about it. In all else such a sequence is about a silence (docs/rules.md#rule-67). */
  chatTrigger?: string;
  /** What ends its sequences unless they say otherwise. */
  stopOn: readonly StopTrigger[];
  /** The default of a sequence's `quietFor`: how long the subject must be left alone before the first message. */
  quietForMs: number;
  /**
   * Which orders count as its purchase. `key`: those that name it by one of its keys; `person`: any order of its person, because orders never name
   * such a subject (docs/rules.md#rule-11).
   */
  boughtBy: 'key' | 'person';
  /** Its person asked about something, which some laws take for consent. */
  isInquiry?: true;
  /** Reads stored details of this or an earlier version. */
  details: z.ZodType<D>;
  /** Raised whenever the shape of the details changes; `details` must read what older versions wrote. */
  detailsVersion: number;
  /**
   * Fold a report into what is known, by the provider's clock: an older one changes only what no newer one has said.
   * @param known - null: the subject was not heard of before
   */
  fold(known: Subject<D> | null, event: SubjectReport<R>, address: SubjectAddress): Folded<D>;
  /**
   * Whether a report under the keys of a converted subject is about a new one (docs/rules.md#rule-16), and not a late report about the converted
   * one.
   */
  beginsAnew(converted: Converted<D>, event: SubjectReport<R>): boolean;
  /**
   * The details of one subject, from several that turned out to be the
   * same. @param details - of all of them, the latest active first; never empty
   */
  unite(details: readonly [D, ...D[]]): D;
  /** The details once it was bought. @param products - what the order named; empty: nothing */
  convert(details: D, products: readonly { title: string; productId: string | null }[]): D;
  /** Why an open subject ends its enrollments and begins none (an emptied cart, for example); null: it does not. */
  endsBy(subject: Folded<D>): StopReason | null;
  /**
   * Why no sequence may begin about it as it stands, whoever it belongs to (docs/rules.md#rule-18); null: one may. Completes "No sequence was
   * begun about this cart: …".
   * @param report - the event being applied; null: asked later, without an event
   */
  unfit(subject: Folded<D>, settings: TenantSettings, report: R | null): string | null;
  /** The products in it, for an order that names no subject (docs/rules.md#rule-11). Empty: orders cannot be matched by product. */
  products(details: D): readonly { title: string; productId: string | null }[];
  /** How many things it holds; null: none are counted. */
  count(details: D): number | null;
  /** What conditions may ask of it as `{ attribute: { name: lead.source, is: META } }`, by the name that follows the kind's. Nothing that names a person. */
  attributeNames: readonly string[];
  /** Their values, under the same names. @param chat - absent: its person has not been in a chat, as far as is known */
  attributes(details: D, chat?: ChatAttributes): Readonly<Record<string, AttributeValue>>;
  /** For each thing in it, how many are left to buy; null: its source does not say. Empty: nothing in it is ever out of stock. */
  stock(details: D): readonly (number | null)[];
  /** What it would cost at regular prices, in minor units; null: not known. Absent: nothing in it has a price. */
  regularMinor?(details: D): number | null;
  /**
   * How many texts about one such subject carriers in the United States accept, and how long after it was left (T-Mobile, toll-free verification: one
   * text for each cart, within 48 h); null: no such rule.
   */
  textsInUnitedStates: { most: number; withinMs: number } | null;
  /** Modifiers, which conditions combine with the person's segment. */
  modifiers(details: D, thresholds: Pick<SegmentThresholds, 'lowStockAt'>): SegmentModifier[];
  /** The one value by which lists and figures group enrollments about it; kept in `enrollments.segment`. */
  segment(base: BaseSegment, details: D, owner: PurchaseHistory, settings: TenantSettings): string;
  /** Every value of `segment`, in the order in which figures list them. */
  segments: readonly string[];
  /** What messages about it may claim, and about what; absent: nothing. */
  claimable?: { claims: readonly ClaimName[]; of(details: D): Claimable };
  /** Where a link in a message leads; null: to the store. */
  link(details: D): string | null;
  /** What templates may use beside the store and the person, under names of the kind's own. Names are added, never renamed or removed. */
  view(subject: Pick<Subject<D>, 'details' | 'currency' | 'valueMinor'>, tools: ViewTools): Record<string, unknown>;
  words: Words;
}

/** What is kept of a converted subject, to judge later events under its keys. */
export interface Converted<D> {
  /** By the provider's clock; null: unknown. */
  convertedAt: EpochMs | null;
  details: D;
}

/** What starts a sequence about a subject of this kind: its report, and the silences of its person where they talk or chat with the store. */
export const triggersOf = (kind: Pick<SubjectKind<never, never>, 'trigger' | 'silentTrigger' | 'chatTrigger'>): string[] =>
  [kind.trigger, kind.silentTrigger, kind.chatTrigger].filter((trigger) => trigger !== undefined);
