import type { AnySubjectKind } from '../domain/subjects/index.ts';
import type { CommonFacts } from './copy-facts.ts';
import { subjectContentOf } from './subjects/index.ts';

type Invented = Omit<CommonFacts, 'subject'>;

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
  reviews: {
    productTitle: 'Merino Crew Sweater',
    averageOfFive: 4.7,
    count: 128,
    quote: { text: 'Warm, light, and it still looks new after a winter.', author: 'Sam' },
  },
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
  reviews: null,
  offer: null,
  synthetic: false,
};

const invented: readonly { name: string; facts: Invented }[] = [
  { name: 'everything known', facts: everythingKnown },
  { name: 'nothing known', facts: nothingKnown },
  {
    name: 'a review without quotation',
    facts: {
      ...everythingKnown,
      segment: 'HIGH_VALUE',
      store: { ...everythingKnown.store, shippingNote: null, supportEmail: null },
      reviews: { productTitle: 'Merino Crew Sweater', averageOfFive: 5, count: 1, quote: null },
    },
  },
  {
    name: 'long names',
    facts: {
      ...everythingKnown,
      segment: 'FIRST_TIME',
      store: { ...everythingKnown.store, name: 'Juniper, Fold & Daughters Outdoor Clothing', returnsNote: null },
      contact: { firstName: 'Maximilian-Alexander', locale: 'en-US' },
      reviews: { productTitle: 'Merino Crew Sweater', averageOfFive: 4, count: 2, quote: { text: 'Lovely.', author: null } },
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
