import { z } from 'zod';

/** Where codes come from. `pool`: uploaded by the store. */
export const offerSources = ['pool', 'shopify'] as const;

/** Under what conditions a store gives a discount with a message. Source: docs/rules.md#rule-47 */
export const offerPolicy = z.object({
  /** What the discount takes off, in percent. */
  percentOff: z.number().int(),
  /** How long a code is valid from when it is granted. */
  validHours: z.number().int().default(48),
  source: z.enum(offerSources).default('pool'),
  /** One person gets at most one in so many days, over all sequences. */
  onePerDays: z.number().int().default(90),
  /** What a cart must be worth, in minor units of its currency. */
  minimumMinor: z.number().int().default(0),
  /** The store's usual margin at regular prices, in percent; null: not stated. */
  marginPercent: z.number().nullable().default(null),
  /** The margin that must be left after the discount, in percent; null: it is not looked at. */
  leastMarginPercent: z.number().nullable().default(null),
  /** How many the store gives in a rolling window; null: as many as the rest allows. */
  budget: z.object({ most: z.number().int(), withinDays: z.number().int() }).nullable().default(null),
  /** The most carts left in 90 days, this one included, with which a person still gets an offer: leaving carts must not pay. */
  mostCartsLeft: z.number().int().default(2),
});
export type OfferPolicy = z.infer<typeof offerPolicy>;

/** Over which time left carts are counted. */
export const cartsLeftDays = 90;
