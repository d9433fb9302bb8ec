import { z } from 'zod';
import { minorDigits } from '../money.ts';
import { type FactKind, sameText } from './kind.ts';

const decimal = /^\d{1,12}(\.\d{1,6})?$/;

const value = z.strictObject({
  price: z
    .union([z.string(), z.number()], 'is no amount such as "89.00"')
    .transform((written, context) => {
      const text = String(written);
      if (decimal.test(text)) return text;
      context.addIssue('is no amount such as "89.00"');
      return z.NEVER;
    })
    .meta({ description: 'Of one, in major units, as the shop asks for it now.', examples: ['89.00'] }),
  currency: z
    .string('is no currency code like EUR')
    .refine((code) => minorDigits(code) !== null, 'is no currency code like EUR')
    .meta({ description: 'ISO 4217.' }),
  as_in_carts: z
    .boolean('is neither true nor false')
    .default(true)
    .meta({ description: '`false`: carts may state it with another tax, so it is compared with its own earlier statements alone.' }),
});

/** What a product costs. */
export const price: FactKind<'price', z.infer<typeof value>> = {
  kind: 'price',
  value,
  usualHours: 72,
  about: 'a product or variant, by its id in the shop',
  subjectKey: sameText,
  words: (fact) => `${fact.price} ${fact.currency}`,
};

/** In minor units of its currency. */
export const priceMinor = (fact: { price: string; currency: string }): number =>
  Math.round(Number(fact.price) * 10 ** (minorDigits(fact.currency) ?? 2));
