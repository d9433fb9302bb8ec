import { type AdditiveModel, weightOf } from './additive.ts';
import type { Features } from './example.ts';
import { chanceOf } from './logistic.ts';
import type { Calibration } from './quality.ts';
import { type LogisticModel, slopeOf } from './ridge.ts';

/** A model and its calibration. Plain data: it is stored as JSON, and read back as it was. */
export interface RiskModel {
  model: AdditiveModel | LogisticModel;
  calibration: Calibration;
}

/** What a feature, or two together, add to the logit: above 0 towards being lost. */
export interface RiskFactor {
  features: [string] | [string, string];
  weight: number;
}

/** A calibrated chance with its reasons. `logit` is `base` plus all weights, exactly: nothing is left unexplained. */
export interface Explained {
  /** That what is predicted will happen, 0 to 1. */
  chance: number;
  logit: number;
  base: number;
  /** The heaviest first, whichever way they weigh. */
  factors: RiskFactor[];
}

/** Whatever a value may be, there is an answer: what was not learned from weighs as what is not known, or as the nearest that was learned. */
export function explain({ model, calibration: { intercept, slope } }: RiskModel, features: Features): Explained {
  const factors = factorsOf(model, features)
    .map(({ features: names, weight }) => ({ features: names, weight: slope * weight }))
    .toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  const base = intercept + slope * model.intercept;
  const logit = factors.reduce((sum, { weight }) => sum + weight, base);
  return { chance: chanceOf(logit), logit, base, factors };
}

/** The logit before calibration. */
export function rawLogit(model: RiskModel['model'], features: Features): number {
  return factorsOf(model, features).reduce((sum, { weight }) => sum + weight, model.intercept);
}

function factorsOf(model: RiskModel['model'], features: Features): RiskFactor[] {
  const terms = model.terms.map((term): RiskFactor => {
    const [first, second] = term.columns;
    return { features: second === undefined ? [first.name] : [first.name, second.name], weight: weightOf(term, features) };
  });
  if (model.kind === 'additive') return terms;
  return [...model.slopes.map((slope): RiskFactor => ({ features: [slope.name], weight: slopeOf(slope, features) })), ...terms];
}
