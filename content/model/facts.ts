import { createHash } from 'node:crypto';
import { commonView } from '../common-view.ts';
import type { CommonFacts } from '../copy-facts.ts';
import { usableLocale } from '../money.ts';
import type { Brief, ClaimName } from './brief.ts';

/** Printable values; no addresses of pages, people or numbers to call. */
export type FactValue = string | number | boolean | null | FactValue[] | { [name: string]: FactValue };

/** All facts a model gets about a message; its text may state nothing else. */
export interface ModelFacts {
  channel: string;
  /** Primary language subtag. */
  language: string;
  segment: string;
  /** How many orders the person has placed; null: not known. */
  orders: number | null;
  firstName: string | null;
  storeName: string;
  /** What the message is about, as texts print it, under the name of its kind. */
  subject: Record<string, FactValue>;
  /** The facts of the claims that the brief allows, where they are known. */
  claims: Partial<Record<ClaimName, FactValue>>;
}

/** What the model's facts are drawn from: those of a message, read when it is composed and again when it is sent. */
export interface FactsInput {
  facts: CommonFacts;
  brief: Brief;
  channel: string;
  orders: number | null;
  /** What must not leave: it is taken out of the person's own fields. */
  lastName: string | null;
}

/** Of the common view: everything else is the subject's. */
const commonNames = new Set([
  ...['store', 'contact', 'segment', 'reviews', 'link', 'synthetic', 'words', 'lowStock', 'priceDrop', 'market', 'offerEnd'],
  ...['firstName', 'name', 'timeZone', 'language', 'locale', 'budget', 'preferences'],
]);
/** Facts of a subject that are claims: given to the model only as claims. */
const claimedNames = new Set(['left', 'rating', 'discount', 'compareAt']);
const addressNames = /(^|_)(url|email|phone|id)$|url$|email$|phone$|initial$|^canRestore$/i;
const emailLike = /[^\s@<>()]+@[^\s@<>()]+/gu;
const linkLike = /(?:https?:\/\/|www\.)\S+/giu;
const phoneLike = /\+?\d[\d\s().-]{7,}\d/gu;

/** The facts of a message as a model gets them. Pure: equal facts give equal values, so a text is stale once they differ. */
export function modelFactsOf({ facts, brief, channel, orders, lastName }: FactsInput): ModelFacts {
  const view = commonView(facts, { subject: null }, 'en');
  const subject = Object.fromEntries(
    Object.entries(view).flatMap(([name, value]) => (commonNames.has(name) ? [] : [[name, withoutAddresses(value, claimedNames)]])),
  );
  const known: Record<ClaimName, unknown> = {
    stock: view.lowStock,
    price_drop: view.priceDrop,
    reviews: view.reviews,
    shipping: view.store.shippingNote,
    returns: view.store.returnsNote,
  };
  const allowed = brief.claims.flatMap((claim) => (known[claim] === null ? [] : [[claim, withoutAddresses(known[claim])]]));
  return {
    channel,
    language: usableLocale([facts.contact.locale, facts.store.locale]).split(/[-_]/, 1)[0] ?? 'en',
    segment: view.segment,
    orders,
    firstName: firstNameOnly(view.contact.firstName, lastName),
    storeName: redacted(view.store.name),
    subject,
    claims: Object.fromEntries(allowed),
  };
}

/** A name field that holds the whole name gives its first word away, and no more. */
function firstNameOnly(name: string | null, lastName: string | null): string | null {
  const plain = name?.replace(/[\u2066-\u2069]/g, '').trim() ?? '';
  if (plain === '') return null;
  const words = plain.split(/\s+/).filter((word) => lastName === null || !sameWord(word, lastName));
  return words[0] ?? null;
}

const sameWord = (a: string, b: string) => b.toLowerCase().split(/\s+/).includes(a.toLowerCase());

/** A digest by which a change of the facts is recognised. */
export function fingerprintOf(facts: ModelFacts): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
}

function withoutAddresses(value: unknown, besides: ReadonlySet<string> = new Set()): FactValue {
  if (typeof value === 'string') return redacted(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((inner) => withoutAddresses(inner, besides));
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) =>
      addressNames.test(name) || besides.has(name) ? [] : [[name, withoutAddresses(inner, besides)]],
    ),
  );
}

/** Shops put addresses and numbers where nobody expects them, such as into the title of a product. */
const redacted = (text: string): string =>
  text
    .replace(/[\u2066-\u2069]/g, '')
    .replace(linkLike, '…')
    .replace(emailLike, '…')
    .replace(phoneLike, '…');
