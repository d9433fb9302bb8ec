import { eq } from 'drizzle-orm';
import type { Tx } from '../../db/client.ts';
import { riskModels } from '../../db/schema/index.ts';
import type { RiskModel } from '../../domain/risk/model.ts';
import type { Prediction } from '../../domain/risk/outcome.ts';
import type { OwnRiskModel } from '../../domain/risk/own-model.ts';
import type { Deps } from '../deps.ts';
import type { Champion } from './assessment.ts';

/**
 * The model that a store uses for what it predicts.
 * @returns null: there is none for this prediction; `unavailable`: there is one, and it cannot be read
 */
export async function readChampion(tx: Tx, deps: Pick<Deps, 'risk' | 'log'>, prediction: Prediction): Promise<Champion | 'unavailable' | null> {
  const [row] = await tx
    .select({ id: riskModels.id, version: riskModels.version, prediction: riskModels.prediction })
    .from(riskModels)
    .where(eq(riskModels.role, 'champion'));
  if (row === undefined || !isSame(row.prediction, prediction)) return null;
  const known = deps.risk.model(row.id);
  if (known !== null) return known;
  const [full] = await tx.select({ model: riskModels.model, buying: riskModels.buying }).from(riskModels).where(eq(riskModels.id, row.id));
  if (full === undefined || !isModel(full.model)) {
    deps.log.error({ model: row.id }, 'the model of risk in use cannot be read: rules assess instead');
    return 'unavailable';
  }
  const champion = { ...row, ...full };
  deps.risk.keepModel(champion);
  return champion;
}

export const isSame = (one: Prediction, other: Prediction) => one.what === other.what && one.withinDays === other.withinDays;

/** Whether what was stored has the outline of a model: a row that was damaged, or that a later build wrote, must not pass for one. */
function isModel(stored: unknown): stored is RiskModel | OwnRiskModel {
  if (typeof stored !== 'object' || stored === null || !('model' in stored) || !('calibration' in stored)) return false;
  const { model, calibration } = stored;
  if (typeof model !== 'object' || model === null || !('kind' in model)) return false;
  const isOwn = model.kind === 'onnx' && 'sha256' in model && 'usual' in model;
  const isLearned = (model.kind === 'additive' || model.kind === 'logistic') && 'terms' in model && 'intercept' in model;
  if (!isOwn && !isLearned) return false;
  return typeof calibration === 'object' && calibration !== null && 'slope' in calibration && 'intercept' in calibration;
}
