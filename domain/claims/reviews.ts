import { anyOf, type ClaimKind, type Claimed, factAbout, unlessFresh } from './claim.ts';

export interface Reviewed {
  title: string;
  average: number;
  count: number;
  quote: string | null;
  author: string | null;
}

/** Customers speak well of something in the subject. */
export const reviews: ClaimKind<'reviews', Reviewed> = {
  name: 'reviews',
  rests: ['review'],
  judge({ products, facts, thresholds }, nowMs) {
    const answers = products.map((product): Claimed<Reviewed> => {
      const fact = factAbout(facts, 'review', product);
      if (fact === null) return { holds: false, fact, why: 'no reviews of it are known', reason: 'unknown' };
      const stale = unlessFresh(fact, nowMs);
      if (stale !== null) return stale;
      const { average, count } = fact.value;
      if (average < thresholds.reviewsFrom)
        return { holds: false, fact, why: `${average} of 5 is below the ${thresholds.reviewsFrom} from which reviews are shown`, reason: 'untrue' };
      return { holds: true, fact, why: `${average} of 5 from ${count}`, value: { title: product.title, ...fact.value } };
    });
    return anyOf(answers, 'there is no product of which reviews could be known', (best, other) => other.count > best.count);
  },
};
