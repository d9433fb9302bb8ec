import { z } from 'zod';

/** A system of the store's own, or of a partner, that recommends properties. */
export const recommendationsHttpConfig = z.strictObject({
  /** Gets a POST for each list. */
  url: z.url({ protocol: /^https?$/, error: 'is no http(s) address' }),
  /** Sent as `Authorization: Bearer …`; left out: none. */
  token: z.string().trim().min(1, 'is empty').max(500).optional(),
  /** For how many hours what it says may be stated, where it names no end of its own. */
  validHours: z.number().min(0.1).max(720).default(24),
});
export type RecommendationsHttpConfig = z.output<typeof recommendationsHttpConfig>;
