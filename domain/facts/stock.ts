import { z } from 'zod';
import { type FactKind, sameText } from './kind.ts';

const value = z.strictObject({
  left: z.int('is a whole number').min(0, 'is below 0').max(1_000_000_000, 'is too large').meta({ description: 'Units that can be bought now.' }),
});

/** How many of a product can be bought. */
export const stock: FactKind<'stock', z.infer<typeof value>> = {
  kind: 'stock',
  value,
  usualHours: 24,
  about: 'a product or variant, by its id in the shop',
  subjectKey: sameText,
  words: ({ left }) => `${left} left`,
};
