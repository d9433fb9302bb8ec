import { z } from 'zod';
import type { EpochMs } from '../sequence/plan.ts';
import { line } from './kind.ts';
import { marketTriggers } from './market.ts';
import type { ReportedFact } from './report.ts';

/** Something that has happened in a market, as a source of market data reports it: the flat shape of a fact of the kind `market`, which is what is stored. */
export const marketTriggerReport = z.strictObject({
  trigger: z.enum(marketTriggers, `is none of ${marketTriggers.join(', ')}`),
  area: line(200).meta({ description: 'As leads name theirs; case and spaces do not matter.' }),
  statement: line(300).meta({ description: 'What happened, as messages may repeat it.', examples: ['Three flats in Döbling were sold in October.'] }),
  date: z.iso.date('is no date like 2026-11-20').meta({ description: 'The day that it is about; messages show it.' }),
  source: line(100).optional().meta({ description: 'Who says so.' }),
  expires_at: z.iso
    .datetime({ offset: true, error: 'is no time like 2026-11-21T09:00:00Z' })
    .optional()
    .meta({ description: 'From when on it is not stated any more; left out, two weeks after its day, or by the store’s `factHours`.' }),
});
export type MarketTriggerReport = z.output<typeof marketTriggerReport>;

/**
 * The fact that a trigger stands for. It counts from the day that it is about, so that old news does not become fresh by being reported late.
 * @param nowMs - when it was reported: a day that is still to come counts from then
 */
export function factOfTrigger({ area, source, expires_at: expires, ...value }: MarketTriggerReport, nowMs: EpochMs): ReportedFact {
  return {
    kind: 'market',
    subject: area,
    value,
    source: source ?? null,
    observedAtMs: Math.min(Date.parse(`${value.date}T00:00:00Z`), nowMs),
    expiresAtMs: expires === undefined ? null : Date.parse(expires),
  };
}
