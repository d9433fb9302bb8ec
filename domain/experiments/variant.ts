/** One of several contents of a step, compared by chance. */
export interface Variant {
  id: string;
  content: string;
  /** Its share, in proportion to the others'. */
  weight: number;
}

/** Of one step: fewer are no comparison, and more leave too few people for each. */
export const fewestVariants = 2;
export const mostVariants = 10;

/**
 * The variant of one person.
 * @param point - where the person lies in [0, 1): the same for the same person and step, evenly spread over people
 */
export function variantAt<V extends Pick<Variant, 'weight'>>(point: number, variants: readonly V[]): V {
  const all = variants.reduce((sum, { weight }) => sum + weight, 0);
  let below = 0;
  for (const variant of variants) {
    below += variant.weight;
    if (point * all < below) return variant;
  }
  const last = variants.at(-1);
  if (last === undefined) throw new RangeError('a step without variants has no arms');
  return last;
}

/** The share of each, by its id. */
export function sharesOf(variants: readonly Variant[]): Record<string, number> {
  const all = variants.reduce((sum, { weight }) => sum + weight, 0);
  return Object.fromEntries(variants.map(({ id, weight }) => [id, weight / all]));
}
