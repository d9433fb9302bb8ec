import { z } from 'zod';
import { type FactKind, line, sameText } from './kind.ts';

const value = z.strictObject({
  ends_at: z.iso.datetime({ offset: true, error: 'is no time like 2026-12-01T18:00:00+01:00' }),
  name: line(100).nullable().default(null).meta({ description: 'What the offer is called, as messages may repeat it.' }),
});

/** When an offer of the store ends. */
export const offerEnd: FactKind<'offer_end', z.infer<typeof value>> = {
  kind: 'offer_end',
  value,
  usualHours: 365 * 24,
  about: '`store` for an offer on everything, else a product or variant, by its id in the shop',
  subjectKey: sameText,
  endsAtMs: (fact) => Date.parse(fact.ends_at),
  words: (fact) => `ends at ${fact.ends_at}`,
};

/** The subject of an offer on everything. */
export const wholeStore = 'store';
