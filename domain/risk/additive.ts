import { binOf, binsOf, type Column, learnColumn, namesOf, unknownBin, valueOf } from './column.ts';
import type { Example, Features } from './example.ts';
import { chanceOf, logitOf } from './logistic.ts';
import { seededReal, shuffled } from './random.ts';

/** What one feature, or two together, add to the logit: a weight for each bin. */
export interface Term {
  columns: [Column] | [Column, Column];
  /** Of two columns: row by row, the second column's bins within each bin of the first. */
  weights: number[];
}

/**
 * A generalised additive model: the logit is the intercept and one weight of each term, and so each weight is exactly what its feature does to the result.
 * Weights are centred: a term is 0 on average over the examples that it was learned from.
 */
export interface AdditiveModel {
  kind: 'additive';
  intercept: number;
  terms: Term[];
}

/** How an additive model is learned. */
export interface AdditiveSettings {
  /** The same examples and seed give the same model. */
  seed: number;
  /** Terms of two features, at most. 0: each feature stands alone. */
  pairs: number;
  /** Models, each of other examples, that are averaged. */
  bags: number;
  /** The share of a step that is taken. */
  rate: number;
  mostRounds: number;
}

export const usualAdditive: AdditiveSettings = { seed: 1, pairs: 10, bags: 8, rate: 0.05, mostRounds: 1_000 };

const binsAlone = 128;
const binsInPair = 32;
/** Examples on either side of a cut, at least. */
const fewestPerSide = 4;
/** The share of a bag's examples that says when to stop, and how many rounds without gain are waited for. */
const heldBack = 0.15;
const patience = 40;
/** Two features that are in different bins for at most this share of the examples are twins. */
const mostDifferent = 0.02;

/**
 * Learn a model by boosting: round after round each feature's weights take a small step along the gradient of the log-likelihood, until examples that were held
 * back gain no more. Pairs are those whose grid explains most of what is left, and are learned on top in the same way.
 * Source: Lou, Caruana, Gehrke & Hooker, Accurate intelligible models with pairwise interactions, KDD 2013
 * @param examples - both outcomes have to occur
 */
export function fitAdditive(examples: readonly Pick<Example, 'features' | 'lost'>[], settings: AdditiveSettings): AdditiveModel {
  const targets = Float64Array.from(examples, ({ lost }) => Number(lost));
  const base = logitOf(targets.reduce((sum, target) => sum + target, 0) / targets.length);
  const values = namesOf(examples).map((name) => ({ name, values: examples.map(({ features }) => valueOf(features, name)) }));
  const learned = (mostBins: number) =>
    values.flatMap(({ name, values: known }) => {
      const column = learnColumn(name, known, mostBins);
      return column === null
        ? []
        : [
            codedColumn(
              column,
              Uint16Array.from(known, (value) => binOf(column, value)),
            ),
          ];
    });
  const alone = learned(binsAlone);
  const real = seededReal(settings.seed);
  const bags = Array.from({ length: settings.bags }, () => bagOf(targets, real));
  const start = new Float64Array(targets.length).fill(base);

  const mains = averaged(
    alone.map(({ size }) => size),
    bags.map((bag) => boost(alone, targets, start, bag, settings, bestCut)),
  );
  const afterMains = start.slice();
  for (const [index, { codes }] of alone.entries()) addWeights(afterMains, codes, mains[index]);

  // A category with too many levels has no cells with enough examples.
  const coarse = settings.pairs === 0 ? [] : withoutTwins(learned(binsInPair).filter(({ size }) => size <= binsInPair + 2));
  const pairs = strongestPairs(coarse, targets, afterMains, settings.pairs);
  const grids = averaged(
    pairs.map(({ size }) => size),
    bags.map((bag) => boost(pairs, targets, afterMains, bag, settings, bestQuadrants)),
  );
  return centred(base, [
    ...alone.map(({ column, codes }, index) => ({ columns: [column] satisfies [Column], codes, weights: mains[index] ?? new Float64Array() })),
    ...pairs.map(({ columns, codes }, index) => ({ columns, codes, weights: grids[index] ?? new Float64Array() })),
  ]);
}

/** The model that the pairs were learned on top of, but for its intercept, which calibration sets anew. */
export function withoutPairs(model: AdditiveModel): AdditiveModel {
  return { ...model, terms: model.terms.filter(({ columns }) => columns.length === 1) };
}

/** What a term adds to the logit of somebody. */
export function weightOf({ columns: [first, second], weights }: Term, features: Features): number {
  const row = binOf(first, valueOf(features, first.name));
  if (second === undefined) return weights[row] ?? 0;
  return weights[row * binsOf(second) + binOf(second, valueOf(features, second.name))] ?? 0;
}

