import { type AdditiveSettings, fitAdditive, usualAdditive, withoutPairs } from './additive.ts';
import { learnColumn, namesOf, valueOf } from './column.ts';
import type { Example } from './example.ts';
import { explain, type RiskModel, rawLogit } from './model.ts';
import { type Calibration, calibrate, calibratedChance, type Quality, qualityOf } from './quality.ts';
import { fitRidge } from './ridge.ts';

/**
 * The fewest examples of each outcome for which a probability is given. Below that, rules rank the accounts.
 * Source: Van Calster et al., A calibration hierarchy for risk models, J. Clin. Epidemiol. 2016
 */
export const fewestOutcomes = 200;

/** The share of the examples, the newest ones, that calibrate and judge; models are learned from those before them. */
const newestShare = 0.2;

/** What was learned, and how well. */
export type Training =
  | {
      trained: true;
      /** The best of those that were tried. */
      name: CandidateName;
      model: RiskModel;
      quality: Quality;
      tried: Candidate[];
      /** What somebody should look at, as sentences. */
      notes: string[];
    }
  | {
      trained: false;
      /** `too_few`: rules have to rank; `unlearnable`: nothing foretells the newest outcomes. */
      reason: 'too_few' | 'unlearnable';
      /** A sentence that says what is missing. */
      detail: string;
    };

/** `logistic` is the floor: the others have to be better. */
export type CandidateName = 'logistic' | 'additive' | 'additive_with_pairs';

export interface Candidate {
  name: CandidateName;
  model: RiskModel;
  /** On the newest outcomes, by calibrations that had not seen them. */
  quality: Quality;
}

/**
 * Learn from the older examples, calibrate on the newest, and keep the best of three models by its Brier score there.
 * @param examples - in any order; the order of those of one moment stays
 */
export function trainRisk(examples: readonly Example[], settings: Partial<AdditiveSettings> & { fewestOutcomes?: number } = {}): Training {
  const lost = examples.filter((example) => example.lost).length;
  const needed = settings.fewestOutcomes ?? fewestOutcomes;
  if (Math.min(lost, examples.length - lost) < needed) {
    const detail = `${lost} lost and ${examples.length - lost} kept: ${needed} of each are needed before a chance can be told`;
    return { trained: false, reason: 'too_few', detail };
  }
  const { older, newest } = splitByTime(examples);
  if (!hasBoth(older) || !hasBoth(newest)) {
    const detail = 'All of the older examples, or all of the newest, have the same outcome: nothing can be learned from one and judged on the other.';
    return { trained: false, reason: 'unlearnable', detail };
  }
  const withPairs = fitAdditive(older, { ...usualAdditive, ...settings });
  const candidates: [CandidateName, RiskModel['model']][] = [
    ['logistic', fitRidge(older)],
    ['additive', withoutPairs(withPairs)],
    ['additive_with_pairs', withPairs],
  ];
  const tried = candidates.flatMap(([name, model]) => {
    const judged = judgedOn(model, newest);
    return judged === null ? [] : [{ name, model: { model, calibration: judged.calibration }, quality: judged.quality }];
  });
  const [first] = tried.toSorted((a, b) => a.quality.brier - b.quality.brier);
  if (first === undefined) {
    const detail = 'No model foretells the newest outcomes: whoever it gave more risk was not lost more often.';
    return { trained: false, reason: 'unlearnable', detail };
  }
  return {
    trained: true,
    ...first,
    tried,
    notes: [...constantFeatures(older), ...tooGood(first.quality)],
  };
}

/** The examples that models are learned from, and the newest, on which they are calibrated and judged. */
export function splitByTime(examples: readonly Example[]): { older: Example[]; newest: Example[] } {
  const ordered = examples.toSorted((a, b) => a.atMs - b.atMs);
  const split = Math.floor(ordered.length * (1 - newestShare));
  return { older: ordered.slice(0, split), newest: ordered.slice(split) };
}

