/** One of several contents, or times, of a step, compared by chance. */
export interface Variant {
  id: string;
  content: string;
  /** How long after the step is due its message goes out, in milliseconds of real time; absent: when it is due. */
  laterMs?: number;
  /** Its share, in proportion to the others'. */
  weight: number;
}

/** One of several courses of a whole sequence that are compared by chance: the steps that ask for it are its own. */
export interface SequenceArm {
  id: string;
  /** Its share, in proportion to the others'. */
  weight: number;
}

/** Stands for the step where a whole sequence is compared. No step has this id. */
export const wholeSequence = '*';

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

/**
 * One by chance of those that somebody has had least often.
 * @param had - the ids of those that they have had, in any order
 * @param point - as of `variantAt`, for this one message
 */
export function leastUsed<V extends Variant>(variants: readonly V[], had: readonly string[], point: number): V {
  const timesOf = ({ id }: Variant) => had.filter((one) => one === id).length;
  const fewest = Math.min(...variants.map(timesOf));
  return variantAt(
    point,
    variants.filter((variant) => timesOf(variant) === fewest),
  );
}

/** The share of each, by its id. */
export function sharesOf(variants: readonly Pick<Variant, 'id' | 'weight'>[]): Record<string, number> {
  const all = variants.reduce((sum, { weight }) => sum + weight, 0);
  return Object.fromEntries(variants.map(({ id, weight }) => [id, weight / all]));
}