/** A feature, or two, with the bin of each example. */
interface Coded {
  codes: Uint16Array;
  size: number;
}

interface CodedColumn extends Coded {
  column: Column;
  /** Bins have an order; the unknown comes first. */
  ordered: boolean;
}

interface CodedPair extends Coded {
  columns: [Column, Column];
  rows: number;
  width: number;
}

const codedColumn = (column: Column, codes: Uint16Array): CodedColumn => ({ column, codes, size: binsOf(column), ordered: column.kind === 'number' });

/** The examples that a bag learns from, and those that tell it when to stop. */
interface Bag {
  learning: Uint32Array;
  stopping: Uint32Array;
}

/** Both outcomes are held back in the same share; with a single example of one nothing of it is. */
function bagOf(targets: Float64Array, real: () => number): Bag {
  const order = shuffled(targets.length, real);
  const parts = [0, 1].map((outcome) => order.filter((index) => targets[index] === outcome));
  const held = (part: Uint32Array) => Math.round(part.length * heldBack);
  return {
    learning: Uint32Array.from(parts.flatMap((part) => [...part.subarray(held(part))])).toSorted(),
    stopping: Uint32Array.from(parts.flatMap((part) => [...part.subarray(0, held(part))])).toSorted(),
  };
}

/** Sums of the gradient, of the curvature, and of examples, by bin. */
interface Sums {
  gradient: Float64Array;
  curvature: Float64Array;
  counts: Float64Array;
}

/** Adds the best step to `step`, which holds zeros; nothing where no cut has enough examples on both sides. */
type FindStep<T extends Coded> = (of: T, sums: Sums, step: Float64Array) => void;

/** The weights of each term after the round that predicted the held-out examples best. */
function boost<T extends Coded>(
  terms: readonly T[],
  targets: Float64Array,
  start: Float64Array,
  { learning, stopping }: Bag,
  { rate, mostRounds }: AdditiveSettings,
  findStep: FindStep<T>,
): Float64Array[] {
  const pick = (indices: Uint32Array) => ({
    targets: Float64Array.from(indices, (index) => targets[index] ?? 0),
    logits: Float64Array.from(indices, (index) => start[index] ?? 0),
    codes: terms.map(({ codes }) => Uint16Array.from(indices, (index) => codes[index] ?? 0)),
  });
  const learn = pick(learning);
  const stop = pick(stopping);
  const weights = terms.map(({ size }) => new Float64Array(size));
  let best = weights.map((one) => one.slice());
  let bestLoss = lossOf(stop.logits, stop.targets);
  let waited = 0;
  for (let round = 0; round < mostRounds && waited < patience; round += 1) {
    for (const [index, term] of terms.entries()) {
      const codes = learn.codes[index] ?? new Uint16Array();
      const step = new Float64Array(term.size);
      findStep(term, sumsOf(codes, term.size, learn), step);
      for (let bin = 0; bin < step.length; bin += 1) step[bin] = (step[bin] ?? 0) * rate;
      addWeights(learn.logits, codes, step);
      addWeights(stop.logits, stop.codes[index] ?? new Uint16Array(), step);
      const own = weights[index];
      if (own !== undefined) for (let bin = 0; bin < step.length; bin += 1) own[bin] = (own[bin] ?? 0) + (step[bin] ?? 0);
    }
    const loss = lossOf(stop.logits, stop.targets);
    waited += 1;
    // Gains that are this small go on for ever where a line separates the outcomes.
    if (loss < bestLoss - 1e-5) {
      bestLoss = loss;
      best = weights.map((one) => one.slice());
      waited = 0;
    }
  }
  return best;
}

function sumsOf(codes: Uint16Array, size: number, { targets, logits }: { targets: Float64Array; logits: Float64Array }): Sums {
  const gradient = new Float64Array(size);
  const curvature = new Float64Array(size);
  const counts = new Float64Array(size);
  for (let index = 0; index < codes.length; index += 1) {
    const bin = codes[index] ?? 0;
    const chance = chanceOf(logits[index] ?? 0);
    gradient[bin] = (gradient[bin] ?? 0) + (targets[index] ?? 0) - chance;
    curvature[bin] = (curvature[bin] ?? 0) + chance * (1 - chance);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { gradient, curvature, counts };
}

function addWeights(logits: Float64Array, codes: Uint16Array, weights: Float64Array | undefined): void {
  if (weights === undefined) return;
  for (let index = 0; index < logits.length; index += 1) logits[index] = (logits[index] ?? 0) + (weights[codes[index] ?? 0] ?? 0);
}

/** The mean log loss. */
function lossOf(logits: Float64Array, targets: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < logits.length; index += 1) {
    const logit = logits[index] ?? 0;
    sum += Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - (targets[index] ?? 0) * logit;
  }
  return sum / Math.max(1, logits.length);
}

