import type { EpochMs } from '../sequence/plan.ts';
import { accountFeatures, accountRules } from './account-features.ts';
import { type BandThresholds, bandOf, type RiskBand } from './bands.ts';
import type { Behaviour } from './behaviour.ts';
import type { BuyingModel } from './buy-till-you-die.ts';
import type { Features } from './example.ts';
import { explain, type RiskModel } from './model.ts';
import { isActive } from './outcome.ts';
import { explainOwn, isOwn, type OwnAnswer, type OwnRiskModel } from './own-model.ts';
import { rankByRules } from './rules.ts';

/**
 * What a score is. `chance`: calibrated on outcomes. `rank`: the share of the points of all rules, which says nothing about how often such accounts are
 * lost. `quantile`: the share of the accounts that are silent already and rank lower.
 */
export const assessmentBases = ['chance', 'rank', 'quantile'] as const;
export type AssessmentBasis = (typeof assessmentBases)[number];

/** Why rules assess. `no_model`: too few outcomes so far. `model_unavailable`: the model in use cannot be read or applied. `silent`: a model is about those who are active. */
export const rulesBecause = ['no_model', 'model_unavailable', 'silent'] as const;
export type RulesBecause = (typeof rulesBecause)[number];

/** An account at a moment, assessed. */
export interface Assessed {
  by: 'model' | 'rules';
  rulesBecause: RulesBecause | null;
  basis: AssessmentBasis;
  /** 0 to 1, of which `basis` says what it is. */
  score: number;
  band: RiskBand;
  /** Of a chance: its logit is this and all weights, exactly; null: rules ranked, or the weights are approximations (a model of the store's own). */
  base: number | null;
  /** The heaviest first. Of rules they add up to the rank. */
  factors: { features: string[]; weight: number }[];
  /** Of an account that is silent already: its rank by rules, from which the quantile follows. */
  silentRank: number | null;
}

/** What an account is assessed by. */
export interface AssessedBy {
  /** The model in use; null: there is none; `unavailable`: it cannot be read. */
  champion: { model: RiskModel | OwnRiskModel; buying: BuyingModel | null } | 'unavailable' | null;
  /** What the file of a model of the store's own says about this account; absent: nothing. */
  own?: OwnAnswer | undefined;
  thresholds: BandThresholds;
  /** The ranks of the accounts that are silent already, the lowest first. */
  silentRanks: readonly number[];
  /** That of them which is this account's own, from when it was assessed last; absent or null: it is none of them. */
  ownSilentRank?: number | null | undefined;
}

/** Quantiles of fewer silent accounts say nothing about them. */
const fewestSilent = 20;

/** Assess an account by what was known at a moment. Whatever the history or the model may be, there is an answer. */
export function assessAccount(history: readonly Behaviour[], atMs: EpochMs, by: AssessedBy): Assessed {
  const { champion, thresholds, own } = by;
  if (!isActive(history, atMs)) return ranked(accountFeatures(history, atMs), thresholds, 'silent', by);
  if (champion === null || champion === 'unavailable')
    return ranked(accountFeatures(history, atMs), thresholds, champion === null ? 'no_model' : 'model_unavailable');
  const features = accountFeatures(history, atMs, champion.buying);
  const explained = explainOrNull(champion.model, features, own);
  if (explained === null) return ranked(features, thresholds, 'model_unavailable');
  const { chance, base, factors } = explained;
  const band = bandOf(chance, thresholds);
  return { by: 'model', rulesBecause: null, basis: 'chance', score: chance, band, base, factors, silentRank: null };
}

function explainOrNull(model: RiskModel | OwnRiskModel, features: Features, own: OwnAnswer | undefined) {
  try {
    if (isOwn(model)) {
      const answered = own === undefined ? null : explainOwn(model, own);
      return answered === null ? null : { ...answered, base: null };
    }
    const explained = explain(model, features);
    return explained.chance >= 0 && explained.chance <= 1 ? explained : null;
  } catch {
    // What was stored by another build may not fit: rules are better than no answer.
    return null;
  }
}

function ranked(
  features: Features,
  thresholds: BandThresholds,
  because: RulesBecause,
  { silentRanks, ownSilentRank }: Pick<AssessedBy, 'silentRanks' | 'ownSilentRank'> = { silentRanks: [] },
): Assessed {
  const { score: rank, factors } = rankByRules(accountRules, features);
  const common = { by: 'rules' as const, rulesBecause: because, base: null, factors };
  if (because !== 'silent') return { ...common, basis: 'rank', score: rank, band: bandOf(rank, thresholds), silentRank: null };
  // It is compared with the others, and stands among them once, with the rank that it has now.
  const isOneOf = (matches: (own: number) => boolean) => (ownSilentRank != null && matches(ownSilentRank) ? 1 : 0);
  const below = countUntil(silentRanks, (other) => other >= rank);
  const upTo = countUntil(silentRanks, (other) => other > rank);
  const lower = below - isOneOf((own) => own < rank);
  const same = upTo - below - isOneOf((own) => own === rank) + 1;
  const all = silentRanks.length - isOneOf(() => true) + 1;
  const quantile = (lower + same / 2) / all;
  const band = all < fewestSilent ? 'none' : bandOf(quantile, thresholds);
  return { ...common, basis: 'quantile', score: quantile, band, silentRank: rank };
}

/** How many come before the first one from which on it holds. */
function countUntil(sorted: readonly number[], holds: (value: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(sorted[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}
