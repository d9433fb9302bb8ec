import { anyOf, type ClaimKind, type Claimed, factAbout, unlessFresh } from './claim.ts';

export interface FewLeft {
  title: string;
  left: number;
}

/** Few are left of something in the subject. None left is no reason to hurry anyone. */
export const stock: ClaimKind<'stock', FewLeft> = {
  name: 'stock',
  rests: ['stock'],
  judge({ products, facts, thresholds }, nowMs) {
    const answers = products.map((product): Claimed<FewLeft> => {
      const fact = factAbout(facts, 'stock', product);
      if (fact === null) return { holds: false, fact, why: 'its stock is not known', reason: 'unknown' };
      const { left } = fact.value;
      const untrue = (why: string): Claimed<FewLeft> => ({ holds: false, fact, why, reason: 'untrue' });
      if (left > thresholds.lowStockAt) return unlessFresh(fact, nowMs) ?? untrue(`${left} are left, and ${thresholds.lowStockAt} or less are few`);
      if (left < 1) return unlessFresh(fact, nowMs) ?? untrue('none is left');
      return unlessFresh(fact, nowMs) ?? { holds: true, fact, why: `${left} left`, value: { title: product.title, left } };
    });
    return anyOf(answers, 'there is no product whose stock could be known', (best, other) => other.left < best.left);
  },
};
