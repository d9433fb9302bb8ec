import type { assessmentCauses } from '../../db/schema/index.ts';
import type { AssessmentBasis, RulesBecause } from '../../domain/risk/assess.ts';
import type { BandThresholds, RiskBand, RiskLevel, riskStages } from '../../domain/risk/bands.ts';
import type { BuyingModel } from '../../domain/risk/buy-till-you-die.ts';
import type { RiskModel } from '../../domain/risk/model.ts';
import type { NoSequenceReason } from '../../domain/subjects/no-sequence.ts';
import type { Prediction } from '../../domain/risk/outcome.ts';
import type { OwnRiskModel } from '../../domain/risk/own-model.ts';

export type AssessmentCause = (typeof assessmentCauses)[number];

/** One assessment of one account. */
export interface AssessmentView {
  id: string;
  accountId: string;
  atMs: number;
  by: 'model' | 'rules';
  rulesBecause: RulesBecause | null;
  basis: AssessmentBasis;
  score: number;
  band: RiskBand;
  bandBefore: RiskBand;
  /** `Early Warning` …; null: in no band. */
  stage: (typeof riskStages)[RiskBand];
  level: RiskLevel | null;
  daysLeft: { atLeast: number | null; below: number | null } | null;
  base: number | null;
  factors: { features: string[]; weight: number }[];
  /** `approximate`: of a model of the store's own. The weights do not add up to the score. */
  reasons: 'exact' | 'approximate';
  thresholds: BandThresholds;
  prediction: Prediction;
  modelVersion: number | null;
  cause: AssessmentCause;
  /** The enrollment that began by it; null: none did. */
  begun: string | null;
  /** What kept the band’s sequence from beginning; null: nothing, or none was to. */
  keptFrom: NoSequenceReason | null;
  /** What the score is, and what it is not, as a sentence. */
  sentence: string;
}

/** The model in use. */
export interface Champion {
  id: string;
  version: number;
  prediction: Prediction;
  model: RiskModel | OwnRiskModel;
  buying: BuyingModel | null;
}
