import { chanceOf, fitLogistic, logitOf } from './logistic.ts';
import { type ReliabilityBin, reliabilityOf } from './reliability.ts';

/** How well chances fit what came of it. Each is null where it does not exist: without both outcomes there is nothing to tell apart. */
export interface Quality {
  examples: number;
  lost: number;
  /** The mean squared error of the chances; 0 is perfect. Source: Brier, 1950 */
  brier: number;
  /** 1 − Brier ÷ Brier of the share of the lost, told to everybody: 0 is no better than that, 1 is perfect. */
  brierSkill: number | null;
  logLoss: number;
  /** How often somebody who was lost had the higher chance than somebody who was not; ties count half. 0.5 is chance. */
  auc: number | null;
  /** How much the logits have to be stretched: below 1 they are too extreme, above 1 too timid. */
  calibrationSlope: number | null;
  /** By how much all logits are too low, at a slope of 1: above 0 more were lost than foretold. */
  calibrationIntercept: number | null;
  /** Chances beside what came of them, from the lowest to the highest. Absent: it was judged by a build that did not count them. */
  reliability?: ReliabilityBin[];
}

/** Chances are kept away from 0 and 1 by this much where their logarithm is taken. */
const edge = 1e-12;

/**
 * @param chances - 0 to 1, one per example
 * @throws RangeError when there are no examples, or not as many outcomes as chances
 */
export function qualityOf(chances: readonly number[], outcomes: readonly boolean[]): Quality {
  if (chances.length === 0 || chances.length !== outcomes.length) {
    throw new RangeError(
      `${chances.length} chances and ${outcomes.length} outcomes: there has to be one of each per example, and one example at least`,
    );
  }
  const targets = outcomes.map(Number);
  const lost = targets.reduce((sum, target) => sum + target, 0);
  const base = lost / targets.length;
  const mean = (of: (chance: number, target: number) => number) =>
    chances.reduce((sum, chance, index) => sum + of(chance, targets[index] ?? 0), 0) / chances.length;
  const auc = base > 0 && base < 1 ? areaUnderCurve(chances, targets) : null;
  const brier = mean((chance, target) => (chance - target) ** 2);
  const uncertainty = base * (1 - base);
  const inside = (chance: number) => Math.min(1 - edge, Math.max(edge, chance));
  return {
    examples: targets.length,
    lost,
    brier,
    brierSkill: uncertainty > 0 ? 1 - brier / uncertainty : null,
    logLoss: mean((chance, target) => -Math.log(target === 1 ? inside(chance) : 1 - inside(chance))),
    auc,
    ...calibrationOf(
      chances.map((chance) => logitOf(inside(chance))),
      targets,
      auc,
    ),
    reliability: reliabilityOf(chances, outcomes),
  };
}

/** The share of pairs that are in the right order, by the ranks of the lost (Mann and Whitney). */
function areaUnderCurve(chances: readonly number[], targets: readonly number[]): number {
  const order = chances.map((chance, index) => ({ chance, target: targets[index] ?? 0 })).toSorted((a, b) => a.chance - b.chance);
  let [ranks, lost] = [0, 0];
  for (let first = 0; first < order.length; ) {
    let end = first;
    while (end < order.length && order[end]?.chance === order[first]?.chance) end += 1;
    const tied = order.slice(first, end).filter(({ target }) => target === 1).length;
    ranks += tied * ((first + 1 + end) / 2);
    lost += tied;
    first = end;
  }
  return (ranks - (lost * (lost + 1)) / 2) / (lost * (order.length - lost));
}

/** Source: Cox, Two further applications of a model for binary regression, 1958; Van Calster et al., 2016 */
function calibrationOf(
  logits: readonly number[],
  targets: readonly number[],
  auc: number | null,
): Pick<Quality, 'calibrationSlope' | 'calibrationIntercept'> {
  if (auc === null) return { calibrationSlope: null, calibrationIntercept: null };
  const slope = fitLogistic(
    logits.map((logit) => [logit]),
    targets,
    0,
  );
  const intercept = fitLogistic(
    logits.map(() => []),
    targets,
    0,
    logits,
  );
  const isConstant = logits.every((logit) => logit === logits[0]);
  // Where the chances separate both outcomes without a mistake no slope is steep enough.
  const hasSlope = slope.converged && !isConstant && auc > 0 && auc < 1;
  return {
    calibrationSlope: hasSlope ? (slope.weights[0] ?? null) : null,
    calibrationIntercept: intercept.converged ? intercept.intercept : null,
  };
}

/** The parts of the Brier score of chances in bins: it is `reliability − resolution + uncertainty`, but for what varies within a bin. */
export interface BrierParts {
  /** How far the chances are off in their bins; 0 is perfect. */
  reliability: number;
  /** How far the bins are apart in what came of them; more is better. */
  resolution: number;
  uncertainty: number;
}

/**
 * @param borders - of the bins, ascending; a chance on a border belongs to the bin above it
 * Source: Murphy, A new vector partition of the probability score, 1973
 */
export function brierParts(chances: readonly number[], outcomes: readonly boolean[], borders: readonly number[]): BrierParts {
  const bins = new Map<number, { count: number; chances: number; lost: number }>();
  for (const [index, chance] of chances.entries()) {
    const key = borders.filter((border) => chance >= border).length;
    const bin = bins.get(key) ?? { count: 0, chances: 0, lost: 0 };
    bins.set(key, { count: bin.count + 1, chances: bin.chances + chance, lost: bin.lost + Number(outcomes[index]) });
  }
  const base = outcomes.filter(Boolean).length / outcomes.length;
  const weighted = (of: (bin: { count: number; chances: number; lost: number }) => number) =>
    [...bins.values()].reduce((sum, bin) => sum + bin.count * of(bin), 0) / chances.length;
  return {
    reliability: weighted((bin) => (bin.chances / bin.count - bin.lost / bin.count) ** 2),
    resolution: weighted((bin) => (bin.lost / bin.count - base) ** 2),
    uncertainty: base * (1 - base),
  };
}

/** A line through logits that makes chances of them: `intercept + slope · logit`. */
export interface Calibration {
  intercept: number;
  /** Above 0: the order stays. */
  slope: number;
}

/**
 * Calibrate logits on outcomes that the model has not seen. The outcomes are smoothed as by Platt, so that few examples promise nothing certain.
 * @returns null where it is impossible: an outcome is missing, or higher logits were lost less often
 * Source: Platt, Probabilistic outputs for support vector machines, 1999
 */
export function calibrate(logits: readonly number[], outcomes: readonly boolean[]): Calibration | null {
  const lost = outcomes.filter(Boolean).length;
  const kept = outcomes.length - lost;
  if (lost === 0 || kept === 0) return null;
  const targets = outcomes.map((isLost) => (isLost ? (lost + 1) / (lost + 2) : 1 / (kept + 2)));
  const fit = fitLogistic(
    logits.map((logit) => [logit]),
    targets,
    0,
  );
  const slope = fit.weights[0] ?? 0;
  return slope > 0 && Number.isFinite(slope) && fit.converged ? { intercept: fit.intercept, slope } : null;
}

/** The calibrated chance of a logit. */
export function calibratedChance({ intercept, slope }: Calibration, logit: number): number {
  return chanceOf(intercept + slope * logit);
}
