import { z } from 'zod';
import { type FactKind, foldedText, line } from './kind.ts';

/** What moves a market. */
export const marketTriggers = ['price_change', 'rate_change', 'new_sales_nearby', 'seasonal'] as const;
export type MarketTrigger = (typeof marketTriggers)[number];

const value = z.strictObject({
  trigger: z.enum(marketTriggers, `is none of ${marketTriggers.join(', ')}`),
  statement: line(300).meta({ description: 'What happened, as messages may repeat it.', examples: ['Three flats in Döbling were sold in October.'] }),
  date: z.iso.date('is no date like 2026-11-20').meta({ description: 'The day that it is about; messages show it.' }),
});

/** What happens in an area: a price or a rate that changed, sales nearby, the season. */
export const market: FactKind<'market', z.infer<typeof value>> = {
  kind: 'market',
  value,
  usualHours: 14 * 24,
  about: 'an area, as leads name theirs',
  subjectKey: foldedText,
  words: ({ trigger, date }) => `${trigger} of ${date}`,
};
