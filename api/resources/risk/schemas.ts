import { z } from 'zod';
import type { AssessmentView } from '../../../operations/risk/assessment.ts';
import type { ListedAssessment } from '../../../operations/risk/assessment-view.ts';
import { reliabilityView } from '../../../operations/risk/reliability-view.ts';
import type { RunRow } from '../../../operations/risk/runs.ts';
import type { ModelRow } from '../../../operations/risk/train-models.ts';
import { isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';

export const bands = z.enum(['none', 'early', 'active', 'critical']);
const what = z.enum(['no_purchase', 'no_answer']);
const predictionSchema = z.object({ what, within_days: z.int() });

const bound = z.number().nullable();
const thresholds = z
  .object({ version: z.int(), early: z.number(), active: z.number(), critical: z.number() })
  .meta({ description: 'Where bands begin; a border belongs to the band above it. `version`: of the store’s settings.' });

export const assessmentSchema = z
  .object({
    id: z.uuid(),
    account: z.uuid(),
    at: timeField,
    by: z.enum(['model', 'rules']),
    rules_because: z.enum(['no_model', 'model_unavailable', 'silent']).nullable().meta({
      description:
        'Why rules assessed. `no_model`: there are too few outcomes to learn from. `model_unavailable`: the model in use could not be applied. `silent`: it has done nothing for 90 days, and models are about accounts that are active.',
    }),
    basis: z.enum(['chance', 'rank', 'quantile']).meta({
      description:
        'What `score` is. `chance`: calibrated on outcomes. `rank`, `quantile`: no chance; of the points of rules, or among the silent accounts.',
    }),
    score: z.number().meta({ description: '0 to 1.' }),
    sentence: z.string().meta({ description: 'What the score says, and what it does not.' }),
    band: bands,
    band_before: bands,
    stage: z
      .enum(['Early Warning', 'Active Risk', 'Critical Risk'])
      .nullable()
      .meta({ description: 'The stage of an intervention that belongs to the band; null: none does.' }),
    risk_level: z
      .enum(['Low', 'Medium', 'High', 'Critical'])
      .nullable()
      .meta({ description: 'Early Warning is `Low` in the lower half of its band and `Medium` in the upper; null: in no band.' }),
    days_left: z
      .object({ at_least: bound, below: bound })
      .nullable()
      .meta({ description: 'How long until the account is lost, estimated for the band and not for the account; null: it is in no band.' }),
    base: z.number().nullable().meta({ description: 'Of a chance: its logit is this and all weights; null where the reasons are approximate.' }),
    factors: z
      .array(z.object({ features: z.array(z.string()), weight: z.number() }))
      .meta({ description: 'The heaviest first: above 0 towards being lost. Of rules, their shares of the rank.' }),
    reasons: z.enum(['exact', 'approximate']).meta({
      description:
        '`exact`: nothing but these factors went into the score. `approximate`: of a model of the store’s own; each factor is what the score would lose without it.',
    }),
    thresholds,
    prediction: predictionSchema,
    model: z.int().nullable().meta({ description: 'The version of the model; null: rules assessed.' }),
    cause: z.enum(['behaviour', 'time', 'asked', 'portfolio']).meta({ description: 'What made it be assessed.' }),
    begun: z.uuid().nullable().meta({ description: 'The enrollment that began by it.' }),
    kept_from: z.string().nullable().meta({
      description:
        'What kept the sequence of its band from beginning, such as `opted_out` or `no_sequence`: none takes anybody in. Null: nothing, or none was to begin.',
    }),
  })
  .meta({ id: 'RiskAssessment' });

export function factsOf(view: AssessmentView): z.input<typeof assessmentSchema> {
  const { id, by, basis, score, sentence, band, base, factors, reasons, thresholds: at, cause } = view;
  return {
    ...{ id, account: view.accountId, at: isoTime(view.atMs), by, rules_because: view.rulesBecause, basis, score, sentence },
    ...{ band, band_before: view.bandBefore, base, factors, reasons, thresholds: at, cause, model: view.modelVersion },
    ...{ begun: view.begun, kept_from: view.keptFrom },
    ...{ stage: view.stage, risk_level: view.level },
    days_left: view.daysLeft === null ? null : { at_least: view.daysLeft.atLeast, below: view.daysLeft.below },
    prediction: { what: view.prediction.what, within_days: view.prediction.withinDays },
  };
}

export const listedAssessmentSchema = assessmentSchema
  .extend({
    name: z.string().nullable().meta({ description: 'Of the account. Personal data.' }),
    contact: z.uuid().nullable().meta({ description: 'Whose the account is; null: nobody’s so far.' }),
  })
  .meta({ id: 'ListedRiskAssessment' });

export const listedFactsOf = (view: ListedAssessment): z.input<typeof listedAssessmentSchema> => ({
  ...factsOf(view),
  name: view.name,
  contact: view.contactId,
});

const reliabilityBin = z.object({
  from: z.number().meta({ description: 'The lowest chance in it, 0 to 1.' }),
  to: z.number(),
  chance: z.number().meta({ description: 'Their mean: the share that was foretold.' }),
  examples: z.int(),
  lost: z.int(),
  share: z.number().meta({ description: 'Of its examples, the share that was lost.' }),
  interval: z.object({ low: z.number(), high: z.number() }).meta({ description: 'Where the true share lies, 95 times of 100 (Wilson).' }),
});

const quality = z
  .object({
    examples: z.int(),
    lost: z.int(),
    brier: z.number(),
    brier_skill: z.number().nullable(),
    log_loss: z.number(),
    auc: z.number().nullable(),
    calibration_slope: z.number().nullable(),
    calibration_intercept: z.number().nullable(),
    reliability: z.array(reliabilityBin).nullable().meta({
      description:
        'Chances beside what came of them, from the lowest to the highest, in up to ten bins of about as many examples each. Null: it was judged before this was counted.',
    }),
  })
  .meta({ description: 'On the newest outcomes when it was learned, by calibrations that had not seen them.' });

export const modelSchema = z
  .object({
    version: z.int(),
    role: z
      .enum(['champion', 'challenger', 'retired'])
      .meta({ description: '`champion`: it is in use. `challenger`: the latest that was not better.' }),
    name: z.string().meta({ description: 'Which of those that were tried it is; `own`: a file of the store’s own.' }),
    prediction: predictionSchema,
    quality,
    examples: z.int(),
    lost: z.int(),
    notes: z.array(z.string()).meta({ description: 'What somebody should look at.' }),
    trained_at: timeField,
    promoted_at: timeField.nullable(),
    promoted_by: z.string().nullable(),
    retired_at: timeField.nullable(),
  })
  .meta({ id: 'RiskModel' });

export function presentModel(row: ModelRow): z.input<typeof modelSchema> {
  const { version, role, name, quality: q, examples, lost, notes } = row;
  return {
    ...{ version, role, name, examples, lost, notes },
    prediction: { what: row.prediction.what, within_days: row.prediction.withinDays },
    quality: {
      ...{ examples: q.examples, lost: q.lost, brier: q.brier, brier_skill: q.brierSkill, log_loss: q.logLoss, auc: q.auc },
      ...{ calibration_slope: q.calibrationSlope, calibration_intercept: q.calibrationIntercept },
      reliability: reliabilityView(q),
    },
    ...{ trained_at: isoTime(row.trainedAt), promoted_at: isoTimeOrNull(row.promotedAt), promoted_by: row.promotedBy },
    retired_at: isoTimeOrNull(row.retiredAt),
  };
}

const counts = z.object({ none: z.int(), early: z.int(), active: z.int(), critical: z.int() });

export const riskSchema = z
  .object({
    prediction: predictionSchema.extend({ words: z.string() }).meta({ description: 'The setting `riskPrediction`.' }),
    thresholds,
    bands: counts.meta({ description: 'Accounts by the band of their latest assessment.' }),
    by: z.enum(['model', 'rules']),
    model: modelSchema.nullable().meta({ description: 'The model in use; null: rules rank.' }),
    training: z
      .object({
        at: timeField,
        outcome: z.enum(['promoted', 'not_promoted', 'too_few', 'unlearnable', 'failed']),
        detail: z.string().meta({ description: 'Why, as a sentence.' }),
        examples: z.int(),
        lost: z.int(),
      })
      .nullable()
      .meta({ description: 'The latest; null: there was none.' }),
    cache: z
      .object({ cache: z.int(), stored: z.int(), computed: z.int(), hit_rate: z.number().nullable() })
      .meta({ description: 'Where the assessments came from that this process was asked for since it started.' }),
  })
  .meta({ id: 'Risk' });

export const runSchema = z
  .object({
    id: z.uuid(),
    state: z.enum(['waiting', 'running', 'done']),
    requested_by: z.string(),
    created_at: timeField,
    ended_at: timeField.nullable(),
    assessed: z.int(),
    changed: z.int().meta({ description: 'Whose band changed.' }),
    failed: z.int().meta({ description: 'That could not be assessed; the others were.' }),
    failures: z.array(z.string()).meta({ description: 'Some of these accounts.' }),
    bands: counts.meta({ description: 'Of those that it has assessed.' }),
  })
  .meta({ id: 'RiskRun' });

export function presentRun(run: RunRow): z.input<typeof runSchema> {
  const { id, assessed, changed, failed, failures } = run;
  const of = (band: string) => run.bands[band] ?? 0;
  return {
    id,
    state: run.endedAt !== null ? 'done' : run.touchedAt === null ? 'waiting' : 'running',
    ...{ requested_by: run.requestedBy, created_at: isoTime(run.createdAt), ended_at: isoTimeOrNull(run.endedAt) },
    ...{ assessed, changed, failed, failures },
    bands: { none: of('none'), early: of('early'), active: of('active'), critical: of('critical') },
  };
}
