import type { Channel } from '../channels/index.ts';
import type { StepDefinition } from '../sequence/definition.ts';

/** What a step may say in the place of a script's name. */
export const ownTexts = 'own';
export const chosenScript = 'chosen';

/** What the choice of a script asks. */
export interface ScriptOffer {
  name: string;
  channel: Channel;
  /** The kind of subject that its text is about. */
  about: string;
  /** The campaign whose own it is; null: nobody's. */
  campaignId: string | null;
  isDefault: boolean;
}

/**
 * The script of a step on a channel: the one that the step names, else the campaign's own, else the default of the channel.
 * @returns null: the step's own text goes out
 * Source: docs/rules.md#rule-70
 */
export function chooseScript<S extends ScriptOffer>(
  step: Pick<StepDefinition, 'script' | 'variants' | 'model' | 'offer' | 'requires'>,
  channel: Channel,
  { about, campaignId }: { about: string; campaignId: string | null },
  scripts: readonly S[],
): S | null {
  if (step.script === ownTexts) return null;
  const fitting = scripts.filter((script) => script.channel === channel && script.about === about);
  const named = step.script === undefined || step.script === chosenScript ? undefined : fitting.find(({ name }) => name === step.script);
  if (named !== undefined) return named;
  if (keepsItsText(step)) return null;
  const own = campaignId === null ? undefined : fitting.find((script) => script.campaignId === campaignId);
  return own ?? fitting.find(({ isDefault }) => isDefault) ?? null;
}

/** Texts that are compared, that a model writes, or that bring an offer or a claim are the point of their step. */
const keepsItsText = ({ variants, model, offer, requires }: Pick<StepDefinition, 'variants' | 'model' | 'offer' | 'requires'>): boolean =>
  variants !== undefined || model !== undefined || offer !== undefined || requires !== undefined;

/** Whether the step has no text of its own and goes out by a script; which one is known when it is sent. */
export const mayHaveScript = ({ content, script }: Pick<StepDefinition, 'content' | 'script'>): boolean => content === null && script !== undefined;
