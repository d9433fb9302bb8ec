/**
 * Each p-value adjusted so that, of everything at or below a bound, no larger share than the bound is expected to be chance. In the given order.
 * Source: Benjamini and Hochberg, Controlling the false discovery rate, 1995
 */
export function adjustedP(values: readonly number[]): number[] {
  const order = values.map((p, index) => ({ p, index })).toSorted((a, b) => b.p - a.p);
  const adjusted = values.map(() => 1);
  let smallest = 1;
  for (const [place, { p, index }] of order.entries()) {
    smallest = Math.min(smallest, (p * values.length) / (values.length - place));
    adjusted[index] = smallest;
  }
  return adjusted;
}
