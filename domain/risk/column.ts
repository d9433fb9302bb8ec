import type { Features, FeatureValue } from './example.ts';

/** A feature of numbers. */
export interface NumberColumn {
  kind: 'number';
  name: string;
  /** Borders of its bins, ascending: a value on a border belongs to the bin above it. */
  cuts: number[];
}

/** A feature of categories. A boolean is one, as `true` and `false`. */
export interface CategoryColumn {
  kind: 'category';
  name: string;
  /** The categories that have a bin of their own. All others share one. */
  levels: string[];
}

/** A feature as a model reads it: values in bins. Learned from examples, and stored with the model. */
export type Column = NumberColumn | CategoryColumn;

/** The bin of what is unknown. The others follow from 1 on; the last one of categories is that of all others, which takes what no example had. */
export const unknownBin = 0;

/** A category with fewer examples shares the bin of all others. */
const fewestOfLevel = 5;
const mostLevels = 64;

/**
 * Learn the bins of a feature: numbers in bins that hold about as many examples each, categories by their names.
 * @param values - of all examples; a column is one of numbers when each known value is one
 * @param mostBins - of numbers, without that of the unknown
 * @returns null where there is nothing to learn from: the feature has one value in all examples
 */
export function learnColumn(name: string, values: readonly FeatureValue[], mostBins: number): Column | null {
  const known = values.map(normalised);
  if (new Set(known).size < 2) return null;
  const numbers = known.filter((value) => typeof value === 'number');
  const isNumber = known.every((value) => value === null || typeof value === 'number');
  if (isNumber) return { kind: 'number', name, cuts: cutsOf(Float64Array.from(numbers).toSorted(), mostBins) };
  const counts = new Map<string, number>();
  for (const value of known) if (value !== null) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const levels = [...counts]
    .filter(([, count]) => count >= fewestOfLevel)
    .toSorted(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .slice(0, mostLevels)
    .map(([level]) => level);
  return levels.length === 0 ? null : { kind: 'category', name, levels };
}

/** How many bins a column has, with that of the unknown. */
export function binsOf(column: Column): number {
  return column.kind === 'number' ? column.cuts.length + 2 : column.levels.length + 2;
}

/** The bin of a value. Every value has one: text in a column of numbers is unknown, a number beyond all borders is in the last bin. */
export function binOf(column: Column, value: FeatureValue): number {
  const known = normalised(value);
  if (known === null) return unknownBin;
  if (column.kind === 'category') {
    const level = column.levels.indexOf(String(known));
    return level === -1 ? column.levels.length + 1 : level + 1;
  }
  return typeof known === 'number' ? 1 + bordersUpTo(column.cuts, known) : unknownBin;
}

/** The value of a feature; null where it is unknown or cannot be one. */
export function valueOf(features: Features, name: string): FeatureValue {
  return Object.hasOwn(features, name) ? normalised(features[name] ?? null) : null;
}

/** The names of all features that any example has, in the order of the alphabet, so that the order of keys changes no model. */
export function namesOf(examples: readonly { features: Features }[]): string[] {
  return [...new Set(examples.flatMap(({ features }) => Object.keys(features)))].toSorted();
}

function normalised(value: FeatureValue): FeatureValue {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
}

/** Borders half way between neighbouring values. With few different values, and where one value fills a whole bin, each has a bin of its own. */
function cutsOf(sorted: Float64Array, mostBins: number): number[] {
  const starts: number[] = [];
  for (let index = 1; index < sorted.length; index += 1) if (sorted[index] !== sorted[index - 1]) starts.push(index);
  const perBin = sorted.length / mostBins;
  const chosen = starts.length < mostBins ? starts : fewer(starts, perBin, sorted.length);
  return chosen.map((index) => borderBetween(sorted[index - 1] ?? 0, sorted[index] ?? 0));
}

/** Of the places where a new value begins, the ones that close a bin: it holds enough, or the value that begins or ends there is a bin by itself. */
function fewer(starts: readonly number[], perBin: number, count: number): number[] {
  const chosen: number[] = [];
  for (const [index, start] of starts.entries()) {
    const last = chosen.at(-1) ?? 0;
    const runBefore = start - (starts[index - 1] ?? 0);
    const runAfter = (starts[index + 1] ?? count) - start;
    if (start - last >= perBin || runBefore >= perBin || runAfter >= perBin) chosen.push(start);
  }
  return chosen;
}

/** Neighbouring doubles have no number between them: the border is then the upper one. */
function borderBetween(below: number, above: number): number {
  const middle = below / 2 + above / 2;
  return middle > below ? middle : above;
}

/** How many borders are at or below a value. */
function bordersUpTo(cuts: readonly number[], value: number): number {
  let [low, high] = [0, cuts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((cuts[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
