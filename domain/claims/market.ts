import { foldedText } from '../facts/kind.ts';
import type { FactOf } from '../facts/index.ts';
import type { MarketTrigger } from '../facts/market.ts';
import { anyOf, type ClaimKind, type Claimed, unlessFresh } from './claim.ts';

export interface MarketNews {
  /** As the person wrote it. */
  area: string;
  trigger: MarketTrigger;
  statement: string;
  /** `2026-11-02` */
  date: string;
}

/** Something has happened in the area that the person asked about; of several, the latest. */
export const market: ClaimKind<'market', MarketNews> = {
  name: 'market',
  rests: ['market'],
  judge({ areas, facts }, nowMs) {
    const answers = areas.flatMap((area) => {
      const about = facts.filter((fact): fact is FactOf<'market'> => fact.kind === 'market' && fact.subject === foldedText(area));
      return about.map(
        (fact): Claimed<MarketNews> =>
          unlessFresh(fact, nowMs) ?? { holds: true, fact, why: `${fact.value.trigger} of ${fact.value.date}`, value: { area, ...fact.value } },
      );
    });
    const nothing = areas.length === 0 ? 'the area that they asked about is not known' : 'nothing is known about the market there';
    return anyOf(answers, nothing, (best, other) => other.date > best.date);
  },
};
