import type { Example, Features } from '../../../domain/risk/example.ts';
import { chanceOf } from '../../../domain/risk/logistic.ts';
import { seededRandom } from '../../chaos/random.ts';

/** Customers whose chance of being lost follows from three features: one alone, and two only together. A tenth of the values is missing. */
export function customers(count: number, seed: number): Example[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index): Example => {
    const idleDays = random.whole(0, 60);
    const plan = random.pick(['basic', 'family', 'business']);
    const calls = random.whole(0, 6);
    const logit = -2.5 + idleDays / 20 + (plan === 'business' && calls > 3 ? 3 : 0) - (plan !== 'business' && calls > 3 ? 1 : 0);
    const features: Features = {
      idleDays: random.chance(0.1) ? null : idleDays,
      plan: random.chance(0.1) ? null : plan,
      calls,
      noise: random.real(),
      newsletter: random.chance(0.5),
      shop: 'Lakeside Bakery',
    };
    return { atMs: index * 60_000, features, lost: random.chance(chanceOf(logit)) };
  });
}
