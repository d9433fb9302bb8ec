import type { LineItem } from '../../domain/events.ts';
import type { CartDetails } from '../../domain/subjects/cart/details.ts';
import type { SubjectContent, SubjectSample } from './subject-content.ts';

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

const restoreUrl = 'https://shop.example.com/cart/restore';
const sample = (name: string, items: LineItem[], more: Partial<SubjectSample> = {}, details: Partial<CartDetails> = {}): SubjectSample => ({
  name,
  details: { items, restoreUrl, origin: null, bought: null, ...details } satisfies CartDetails,
  valueMinor: 17_800,
  currency: 'USD',
  ...more,
});
const unknown = { valueMinor: null, currency: null };

export const cart: SubjectContent = {
  block: { html: 'cart.mjml', text: 'cart.text.liquid' },
  samples: [
    sample('a cart of which everything is known', [{ ...crew, compareAtMinor: 12_000 }]),
    sample('an empty cart', [], unknown, { restoreUrl: null }),
    sample(
      'bare products',
      [{ ...crew, title: '', variant: null, quantity: 1, priceMinor: null, imageUrl: null, productUrl: null, stock: null }],
      unknown,
      { restoreUrl: null },
    ),
    sample('the last unit at a lower price', [{ ...crew, quantity: 1, compareAtMinor: 12_000, stock: 1 }]),
    sample(
      'thirty products with long names',
      Array.from({ length: 30 }, (_, at) => ({ ...crew, title: `Hand-knitted Merino Crew Sweater with Raglan Sleeves, No. ${at + 1}` })),
    ),
  ],
};
