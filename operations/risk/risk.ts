import { desc, eq } from 'drizzle-orm';
import { settingsVersions, tenants } from '../../db/schema/index.ts';
import type { BandThresholds, RiskBand } from '../../domain/risk/bands.ts';
import { type Prediction, predictionInWords } from '../../domain/risk/outcome.ts';
import { settingsOf } from '../../domain/tenant-settings.ts';
import type { Deps } from '../deps.ts';
import { readBands } from './assess.ts';
import type { AssessmentSource } from './risk-cache.ts';
import { type ModelRow, readModels, type TrainingRow } from './train-models.ts';

/** What a store predicts, by what, and how its accounts stand. */
export interface RiskView {
  prediction: Prediction;
  words: string;
  thresholds: BandThresholds;
  bands: Record<RiskBand, number>;
  models: ModelRow[];
  training: TrainingRow | null;
  /** Of this process. */
  answered: Readonly<Record<AssessmentSource, number>>;
}

export async function readRisk(deps: Deps, tenantId: string): Promise<RiskView> {
  const { settings, version } = await deps.db.withTenant(tenantId, async (tx) => {
    const [tenant] = await tx.select().from(tenants).where(eq(tenants.id, tenantId));
    const [latest] = await tx.select({ version: settingsVersions.version }).from(settingsVersions).orderBy(desc(settingsVersions.version)).limit(1);
    return { settings: settingsOf(tenant ?? { settings: {} }), version: latest?.version ?? 0 };
  });
  const { models, training } = await readModels(deps, tenantId);
  return {
    prediction: settings.riskPrediction,
    words: predictionInWords(settings.riskPrediction),
    thresholds: { version, ...settings.riskBands },
    bands: await readBands(deps, tenantId),
    models,
    training,
    answered: deps.risk.answered,
  };
}
