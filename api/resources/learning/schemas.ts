import { z } from 'zod';

export const boundsSchema = z.object({ low: z.number(), high: z.number() });
/** In percent. */
export const intervalSchema = boundsSchema.nullable().meta({ description: '95 %, in percent; null: nothing to go by.' });

export const percent = (share: number) => Number((100 * share).toFixed(3));
export const percentOrNull = (share: number | null) => (share === null ? null : percent(share));
export const inPercent = (interval: { low: number; high: number } | null) =>
  interval === null ? null : { low: percent(interval.low), high: percent(interval.high) };

/** A rate of a leaderboard’s entrant. */
export const placedSchema = z.object({
  place: z.int(),
  key: z.string(),
  name: z.string(),
  n: z.int(),
  converted: z.int(),
  rate: z.number().meta({ description: 'Percent.' }),
  interval: intervalSchema,
  shrunk_rate: z.number().meta({ description: 'Percent, drawn towards what all have in common, the more the fewer there are.' }),
  at_least: z.number().meta({ description: 'Percent: what the rate is at least, with 95 %. The order goes by it.' }),
});
