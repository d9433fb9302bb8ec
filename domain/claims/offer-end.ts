import type { FactOf } from '../facts/index.ts';
import { wholeStore } from '../facts/offer-end.ts';
import type { EpochMs } from '../sequence/plan.ts';
import { anyOf, type ClaimKind, type Claimed, unlessFresh } from './claim.ts';

export interface EndingOffer {
  name: string | null;
  endsAtMs: EpochMs;
}

/** An offer on the store, or on something in the subject, ends; of several, the first. */
export const offerEnd: ClaimKind<'offer_end', EndingOffer> = {
  name: 'offer_end',
  rests: ['offer_end'],
  judge({ products, facts }, nowMs) {
    const subjects = [wholeStore, ...products.flatMap(({ ids }) => ids)];
    const answers = facts
      .filter((fact): fact is FactOf<'offer_end'> => fact.kind === 'offer_end' && subjects.includes(fact.subject))
      .map((fact): Claimed<EndingOffer> => {
        const endsAtMs = Date.parse(fact.value.ends_at);
        if (nowMs >= endsAtMs) return { holds: false, fact, why: 'it has ended', reason: 'untrue' };
        const value = { name: fact.value.name, endsAtMs };
        return unlessFresh(fact, nowMs) ?? { holds: true, fact, why: `ends at ${fact.value.ends_at}`, value };
      });
    return anyOf(answers, 'no offer is known', (best, other) => other.endsAtMs < best.endsAtMs);
  },
};
