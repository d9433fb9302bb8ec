import type { AnySubjectKind } from '../domain/subjects/index.ts';
import { type Claims, noClaims } from '../domain/claims/index.ts';
import type { FactValue } from '../domain/facts/index.ts';
import type { CommonFacts } from './copy-facts.ts';
import { subjectContentOf } from './subjects/index.ts';

type Invented = Omit<CommonFacts, 'subject'>;

const claimedFact = { id: 'sample', subject: 'sample', source: 'a sample', observedAtMs: 0, expiresAtMs: 1 };
const why = 'it is taken to be so in a sample';

/** Every claim holds. Invented. */
const everythingClaimed: Claims = {
  stock: {
    holds: true,
    why,
    fact: { ...claimedFact, kind: 'stock', value: { left: 3 } },
    value: { title: 'Merino Crew Sweater', left: 3 },
  },
  price_drop: {
    holds: true,
    why,
    fact: { ...claimedFact, kind: 'price', value: { price: '79.00', currency: 'USD', as_in_carts: true } },
    value: { title: 'Merino Crew Sweater', beforeMinor: 8_900, nowMinor: 7_900, currency: 'USD' },
  },
  reviews: {
    holds: true,
    why,
    fact: { ...claimedFact, kind: 'review', value: { average: 4.7, count: 128, quote: null, author: null } },
    value: {
      title: 'Merino Crew Sweater',
      average: 4.7,
      count: 128,
      quote: 'Warm, light, and it still looks new after a winter.',
      author: 'Sam',
    },
  },
  market: {
    holds: true,
    why,
    fact: {
      ...claimedFact,
      kind: 'market',
      value: { trigger: 'new_sales_nearby', statement: 'Three flats in Upper Springfield were sold in October.', date: '2026-11-02' },
    },
    value: {
      area: 'Upper Springfield',
      trigger: 'new_sales_nearby',
      statement: 'Three flats in Upper Springfield were sold in October.',
      date: '2026-11-02',
    },
  },
  offer_end: {
    holds: true,
    why,
    fact: { ...claimedFact, kind: 'offer_end', value: { ends_at: '2026-11-30T23:00:00Z', name: 'Free delivery' } },
    value: { name: 'Free delivery', endsAtMs: Date.UTC(2026, 10, 30, 23) },
  },
};

/** Every fact known. Invented. */
const everythingKnown: Invented = {
  store: {
    name: 'Juniper & Fold',
    url: 'https://shop.example.com',
    logoUrl: 'https://shop.example.com/images/logo.png',
    postalAddress: 'Juniper & Fold\n12 Orchard Lane\nSpringfield, OR 97477',
    supportEmail: 'hello@shop.example.com',
    brandColor: '#2f5d50',
    locale: 'en-US',
    shippingNote: 'We ship within two working days, and delivery is free from $75.',
    returnsNote: 'You can send anything back within 30 days.',
    lowStockThreshold: 5,
  },
  contact: { firstName: 'Robin', locale: 'en-US' },
  segment: 'RETURNING',
  claims: everythingClaimed,
  reviews: null,
  offer: { code: 'TEA-7K2M', percentOff: 10, endsAtMs: Date.UTC(2026, 2, 14, 17), timeZone: 'Europe/Vienna' },
  synthetic: true,
};

/** Nothing known beyond what the law demands. */
const nothingKnown: Invented = {
  store: {
    name: '',
    url: 'https://shop.example.com',
    logoUrl: null,
    postalAddress: '12 Orchard Lane, Springfield, OR 97477',
    supportEmail: null,
    brandColor: '',
    locale: null,
    shippingNote: null,
    returnsNote: null,
    lowStockThreshold: 0,
  },
  contact: { firstName: null, locale: null },
  segment: 'FIRST_TIME',
  claims: noClaims,
  reviews: null,
  offer: null,
  synthetic: false,
};

/** The same with other reviews, and with the last one in stock. */
const reviewedBy = (said: Pick<FactValue<'review'>, 'average' | 'count' | 'quote' | 'author'>): Claims => ({
  ...everythingClaimed,
  stock: {
    holds: true,
    why,
    fact: { ...claimedFact, kind: 'stock', value: { left: 1 } },
    value: { title: 'Merino Crew Sweater', left: 1 },
  },
  reviews: {
    holds: true,
    why,
    fact: { ...claimedFact, kind: 'review', value: said },
    value: { title: 'Merino Crew Sweater', ...said },
  },
});

const invented: readonly { name: string; facts: Invented }[] = [
  { name: 'everything known', facts: everythingKnown },
  { name: 'nothing known', facts: nothingKnown },
  {
    name: 'a review without quotation',
    facts: {
      ...everythingKnown,
      segment: 'HIGH_VALUE',
      store: { ...everythingKnown.store, shippingNote: null, supportEmail: null },
      claims: reviewedBy({ average: 5, count: 1, quote: null, author: null }),
    },
  },
  {
    name: 'long names',
    facts: {
      ...everythingKnown,
      segment: 'FIRST_TIME',
      store: { ...everythingKnown.store, name: 'Juniper, Fold & Daughters Outdoor Clothing', returnsNote: null },
      contact: { firstName: 'Maximilian-Alexander', locale: 'en-US' },
      claims: reviewedBy({ average: 4, count: 2, quote: 'Lovely.', author: null }),
    },
  },
  { name: 'a name in another script', facts: { ...everythingKnown, contact: { firstName: 'Ольга', locale: 'en-US' } } },
];

/** The states in which copy about a kind of subject is tried before it is published. The first knows everything. */
export function samplesOf(kind: AnySubjectKind): { name: string; facts: CommonFacts }[] {
  return subjectContentOf(kind).samples.flatMap(({ name: state, ...subject }) =>
    invented.map(({ name, facts }) => ({ name: `${name}, ${state}`, facts: { ...facts, subject: { kind, ...subject } } })),
  );
}
