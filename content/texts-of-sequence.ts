import type { Channel } from '../domain/channels/index.ts';
import { readCopyName } from '../domain/sequence/copy-name.ts';
import type { SequenceDefinition, StepDefinition } from '../domain/sequence/definition.ts';
import { formsOf } from '../domain/sequence/step-of-variant.ts';
import { copyNameOf } from './channels/index.ts';
import type { SourceProblem } from './copy-source.ts';

/** Every text that a sequence needs, by step and channel. */
export function textsOf(definition: SequenceDefinition): { step: string; channel: Channel; original: string }[] {
  return definition.steps.flatMap((step) => textsOfForms(step, formsOf(step)));
}

/** By channel, as compiled versions have them: another order would make another version. */
const textsOfForms = ({ id, channels }: StepDefinition, forms: readonly StepDefinition[]) =>
  channels.flatMap((channel) =>
    forms.flatMap(({ content, channels: own }) =>
      content !== null && own.includes(channel) ? [{ step: id, channel, original: copyNameOf(content, channel) }] : [],
    ),
  );

export const isTranslation = (name: string): boolean => (readCopyName(name)?.language ?? null) !== null;
export const isTranslationOf = (name: string, original: string): boolean => isTranslation(name) && name.slice(0, name.lastIndexOf('.')) === original;

/** A step that brings an offer names its code in every text: otherwise somebody would be granted one and never hear of it. */
export function withoutOffer(
  definition: SequenceDefinition,
  content: Readonly<Record<string, unknown>>,
  fileOf: (name: string) => string,
): SourceProblem[] {
  const offering = (step: StepDefinition) => formsOf(step).filter(({ offer }) => offer !== undefined);
  return definition.steps
    .flatMap((step) => textsOfForms(step, offering(step)))
    .flatMap(({ step, original }) =>
      Object.keys(content)
        .filter((name) => (name === original || isTranslationOf(name, original)) && !JSON.stringify(content[name]).includes('offer.code'))
        .map((name) => ({
          file: fileOf(name),
          line: null,
          message: `step ${step} brings an offer, and this text does not name its code: write {{ offer.code }} where {% if offer %}`,
        })),
    );
}
