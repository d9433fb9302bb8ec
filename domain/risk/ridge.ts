import type { Term } from './additive.ts';
import { binOf, binsOf, learnColumn, namesOf, valueOf } from './column.ts';
import type { Example, Features } from './example.ts';
import { fitLogistic } from './logistic.ts';

/** What a number adds to the logit: so much per standard deviation above the mean. Numbers beyond those that were learned from count as the outermost of them. */
export interface Slope {
  name: string;
  mean: number;
  deviation: number;
  lowest: number;
  highest: number;
  perDeviation: number;
  /** What it adds that the number is not known. */
  whenUnknown: number;
}

/** A logistic regression: a slope for each number, and a weight for each category. */
export interface LogisticModel {
  kind: 'logistic';
  intercept: number;
  slopes: Slope[];
  /** One column each, of categories. */
  terms: Term[];
}

/** On numbers of one standard deviation. It keeps weights finite where a line separates both outcomes. */
const usualRidge = 1;

/** Learn a ridge logistic regression from features of any kind. @param examples - both outcomes have to occur */
export function fitRidge(examples: readonly Pick<Example, 'features' | 'lost'>[], ridge: number = usualRidge): LogisticModel {
  const numbers: { name: string; filled: Float64Array; missing: Float64Array; mean: number; deviation: number; lowest: number; highest: number }[] =
    [];
  const categories: { term: Term; codes: number[] }[] = [];
  for (const name of namesOf(examples)) {
    const values = examples.map(({ features }) => valueOf(features, name));
    const column = learnColumn(name, values, 2);
    if (column === null) continue;
    if (column.kind === 'category') {
      categories.push({ term: { columns: [column], weights: [] }, codes: values.map((value) => binOf(column, value)) });
      continue;
    }
    const known = values.filter((value) => typeof value === 'number');
    const scale = known.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    // Scaled first, so that squares of large numbers stay finite.
    const mean = known.reduce((sum, value) => sum + value / scale / known.length, 0) * scale;
    const variance = known.reduce((sum, value) => sum + ((value - mean) / scale) ** 2 / known.length, 0);
    const deviation = Math.sqrt(variance) * scale || 1;
    numbers.push({
      name,
      filled: Float64Array.from(values, (value) => (typeof value === 'number' ? (value - mean) / deviation : 0)),
      missing: Float64Array.from(values, (value) => Number(value === null)),
      mean,
      deviation,
      lowest: known.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
      highest: known.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
    });
  }
  const rows = examples.map((_, index) => [
    ...numbers.flatMap(({ filled, missing }) => [filled[index] ?? 0, missing[index] ?? 0]),
    ...categories.flatMap(({ term: { columns }, codes }) => Array.from({ length: binsOf(columns[0]) }, (_, bin) => Number(bin === codes[index]))),
  ]);
  const targets = examples.map(({ lost }) => Number(lost));
  const fit = fitLogistic(rows, targets, ridge);
  const left = fit.weights.slice(numbers.length * 2);
  return {
    kind: 'logistic',
    intercept: fit.intercept,
    slopes: numbers.map(({ name, mean, deviation, lowest, highest }, index) => ({
      name,
      mean,
      deviation,
      lowest,
      highest,
      perDeviation: fit.weights[index * 2] ?? 0,
      whenUnknown: fit.weights[index * 2 + 1] ?? 0,
    })),
    terms: categories.map(({ term: { columns } }) => ({ columns, weights: left.splice(0, binsOf(columns[0])) })),
  };
}

/** What a slope adds to the logit of somebody. */
export function slopeOf({ name, mean, deviation, lowest, highest, perDeviation, whenUnknown }: Slope, features: Features): number {
  const value = valueOf(features, name);
  if (typeof value !== 'number') return whenUnknown;
  return (perDeviation * (Math.min(highest, Math.max(lowest, value)) - mean)) / deviation;
}
