import { sql } from 'drizzle-orm';
import { check, doublePrecision, foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { type AssessmentBasis, assessmentBases, type RulesBecause } from '../../domain/risk/assess.ts';
import { type BandThresholds, riskBands } from '../../domain/risk/bands.ts';
import type { BuyingModel } from '../../domain/risk/buy-till-you-die.ts';
import type { RiskModel } from '../../domain/risk/model.ts';
import type { Prediction } from '../../domain/risk/outcome.ts';
import type { OwnRiskModel } from '../../domain/risk/own-model.ts';
import type { Quality } from '../../domain/risk/quality.ts';
import { noSequenceReasons } from '../../domain/subjects/no-sequence.ts';
import { instant, instantNow, ownId, tenantId, tenantPolicy } from './columns.ts';
import { subjects } from './subjects.ts';
import { tenants } from './tenants.ts';

export const modelRoles = ['champion', 'challenger', 'retired'] as const;
export const trainingOutcomes = ['promoted', 'not_promoted', 'too_few', 'unlearnable', 'failed'] as const;
/** What made an account be assessed: it did something, a day has gone by, somebody asked, or the whole portfolio was assessed. */
export const assessmentCauses = ['behaviour', 'time', 'asked', 'portfolio'] as const;

/** Models that a store's own outcomes taught, and calibrations of those that it brought as a file. What was learned never changes; which of them is in use does. */
export const riskModels = pgTable(
  'risk_models',
  {
    tenantId: tenantId(),
    id: ownId(),
    /** Counted from 1 within the tenant. */
    version: integer('version').notNull(),
    prediction: jsonb('prediction').$type<Prediction>().notNull(),
    role: text('role', { enum: modelRoles }).notNull(),
    /** Which of the models that were tried it is; `own`: a file of the store's own. */
    name: text('name').notNull(),
    model: jsonb('model').$type<RiskModel | OwnRiskModel>().notNull(),
    buying: jsonb('buying').$type<BuyingModel>(),
    /** On the newest outcomes when it was learned, by calibrations that had not seen them. */
    quality: jsonb('quality').$type<Quality>().notNull(),
    examples: integer('examples').notNull(),
    lost: integer('lost').notNull(),
    notes: jsonb('notes').$type<string[]>().notNull().default([]),
    trainedAt: instantNow('trained_at'),
    /** When it last came into use; null: never. */
    promotedAt: instant('promoted_at'),
    /** Who let it: `training`, or somebody who brought it back. */
    promotedBy: text('promoted_by'),
    retiredAt: instant('retired_at'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex('risk_models_version').on(t.tenantId, t.version),
    uniqueIndex('risk_models_champion').on(t.tenantId).where(sql`role = 'champion'`),
    check('risk_models_role', sql`role in ('champion', 'challenger', 'retired')`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'risk_models_tenant' }),
    tenantPolicy(),
  ],
);

/** Each time something was to be learned, and what came of it. */
export const riskTrainings = pgTable(
  'risk_trainings',
  {
    tenantId: tenantId(),
    id: ownId(),
    at: instantNow('at'),
    outcome: text('outcome', { enum: trainingOutcomes }).notNull(),
    /** A sentence. */
    detail: text('detail').notNull(),
    examples: integer('examples').notNull(),
    lost: integer('lost').notNull(),
    /** What was learned; null: nothing. */
    modelId: uuid('model_id'),
    /** The model in use, on the same newest outcomes; null: there was none to compare with. */
    championQuality: jsonb('champion_quality').$type<Quality>(),
    tookMs: integer('took_ms').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('risk_trainings_model').on(t.tenantId, t.modelId),
    foreignKey({ columns: [t.tenantId, t.modelId], foreignColumns: [riskModels.tenantId, riskModels.id], name: 'risk_trainings_model' }),
    tenantPolicy(),
  ],
);

/** How accounts were assessed: added, and never changed. */
export const riskAssessments = pgTable(
  'risk_assessments',
  {
    tenantId: tenantId(),
    id: ownId(),
    subjectId: uuid('subject_id').notNull(),
    at: instant('at').notNull(),
    by: text('by', { enum: ['model', 'rules'] }).notNull(),
    /** Why rules assessed; null: a model did. */
    rulesBecause: text('rules_because').$type<RulesBecause>(),
    basis: text('basis', { enum: assessmentBases }).$type<AssessmentBasis>().notNull(),
    score: doublePrecision('score').notNull(),
    band: text('band', { enum: riskBands }).notNull(),
    bandBefore: text('band_before', { enum: riskBands }).notNull(),
    /** Of a chance: the logit is this and all weights. */
    base: doublePrecision('base'),
    factors: jsonb('factors').$type<{ features: string[]; weight: number }[]>().notNull(),
    thresholds: jsonb('thresholds').$type<BandThresholds>().notNull(),
    prediction: jsonb('prediction').$type<Prediction>().notNull(),
    modelId: uuid('model_id'),
    cause: text('cause', { enum: assessmentCauses }).notNull(),
    /** The enrollment that began by it; null: none did. */
    enrollmentId: uuid('enrollment_id'),
    /** What kept the band’s sequence from beginning; null: nothing, or none was to. */
    keptFrom: text('kept_from', { enum: noSequenceReasons }),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('risk_assessments_subject').on(t.tenantId, t.subjectId, t.at),
    index('risk_assessments_apart').on(t.tenantId, t.band, t.id).where(sql`band <> 'none'`),
    index('risk_assessments_at').on(t.tenantId, t.at),
    index('risk_assessments_score').on(t.tenantId, t.score, t.id),
    index('risk_assessments_model').on(t.tenantId, t.modelId),
    check('risk_assessments_by', sql`(by = 'model') = (basis = 'chance') and (by = 'model') = (rules_because is null)`),
    foreignKey({ columns: [t.tenantId, t.subjectId], foreignColumns: [subjects.tenantId, subjects.id], name: 'risk_assessments_subject_fk' }),
    foreignKey({ columns: [t.tenantId, t.modelId], foreignColumns: [riskModels.tenantId, riskModels.id], name: 'risk_assessments_model' }),
    tenantPolicy(),
  ],
);

/** Where each account stands by its latest assessment, and when it is assessed next. Written under the lock of the account's person where the band changes. */
export const riskStandings = pgTable(
  'risk_standings',
  {
    tenantId: tenantId(),
    subjectId: uuid('subject_id').notNull(),
    dueAt: instantNow('due_at'),
    /** null: it was never assessed. */
    assessmentId: uuid('assessment_id'),
    assessedAt: instant('assessed_at'),
    band: text('band', { enum: riskBands }).notNull().default('none'),
    /** The band that was acted upon last; another one than `band` where no sequence took the account in. */
    handled: text('handled', { enum: riskBands }).notNull().default('none'),
    /** When it came into this band. */
    bandSince: instant('band_since'),
    /** Of an account that is silent already: its rank by rules, among which the others have their quantiles. */
    silentRank: doublePrecision('silent_rank'),
    failures: integer('failures').notNull().default(0),
    /** The latest assessment of the portfolio that has assessed it; null: none has. */
    portfolioRunId: uuid('portfolio_run_id'),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.subjectId] }),
    index('risk_standings_due').on(t.dueAt, t.tenantId),
    index('risk_standings_band').on(t.tenantId, t.band).where(sql`band <> 'none'`),
    foreignKey({ columns: [t.tenantId, t.subjectId], foreignColumns: [subjects.tenantId, subjects.id], name: 'risk_standings_subject_fk' }),
    tenantPolicy(),
  ],
);

/** Assessments of a whole portfolio. */
export const riskRuns = pgTable(
  'risk_runs',
  {
    tenantId: tenantId(),
    id: ownId(),
    requestedBy: text('requested_by').notNull(),
    createdAt: instantNow('created_at'),
    /** When somebody last worked on it; null: nobody has begun. */
    touchedAt: instant('touched_at'),
    endedAt: instant('ended_at'),
    /** The account after which it goes on. */
    cursor: uuid('cursor'),
    assessed: integer('assessed').notNull().default(0),
    changed: integer('changed').notNull().default(0),
    failed: integer('failed').notNull().default(0),
    /** Accounts that could not be assessed; some of them. */
    failures: jsonb('failures').$type<string[]>().notNull().default([]),
    /** How many are in each band by it. */
    bands: jsonb('bands').$type<Record<string, number>>().notNull().default({}),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index('risk_runs_open').on(t.tenantId).where(sql`ended_at is null`),
    foreignKey({ columns: [t.tenantId], foreignColumns: [tenants.id], name: 'risk_runs_tenant' }),
    tenantPolicy(),
  ],
);
