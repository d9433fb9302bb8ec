import { accountFeatures } from '../../domain/risk/account-features.ts';
import type { Behaviour } from '../../domain/risk/behaviour.ts';
import type { Example, Features } from '../../domain/risk/example.ts';
import { isActive } from '../../domain/risk/outcome.ts';
import { isChance, isOwn, type OwnAnswer, type OwnRiskModel, ownLogit, usualOf, variantsOf } from '../../domain/risk/own-model.ts';
import { calibratedChance, type Quality, qualityOf } from '../../domain/risk/quality.ts';
import { fewestOutcomes, judgeLogits } from '../../domain/risk/train.ts';
import { OwnModelError } from '../../integrations/onnx/own-model-error.ts';
import type { OwnModelFile } from '../../integrations/onnx/own-models.ts';
import type { Deps } from '../deps.ts';
import type { Champion } from './assessment.ts';

type OwnDeps = Pick<Deps, 'ownModels' | 'log'>;
type AskDeps = OwnDeps & Pick<Deps, 'clock' | 'telemetry'>;

/**
 * What the store's own model says about accounts, by their ids; empty where no such model is in use. Where its file is gone, is another one than was calibrated,
 * or fails, that is logged, and nothing is said: rules assess, and the assessments say so.
 */
export async function askOwnModel(
  deps: AskDeps,
  tenantId: string,
  champion: Champion | 'unavailable' | null,
  { histories, atMs }: { histories: ReadonlyMap<string, Behaviour[] | 'unreadable'>; atMs: number },
): Promise<Map<string, OwnAnswer>> {
  if (champion === null || champion === 'unavailable' || !isOwn(champion.model)) return new Map();
  const { model } = champion.model;
  const begunMs = deps.clock.monotonicMs();
  const asked: { id: string; features: Features; variants: ReturnType<typeof variantsOf> }[] = [];
  for (const [id, history] of histories) {
    if (history === 'unreadable' || !isActive(history, atMs)) continue;
    const features = accountFeatures(history, atMs, champion.buying);
    asked.push({ id, features, variants: variantsOf(features, model) });
  }
  if (asked.length === 0) return new Map();
  try {
    const file = await deps.ownModels.of(tenantId);
    if (file === null)
      throw new OwnModelError('The file of the model in use is gone: put it back, or let an earlier model assess (`rekindle risk use`).');
    if (file.sha256 !== model.sha256)
      throw new OwnModelError('The file is another one than was calibrated. The next training calibrates it; until then rules assess.');
    const answers = await file.answer(asked.flatMap(({ features, variants }) => [features, ...variants.map((one) => one.features)]));
    // Each was answered once all were.
    const tookMs = deps.clock.monotonicMs() - begunMs;
    for (const _ of asked) deps.telemetry.riskStage('inference', tookMs);
    let next = 0;
    return new Map(
      asked.map(({ id, variants }) => {
        const chance = answers[next++] ?? Number.NaN;
        return [id, { chance, without: variants.map(({ feature }) => ({ feature, chance: answers[next++] ?? Number.NaN })) }];
      }),
    );
  } catch (error) {
    if (!(error instanceof OwnModelError)) throw error;
    deps.log.error({ tenantId, accounts: asked.length, err: error }, 'the model of the store’s own cannot be used: rules assess instead');
    return new Map();
  }
}

/** A file, calibrated and judged on the newest outcomes. */
export interface JudgedOwn {
  kind: 'judged';
  model: OwnRiskModel;
  quality: Quality;
  notes: string[];
}

/**
 * Calibrate and judge the file that a store has brought, as a model that was learned is: on the newest outcomes, each half by a calibration of the other half.
 * @returns null where the store has brought none; else what came of it, or a sentence that says why nothing did
 */
export async function judgeOwnModel(
  deps: OwnDeps,
  tenantId: string,
  newest: readonly Example[],
  counts: { examples: number; lost: number },
): Promise<JudgedOwn | { kind: 'failed'; detail: string } | null> {
  let file: OwnModelFile | null;
  try {
    file = await deps.ownModels.of(tenantId);
    if (file === null) return null;
    if (Math.min(counts.lost, counts.examples - counts.lost) < fewestOutcomes)
      return { kind: 'failed', detail: `${fewestOutcomes} outcomes of either kind are needed to calibrate it.` };
    const scored = await scoredBy(file, newest);
    const silent = newest.length - scored.length;
    if (silent * 2 > newest.length)
      return {
        kind: 'failed',
        detail: `It says nothing about ${silent} of ${newest.length} accounts: it has to answer where features are unknown (NaN).`,
      };
    const judged = judgeLogits(scored);
    if (judged === null)
      return { kind: 'failed', detail: 'Whoever it gave more risk was not lost more often: it cannot be calibrated on the newest outcomes.' };
    const usual = usualOf(newest.map(({ features }) => features));
    const notes = [
      'A file of the store’s own: its reasons are approximations. What it was learned from is not known here; if the newest outcomes were part of it, its quality is flattered.',
    ];
    if (silent > 0) notes.push(`It says nothing about ${silent} of the ${newest.length} newest examples; rules assess such accounts.`);
    return {
      kind: 'judged',
      model: { model: { kind: 'onnx', sha256: file.sha256, usual }, calibration: judged.calibration },
      quality: judged.quality,
      notes,
    };
  } catch (error) {
    if (!(error instanceof OwnModelError)) throw error;
    deps.log.error({ tenantId, err: error }, 'the model of the store’s own cannot be calibrated');
    return { kind: 'failed', detail: error.message };
  }
}

/** How a file that is in use does on the newest outcomes, by the calibration it has. @returns null where it cannot be asked any more */
export async function qualityOfOwn(
  deps: OwnDeps,
  tenantId: string,
  { model, calibration }: OwnRiskModel,
  newest: readonly Example[],
): Promise<Quality | null> {
  try {
    const file = await deps.ownModels.of(tenantId);
    if (file === null || file.sha256 !== model.sha256) return null;
    const scored = await scoredBy(file, newest);
    if (scored.length === 0) return null;
    return qualityOf(
      scored.map(({ logit }) => calibratedChance(calibration, logit)),
      scored.map(({ lost }) => lost),
    );
  } catch (error) {
    if (!(error instanceof OwnModelError)) throw error;
    return null;
  }
}

/** Those about which the file says something. */
async function scoredBy(file: OwnModelFile, examples: readonly Example[]): Promise<{ logit: number; lost: boolean }[]> {
  const chances = await file.answer(examples.map(({ features }) => features));
  return examples.flatMap(({ lost }, index) => {
    const chance = chances[index] ?? Number.NaN;
    return isChance(chance) ? [{ logit: ownLogit(chance), lost }] : [];
  });
}
