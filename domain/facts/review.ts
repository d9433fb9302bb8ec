import { z } from 'zod';
import { type FactKind, line, sameText } from './kind.ts';

const value = z.strictObject({
  average: z.number('is a number from 1 to 5').min(1, 'is below 1').max(5, 'is above 5').meta({ description: 'Mean rating, 1 to 5.' }),
  count: z.int('is a whole number').min(1, 'is below 1: without a review there is nothing to say').max(1_000_000_000, 'is too large'),
  quote: line(600).nullable().default(null).meta({ description: 'A sentence of a real review.' }),
  author: line(100).nullable().default(null),
});

/** What customers say about a product. */
export const review: FactKind<'review', z.infer<typeof value>> = {
  kind: 'review',
  value,
  usualHours: 30 * 24,
  about: 'a product or variant, by its id in the shop',
  subjectKey: sameText,
  // Not the quotation, and not whose it is: records hold no names.
  words: ({ average, count }) => `${average} of 5 from ${count}`,
};
