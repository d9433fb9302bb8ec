import type { Features } from './example.ts';
import { valueOf } from './column.ts';
import { logitOf } from './logistic.ts';
import type { RiskFactor } from './model.ts';
import { type Calibration, calibratedChance } from './quality.ts';

/**
 * What a model of a store's own is given where it has one input of all features: in this order, and no other. A new feature goes to the end.
 * Source: docs/risk.md#a-model-of-your-own
 */
export const ownModelFeatures = [
  ...['knownDays', 'daysSinceAny', 'daysSinceVisit', 'visitsIn30Days', 'visitsIn90Days', 'daysSinceOrder', 'ordersIn30Days', 'ordersIn90Days'],
  ...['daysSinceMessage', 'messagesIn30Days', 'messagesIn90Days', 'daysSinceOpen', 'opensIn30Days', 'opensIn90Days', 'daysSinceCall'],
  ...['callsIn30Days', 'callsIn90Days', 'daysSinceSupport', 'supportsIn30Days', 'supportsIn90Days', 'activity', 'activityChange', 'rhythmDays'],
  ...['overdue', 'severeSupportIn90Days', 'callsAnsweredIn90Days', 'repeatOrders', 'meanOrder', 'chanceAlive'],
] as const;

/** Whether an input may be named so: one of the features, or `own.` and the code of behaviour of the store's own. */
export const isOwnModelFeature = (name: string): boolean => ownModelFeatures.some((known) => known === name) || /^own\..+/.test(name);

/** A model that a store has brought as a file. What the file says is not known here: only which file it was, and what its answers are compared with. */
export interface OwnModel {
  kind: 'onnx';
  /** Of the file that was calibrated, in hexadecimal: another file needs another calibration. */
  sha256: string;
  /** What the features usually are: their medians among the newest examples; null: unknown. Reasons are measured against it. */
  usual: Record<string, number | null>;
}

/** Plain data, stored in the place of a model that was learned. */
export interface OwnRiskModel {
  model: OwnModel;
  calibration: Calibration;
}

/** What the file says about one account: as it is, and with one feature at a time as it usually is. */
export interface OwnAnswer {
  /** 0 to 1, before calibration; NaN: it says nothing. */
  chance: number;
  without: { feature: string; chance: number }[];
}

/** As the file is given it: a number, and NaN for what is not known. */
export function numberOf(features: Features, name: string): number {
  const value = valueOf(features, name);
  // Nobody has counted an event that never came: it came no time.
  if (value === null && name.startsWith('own.')) return 0;
  return typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : Number.NaN;
}

/** The medians of features among examples; null where most do not know it. */
export function usualOf(examples: readonly Features[]): Record<string, number | null> {
  const names = new Set<string>([
    ...ownModelFeatures,
    ...examples.flatMap((features) => Object.keys(features).filter((name) => name.startsWith('own.'))),
  ]);
  const usual: Record<string, number | null> = {};
  for (const name of names) {
    const known = examples.map((features) => numberOf(features, name)).filter((value) => !Number.isNaN(value));
    usual[name] = known.length * 2 < examples.length ? null : (known.toSorted((a, b) => a - b)[Math.floor(known.length / 2)] ?? null);
  }
  return usual;
}

/** The account with one feature at a time as it usually is: those that are usual already are left out. */
export function variantsOf(features: Features, { usual }: OwnModel): { feature: string; features: Features }[] {
  return Object.entries(usual)
    .filter(([name, value]) => !Object.is(numberOf(features, name), value ?? Number.NaN))
    .map(([feature, value]) => ({ feature, features: { ...features, [feature]: value } }));
}

/** The logit of an answer, before calibration. A file that is certain is not: its chances are kept a millionth away from 0 and 1. */
export const ownLogit = (chance: number): number => logitOf(Math.min(1 - certain, Math.max(certain, chance)));
const certain = 1e-6;

/**
 * A calibrated chance, and what it would be without each feature. These reasons are approximations: what features do together is in several of them, and
 * they do not add up.
 * @returns null where the file says nothing
 */
export function explainOwn({ calibration }: OwnRiskModel, { chance, without }: OwnAnswer): { chance: number; factors: RiskFactor[] } | null {
  if (!isChance(chance)) return null;
  const factors = without
    .filter((one) => isChance(one.chance))
    .map(({ feature, chance: other }): RiskFactor => ({ features: [feature], weight: calibration.slope * (ownLogit(chance) - ownLogit(other)) }))
    .filter(({ weight }) => Math.abs(weight) > 1e-9)
    .toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  return { chance: calibratedChance(calibration, ownLogit(chance)), factors };
}

export const isChance = (value: number): boolean => value >= 0 && value <= 1;

export const isOwn = (model: { model: { kind: string } }): model is OwnRiskModel => model.model.kind === 'onnx';
