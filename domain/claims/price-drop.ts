import { priceMinor } from '../facts/price.ts';
import { anyOf, type ClaimKind, type Claimed, factAbout, latest, unlessFresh } from './claim.ts';

export interface PriceDrop {
  title: string;
  beforeMinor: number;
  nowMinor: number;
  /** ISO 4217. */
  currency: string;
}

/** Something in the subject costs less than when it was left. */
export const priceDrop: ClaimKind<'price_drop', PriceDrop> = {
  name: 'price_drop',
  rests: ['price'],
  judge({ products, facts, before, currency, leftAtMs }, nowMs) {
    const answers = products.map((product): Claimed<PriceDrop> => {
      const fact = factAbout(facts, 'price', product);
      if (fact === null) return { holds: false, fact, why: 'its present price is not known', reason: 'unknown' };
      const stale = unlessFresh(fact, nowMs);
      if (stale !== null) return stale;
      if (fact.observedAtMs <= leftAtMs) return { holds: false, fact, why: 'its price has not changed since it was left', reason: 'untrue' };
      const nowMinor = priceMinor(fact.value);
      const earlier = latest(before.filter(({ subject, source }) => subject === fact.subject && source === fact.source));
      const beforeMinor =
        earlier !== null && earlier.value.currency === fact.value.currency
          ? priceMinor(earlier.value)
          : fact.value.as_in_carts && currency === fact.value.currency
            ? product.priceMinor
            : null;
      if (beforeMinor === null) return { holds: false, fact, why: 'what it cost when it was left is not known', reason: 'unknown' };
      if (nowMinor >= beforeMinor) return { holds: false, fact, why: 'it does not cost less than when it was left', reason: 'untrue' };
      const value = { title: product.title, beforeMinor, nowMinor, currency: fact.value.currency };
      return { holds: true, fact, why: `${fact.value.price} ${fact.value.currency} now, less than when it was left`, value };
    });
    const saved = ({ beforeMinor, nowMinor }: PriceDrop) => beforeMinor - nowMinor;
    return anyOf(answers, 'there is no product whose price could be known', (best, other) => saved(other) > saved(best));
  },
};
