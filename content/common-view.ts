import { leadsSomewhere } from '../domain/contact-in-text.ts';
import { wordsView, type WordsView } from '../domain/composition/words.ts';
import type { ViewTools } from '../domain/subjects/kind.ts';
import { type ClaimsView, claimsView, nothingClaimed } from './claims-view.ts';
import type { CommonFacts, ReviewFacts } from './copy-facts.ts';
import { isRightToLeft } from '../domain/languages.ts';
import { formatMoney, usableLocale } from './money.ts';
import { dateTimeFormat, numberFormat } from './intl-formats.ts';
import { cleanLine, initialOf, isolate } from './plain-text.ts';
import { webUrl } from './web-url.ts';

/**
 * The variables that copy on every channel may use, formatted and cleaned; null: not known, to be asked with `if`. What a kind of subject adds
 * stands beside them under its own names (`cart`, `lead` …). Published versions keep their templates, so a name in here is never renamed or
 * removed, only added.
 */
export interface CommonView extends Record<string, unknown>, ClaimsView {
  store: {
    name: string;
    url: string;
    supportEmail: string | null;
    shippingNote: string | null;
    returnsNote: string | null;
  };
  contact: { firstName: string | null };
  /** The same as `contact.firstName`. */
  firstName: string | null;
  name: string | null;
  segment: CommonFacts['segment'];
  /** What the person was granted with this message: `10%`, the code, and until when it is valid, on their clock. */
  offer: { percent: string; code: string; ends: string } | null;
  /** Where the message leads, whatever it is about: the subject's own page, else the store. */
  link: { url: string };
  synthetic: boolean;
  /** The id of the attempt, which links to a tracker or an advertiser carry: `?sub_id={{ subId }}`. In a preview it is that of no message. */
  subId: string;
  /** Of the copy, BCP 47. */
  language: string;
  /** In which numbers, amounts and dates are written, BCP 47. */
  locale: string;
  /** What a model has written; in the layout of such texts only. */
  words?: WordsView;
  /** In which dates are written, IANA; null: UTC. */
  timeZone: string | null;
}

/** A fact without which a message must not go out is missing. Programs act on `code`. */
export class CopyFactsError extends Error {
  readonly code: 'missing_postal_address' | 'bad_unsubscribe_url' | 'bad_store_url';

  constructor(code: CopyFactsError['code'], message: string) {
    super(message);
    this.name = 'CopyFactsError';
    this.code = code;
  }
}

/**
 * Turn facts into what templates print: prices formatted, strings cleaned, addresses checked.
 * @param link.subject - back to the subject; null: it has no page of its own
 * @param link.store - in the place of the store's address in links
 * @param language - BCP 47, of the copy
 * @throws CopyFactsError where the store's address is missing
 */
export function commonView(facts: CommonFacts, link: { subject: string | null; store?: string }, language: string): CommonView {
  const { store, contact, subject } = facts;
  const locale = usableLocale([contact.locale, store.locale]);
  const storeUrl = webUrl(store.url);
  if (storeUrl === null) throw new CopyFactsError('bad_store_url', 'The store has no http(s) address.');
  const direction = isRightToLeft(language) ? 'rtl' : 'ltr';
  const line = (text: string | null, most: number) => cleanLine(text, most, direction);
  const tools: ViewTools = {
    money: (minor) => formatMoney(minor, subject.currency, locale, direction),
    number: (value, mostDecimals = 0) => numberFormat(locale, { maximumFractionDigits: mostDecimals }).format(value),
    percent: (share) => numberFormat(locale, { style: 'percent' }).format(share),
    line,
    initial: initialOf,
    webUrl,
    storeUrl: link.store ?? storeUrl,
    link: webUrl(link.subject),
    lowStockAt: store.lowStockThreshold,
  };
  const firstName = firstNameOf(line(contact.firstName, 60));
  const own = subject.kind.view(subject, tools);
  return {
    ...notKnown,
    ...own,
    // Facts without claims are an invented message's: what they say is taken as it is.
    ...(facts.claims === undefined
      ? { ...nothingClaimed, ...own, reviews: reviewsView(facts.reviews, locale, line) }
      : claimsView(facts.claims, { locale, direction, timeZone: contact.timeZone ?? 'UTC', line })),
    firstName,
    name: firstName,
    timeZone: contact.timeZone ?? null,
    store: {
      name: line(store.name, 60) ?? new URL(storeUrl).hostname,
      url: storeUrl,
      supportEmail: mailAddress(store.supportEmail),
      shippingNote: line(store.shippingNote, 400),
      returnsNote: line(store.returnsNote, 400),
    },
    contact: { firstName },
    segment: facts.segment,
    offer: offerView(facts.offer, { locale, language, percent: tools.percent }),
    link: { url: tools.link ?? tools.storeUrl },
    synthetic: facts.synthetic,
    subId: facts.subId ?? '00000000-0000-0000-0000-000000000000',
    language,
    locale,
    ...(facts.words === undefined ? {} : { words: wordsView(facts.words) }),
  };
}

/** The words of the end are in the language of the copy, its order in the reader's own habit where they read that language. */
function offerView(
  offer: CommonFacts['offer'],
  { locale, language, percent }: { locale: string; language: string; percent: ViewTools['percent'] },
): CommonView['offer'] {
  if (offer === null) return null;
  const [own] = locale.split('-');
  const words = own === language.split('-')[0] ? locale : usableLocale([language]);
  const when = { weekday: 'long', day: 'numeric', month: 'long', hour: 'numeric', minute: '2-digit', timeZoneName: 'short' } as const;
  const ends = dateTimeFormat(words, { ...when, timeZone: offer.timeZone }).format(offer.endsAtMs);
  return { percent: percent(offer.percentOff / 100), code: cleanLine(offer.code, 60) ?? '', ends: isolate(ends) };
}

/** What a lead may have stated, for copy about any subject. */
const notKnown = { interest_area: null, budget: null, preferences: null };

function reviewsView(reviews: ReviewFacts | null, locale: string, line: ViewTools['line']): CommonView['reviews'] {
  const productTitle = line(reviews?.productTitle ?? null, 80);
  if (reviews === null || productTitle === null) return null;
  if (!(reviews.averageOfFive >= 1 && reviews.averageOfFive <= 5) || !Number.isSafeInteger(reviews.count) || reviews.count < 1) return null;
  return {
    productTitle,
    average: numberFormat(locale, { maximumFractionDigits: 1 }).format(reviews.averageOfFive),
    count: numberFormat(locale).format(reviews.count),
    quote: line(reviews.quote?.text ?? null, 280),
    author: line(reviews.quote?.author ?? null, 60),
  };
}

/**
 * A first name that may be greeted. Sign-up forms are abused to send advertising through a shop's messages ("Hi win-big.example/x"),
 * so whatever leads somewhere, has three digits in a row or no letter, or is longer than a name, is no name.
 */
function firstNameOf(name: string | null): string | null {
  if (name === null || !/\p{L}/u.test(name) || name.length > 40) return null;
  if (leadsSomewhere(name) || /\p{N}{3,}/u.test(name) || /^(null|undefined|none)$/i.test(name)) return null;
  return name;
}

function mailAddress(value: string | null): string | null {
  const address = cleanLine(value, 254);
  return address !== null && /^[^\s@<>"'?&]+@[^\s@<>"'?&]+$/.test(address) ? address : null;
}
