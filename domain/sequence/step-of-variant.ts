import type { Channel } from '../channels/index.ts';
import type { StepDefinition, StepVariant } from './definition.ts';

// A variant belongs to one step of one version: its form is made once. Rehearsals and backtests ask for it again and again.
const made = new WeakMap<StepVariant, { step: StepDefinition; form: StepDefinition }>();

/** The step as it is for those who have one of its variants. @param variant - absent or null: as everybody gets it */
export function stepOfVariant(step: StepDefinition, variant: StepVariant | null | undefined): StepDefinition {
  if (variant === null || variant === undefined) return step;
  const known = made.get(variant);
  if (known?.step === step) return known.form;
  const { model: _, offer: usual, ...rest } = step;
  const offer = variant.offer ?? usual;
  const form: StepDefinition = {
    ...rest,
    content: variant.content,
    channels: variant.channels ?? step.channels,
    ...(variant.model === undefined ? {} : { model: variant.model }),
    ...(offer === undefined || offer === false ? {} : { offer }),
  };
  made.set(variant, { step, form });
  return form;
}

/** Every form in which the step may go out: one of each variant, or the step. */
export function formsOf(step: StepDefinition): StepDefinition[] {
  return step.variants?.map((variant) => stepOfVariant(step, variant)) ?? [step];
}

/**
 * Whether whom a message reaches, or when, depends on the variant: then people count from the moment at which the step is due to them, by intention to treat,
 * and not from a message that some of them cannot get.
 * Source: docs/rules.md#rule-128
 */
export const differInReach = (variants: readonly StepVariant[]): boolean =>
  variants.some(({ channels, model, offer }) => channels !== undefined || model !== undefined || offer !== undefined);

/** All channels of the variants, those of the step first. */
export function channelsOfVariants(own: readonly Channel[], variants: readonly Pick<StepVariant, 'channels'>[]): Channel[] {
  const theirs = variants.flatMap(({ channels }) => channels ?? own);
  return [...new Set([...own.filter((channel) => theirs.includes(channel)), ...theirs])];
}