/** A model that is in use, or may come into use, on the newest outcomes. */
export function judgeModel(model: RiskModel, examples: readonly Example[]): Quality {
  return qualityOf(
    examples.map(({ features }) => explain(model, features).chance),
    examples.map((example) => example.lost),
  );
}

/** Whether the challenger takes the champion's place, and why in a sentence. */
export interface Promotion {
  promoted: boolean;
  why: string;
}

/**
 * A challenger takes over when its Brier skill is higher and its calibration slope nearer to 1 than the champion's, on the same newest outcomes.
 * @param champion - null: there is none, and a challenger has to be better than telling everybody the same
 */
export function decidePromotion(champion: Quality | null, challenger: Quality): Promotion {
  const { brierSkill, calibrationSlope } = challenger;
  if (brierSkill === null || calibrationSlope === null) return { promoted: false, why: 'the newest outcomes do not suffice to judge it' };
  const skill = brierSkill.toFixed(4);
  const slope = calibrationSlope.toFixed(3);
  if (brierSkill <= 0) return { promoted: false, why: `its Brier skill of ${skill} is no better than telling everybody the same chance` };
  if (champion === null) return { promoted: true, why: `it is the first: Brier skill ${skill}, calibration slope ${slope}` };
  const isBetter = brierSkill > (champion.brierSkill ?? Number.NEGATIVE_INFINITY);
  const offBy = (of: number | null) => (of === null ? Number.POSITIVE_INFINITY : Math.abs(of - 1));
  const isCloser = offBy(calibrationSlope) < offBy(champion.calibrationSlope);
  const compared =
    `Brier skill ${skill} against ${champion.brierSkill?.toFixed(4) ?? 'none'}, ` +
    `calibration slope ${slope} against ${champion.calibrationSlope?.toFixed(3) ?? 'none'}`;
  return { promoted: isBetter && isCloser, why: isBetter && isCloser ? `both are better: ${compared}` : `both have to be better: ${compared}` };
}

const hasBoth = (examples: readonly Example[]) => examples.some(({ lost }) => lost) && examples.some(({ lost }) => !lost);

/**
 * The calibration on all newest outcomes, and the quality of two others, each of one half and judged on the other: a calibration that had seen what it is judged
 * on would flatter itself.
 * @returns null where a calibration is impossible
 */
function judgedOn(model: RiskModel['model'], newest: readonly Example[]) {
  return judgeLogits(newest.map(({ features, lost }) => ({ logit: rawLogit(model, features), lost })));
}

/** The same of a model that is only known by its logits, in the order of the newest outcomes. */
export function judgeLogits(newest: readonly { logit: number; lost: boolean }[]): { calibration: Calibration; quality: Quality } | null {
  const scored = newest.map((one, index) => ({ ...one, half: index % 2 }));
  const calibratedOn = (some: typeof scored) =>
    calibrate(
      some.map(({ logit }) => logit),
      some.map(({ lost }) => lost),
    );
  const [all, first, second] = [scored, scored.filter(({ half }) => half === 0), scored.filter(({ half }) => half === 1)].map(calibratedOn);
  if (all == null || first == null || second == null) return null;
  const quality = qualityOf(
    scored.map(({ logit, half }) => calibratedChance(half === 0 ? second : first, logit)),
    scored.map(({ lost }) => lost),
  );
  return { calibration: all, quality };
}

function constantFeatures(examples: readonly Example[]): string[] {
  const unused = namesOf(examples).filter(
    (name) =>
      learnColumn(
        name,
        examples.map(({ features }) => valueOf(features, name)),
        2,
      ) === null,
  );
  return unused.length === 0 ? [] : [`Not used, as they tell nobody apart: ${unused.join(', ')}.`];
}

function tooGood({ auc }: Quality): string[] {
  return auc === 1 ? ['The outcomes are told apart without a mistake: look whether a feature knows the outcome already.'] : [];
}
