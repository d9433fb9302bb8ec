/** How an order is shared out among the messages before it. */
export const attributionModels = ['last', 'linear', 'position', 'time_decay'] as const;
export type AttributionModel = (typeof attributionModels)[number];

const dayMs = 86_400_000;

/**
 * The weight of each touch, earliest first; they add up to 1. `position`: 40 % for the first and the last, 20 % for those between. `time_decay`: half as much for
 * each half-life before the order.
 * @param agesMs - how long before the order each was, the longest first; none below 0
 * Source: docs/rules.md#rule-103
 */
export function weightsOf(model: AttributionModel, agesMs: readonly number[], halfLifeDays: number): number[] {
  const touches = agesMs.length;
  if (touches === 0) return [];
  const share = (weights: readonly number[]) => {
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / all);
  };
  switch (model) {
    case 'last':
      return agesMs.map((_, index) => (index === touches - 1 ? 1 : 0));
    case 'linear':
      return share(agesMs.map(() => 1));
    case 'position':
      return share(agesMs.map((_, index) => (index === 0 || index === touches - 1 ? 0.4 : 0.2 / (touches - 2))));
    case 'time_decay': {
      // Counted from the last touch, or touches of long ago would all weigh nothing.
      const latest = agesMs.at(-1) ?? 0;
      return share(agesMs.map((ageMs) => 2 ** (-(ageMs - latest) / (halfLifeDays * dayMs))));
    }
  }
}

/** Of a remainder: what differs by less is equal, on every machine. */
const finest = 1e6;

/**
 * An amount in minor units shared out by weights, to the cent: everybody gets the whole part, and what is left goes to the largest remainders, of equal ones to the
 * later touch.
 * @param amountMinor - 0 or more
 * Source: Hamilton’s method; docs/rules.md#rule-103
 */
export function shareOut(amountMinor: number, weights: readonly number[]): number[] {
  const exact = weights.map((weight) => amountMinor * weight);
  const whole = exact.map((amount) => Math.floor(amount + 0.5 / finest));
  const left = weights.length === 0 ? 0 : amountMinor - whole.reduce((sum, amount) => sum + amount, 0);
  const order = exact
    .map((amount, index) => ({ index, remainder: Math.round((amount - (whole[index] ?? 0)) * finest) }))
    .toSorted((a, b) => b.remainder - a.remainder || b.index - a.index);
  for (const { index } of order.slice(0, left)) whole[index] = (whole[index] ?? 0) + 1;
  return whole;
}
