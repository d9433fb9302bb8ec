import type { LineItem } from '../domain/events.ts';
import type { EmailFacts } from './email-facts.ts';

const crew: LineItem = {
  title: 'Merino Crew Sweater',
  variant: 'Forest / M',
  quantity: 2,
  priceMinor: 8_900,
  compareAtMinor: null,
  productId: 'crew',
  imageUrl: 'https://shop.example.com/images/crew.png',
  productUrl: 'https://shop.example.com/products/crew',
  stock: 3,
};

/** Every fact known: what templates are checked against, and previews are drawn with. Invented. */
export const everythingKnown: EmailFacts = {
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
  cart: { items: [crew], totalMinor: 17_800, currency: 'USD', restoreUrl: 'https://shop.example.com/cart/restore' },
  segment: 'RETURNING',
  modifiers: ['LOW_STOCK'],
  reviews: {
    productTitle: 'Merino Crew Sweater',
    averageOfFive: 4.7,
    count: 128,
    quote: { text: 'Warm, light, and it still looks new after a winter.', author: 'Sam' },
  },
  offer: null,
  unsubscribeUrl: 'https://mail.example.com/u/sample-token',
  openPixelUrl: 'https://mail.example.com/o/sample-token.gif',
  synthetic: true,
};

/** Nothing known beyond what the law demands. */
const nothingKnown: EmailFacts = {
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
  cart: { items: [], totalMinor: null, currency: '', restoreUrl: null },
  segment: 'FIRST_TIME',
  modifiers: [],
  reviews: null,
  offer: null,
  unsubscribeUrl: 'https://mail.example.com/u/sample-token',
  openPixelUrl: null,
  synthetic: false,
};

/** The states in which copy is tried before it is published. */
export const samples: { name: string; facts: EmailFacts }[] = [
  { name: 'everything known', facts: everythingKnown },
  { name: 'nothing known', facts: nothingKnown },
  {
    name: 'bare products',
    facts: {
      ...nothingKnown,
      modifiers: ['LOW_STOCK'],
      cart: {
        ...nothingKnown.cart,
        items: [{ ...crew, title: '', variant: null, quantity: 1, priceMinor: null, imageUrl: null, productUrl: null, stock: null }],
      },
    },
  },
  {
    name: 'last unit, review without quotation',
    facts: {
      ...everythingKnown,
      segment: 'HIGH_VALUE',
      store: { ...everythingKnown.store, shippingNote: null, supportEmail: null },
      reviews: { productTitle: 'Merino Crew Sweater', averageOfFive: 5, count: 1, quote: null },
      cart: { ...everythingKnown.cart, items: [{ ...crew, quantity: 1, compareAtMinor: 12_000, stock: 1 }] },
    },
  },
  {
    name: 'quotation without author, thirty products',
    facts: {
      ...everythingKnown,
      segment: 'FIRST_TIME',
      store: { ...everythingKnown.store, returnsNote: null },
      reviews: { productTitle: 'Merino Crew Sweater', averageOfFive: 4, count: 2, quote: { text: 'Lovely.', author: null } },
      cart: { ...everythingKnown.cart, items: Array.from({ length: 30 }, (_, at) => ({ ...crew, title: `Merino Crew Sweater ${at + 1}` })) },
    },
  },
];