/** Newton's step for a region, kept short where its curvature is next to nothing. */
const stepOf = (gradient: number, curvature: number) => gradient / (curvature + 0.1);
/** What the step gains, but for a constant. */
const gainOf = (gradient: number, curvature: number) => (gradient * gradient) / (curvature + 0.1);

/** One cut: of numbers between two neighbouring bins, of categories in the order of their gradients. */
function bestCut({ size, ordered }: CodedColumn, { gradient, curvature, counts }: Sums, step: Float64Array): void {
  const bins: number[] = [];
  for (let bin = 0; bin < size; bin += 1) if (ordered || (counts[bin] ?? 0) > 0) bins.push(bin);
  if (!ordered) {
    const slope = (bin: number) => (gradient[bin] ?? 0) / ((curvature[bin] ?? 0) + 1e-9);
    bins.sort((a, b) => slope(a) - slope(b));
  }
  let [allGradient, allCurvature, all] = [0, 0, 0];
  for (const bin of bins) {
    allGradient += gradient[bin] ?? 0;
    allCurvature += curvature[bin] ?? 0;
    all += counts[bin] ?? 0;
  }
  let [leftGradient, leftCurvature, left] = [0, 0, 0];
  let best = { gain: 0, at: -1, low: 0, high: 0 };
  for (const [index, bin] of bins.entries()) {
    leftGradient += gradient[bin] ?? 0;
    leftCurvature += curvature[bin] ?? 0;
    left += counts[bin] ?? 0;
    if (left < fewestPerSide || all - left < fewestPerSide) continue;
    const [rightGradient, rightCurvature] = [allGradient - leftGradient, allCurvature - leftCurvature];
    const gain = gainOf(leftGradient, leftCurvature) + gainOf(rightGradient, rightCurvature);
    if (gain > best.gain) best = { gain, at: index, low: stepOf(leftGradient, leftCurvature), high: stepOf(rightGradient, rightCurvature) };
  }
  if (best.at === -1) return;
  for (const [index, bin] of bins.entries()) {
    // Nobody was seen in this bin: nothing is known about it.
    if (bin === unknownBin && (counts[bin] ?? 0) === 0) continue;
    step[bin] = index <= best.at ? best.low : best.high;
  }
}

/** Sums over all cells up to a row and a column, both included, so that those of any rectangle take four look-ups. */
interface Cumulative {
  gradient: Float64Array;
  curvature: Float64Array;
  counts: Float64Array;
}

function cumulative({ gradient, curvature, counts }: Sums, rows: number, width: number): Cumulative {
  const stride = width + 1;
  const summed = (cells: Float64Array) => {
    const sums = new Float64Array((rows + 1) * stride);
    for (let row = 1; row <= rows; row += 1) {
      let line = 0;
      for (let column = 1; column <= width; column += 1) {
        line += cells[(row - 1) * width + column - 1] ?? 0;
        sums[row * stride + column] = (sums[(row - 1) * stride + column] ?? 0) + line;
      }
    }
    return sums;
  };
  return { gradient: summed(gradient), curvature: summed(curvature), counts: summed(counts) };
}

/** The sum over a rectangle of cells; its ends are not included. */
function within(sums: Float64Array, stride: number, top: number, bottom: number, left: number, right: number): number {
  return (
    (sums[bottom * stride + right] ?? 0) - (sums[top * stride + right] ?? 0) - (sums[bottom * stride + left] ?? 0) + (sums[top * stride + left] ?? 0)
  );
}

/** The cut of a strip of the grid that gains most: `at` is where the second part begins. */
interface StripCut {
  gain: number;
  at: number;
}

/** Two cuts: one of the one feature, and in each half one of the other. */
interface Quadrants {
  gain: number;
  /** The feature that is cut first is the one of the rows. */
  byRow: boolean;
  at: number;
  before: number;
  after: number;
}

function quadrantsOf(sums: Sums, rows: number, width: number): Quadrants | null {
  const cells = cumulative(sums, rows, width);
  const stride = width + 1;
  const gainWithin = (top: number, bottom: number, left: number, right: number): number => {
    if (within(cells.counts, stride, top, bottom, left, right) < fewestPerSide) return -1;
    return gainOf(within(cells.gradient, stride, top, bottom, left, right), within(cells.curvature, stride, top, bottom, left, right));
  };
  const cutStrip = (from: number, to: number, byRow: boolean): StripCut => {
    const end = byRow ? width : rows;
    let best: StripCut = { gain: -1, at: -1 };
    for (let at = 1; at < end; at += 1) {
      const low = byRow ? gainWithin(from, to, 0, at) : gainWithin(0, at, from, to);
      if (low < 0) continue;
      const high = byRow ? gainWithin(from, to, at, width) : gainWithin(at, rows, from, to);
      if (high >= 0 && low + high > best.gain) best = { gain: low + high, at };
    }
    return best;
  };
  let best: Quadrants | null = null;
  for (const byRow of [true, false]) {
    const end = byRow ? rows : width;
    for (let at = 1; at < end; at += 1) {
      const before = cutStrip(0, at, byRow);
      if (before.at === -1) continue;
      const after = cutStrip(at, end, byRow);
      const gain = before.gain + after.gain;
      if (after.at !== -1 && gain > (best?.gain ?? 0)) best = { gain, byRow, at, before: before.at, after: after.at };
    }
  }
  return best;
}

function bestQuadrants({ rows, width }: CodedPair, sums: Sums, step: Float64Array): void {
  const cut = quadrantsOf(sums, rows, width);
  if (cut === null) return;
  const regions = [0, 0, 0, 0].map(() => ({ gradient: 0, curvature: 0 }));
  const regionOf = (row: number, column: number): number => {
    const [first, second] = cut.byRow ? [row, column] : [column, row];
    return first < cut.at ? Number(second >= cut.before) : 2 + Number(second >= cut.after);
  };
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const region = regions[regionOf(row, column)];
      if (region === undefined) continue;
      region.gradient += sums.gradient[row * width + column] ?? 0;
      region.curvature += sums.curvature[row * width + column] ?? 0;
    }
  }
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const region = regions[regionOf(row, column)];
      if (region !== undefined) step[row * width + column] = stepOf(region.gradient, region.curvature);
    }
  }
}

/** The pairs whose grid gains more than both of its features alone still would, most first. */
function strongestPairs(columns: readonly CodedColumn[], targets: Float64Array, logits: Float64Array, most: number): CodedPair[] {
  const found: { pair: CodedPair; gain: number }[] = [];
  const alone = (of: CodedColumn) => {
    const step = new Float64Array(of.size);
    const sums = sumsOf(of.codes, of.size, { targets, logits });
    bestCut(of, sums, step);
    return step.reduce((gain, weight, bin) => gain + weight * (sums.gradient[bin] ?? 0), 0);
  };
  const gains = columns.map(alone);
  for (const [index, first] of columns.entries()) {
    for (let other = index + 1; other < columns.length; other += 1) {
      const second = columns[other];
      if (second === undefined) continue;
      const pair = pairOf(first, second);
      const cut = quadrantsOf(sumsOf(pair.codes, pair.size, { targets, logits }), pair.rows, pair.width);
      const gain = (cut?.gain ?? 0) - Math.max(gains[index] ?? 0, gains[other] ?? 0);
      if (gain > 0) found.push({ pair, gain });
    }
  }
  return found
    .toSorted((a, b) => b.gain - a.gain)
    .slice(0, most)
    .map(({ pair }) => pair);
}

/** Without features that say what an earlier one says already, such as a price beside the minutes that it is for: their pairs would be the same pair twice. */
function withoutTwins(columns: readonly CodedColumn[]): CodedColumn[] {
  const kept: CodedColumn[] = [];
  for (const column of columns) {
    const isTwin = kept.some(({ codes, ordered }) => {
      const different = codes.reduce((count, code, index) => count + Number(code !== column.codes[index]), 0);
      return ordered && column.ordered && different <= mostDifferent * codes.length;
    });
    if (!isTwin) kept.push(column);
  }
  return kept;
}

function pairOf(first: CodedColumn, second: CodedColumn): CodedPair {
  const width = second.size;
  return {
    columns: [first.column, second.column],
    codes: first.codes.map((row, index) => row * width + (second.codes[index] ?? 0)),
    size: first.size * width,
    rows: first.size,
    width,
  };
}

/** The mean of what the bags have learned, term by term. */
function averaged(sizes: readonly number[], bags: readonly Float64Array[][]): Float64Array[] {
  return sizes.map((size, term) => {
    const mean = new Float64Array(size);
    for (const bag of bags) for (let bin = 0; bin < size; bin += 1) mean[bin] = (mean[bin] ?? 0) + (bag[term]?.[bin] ?? 0) / bags.length;
    return mean;
  });
}

/** Each term's mean over the examples moves into the intercept. */
function centred(base: number, terms: readonly { columns: Term['columns']; codes: Uint16Array; weights: Float64Array }[]): AdditiveModel {
  let intercept = base;
  const moved = terms.map(({ columns, codes, weights }) => {
    const mean = codes.reduce((sum, bin) => sum + (weights[bin] ?? 0), 0) / codes.length;
    intercept += mean;
    return { columns, weights: Array.from(weights, (weight) => weight - mean) };
  });
  return { kind: 'additive', intercept, terms: moved };
}
