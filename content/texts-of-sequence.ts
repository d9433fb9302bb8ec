import type { Channel } from '../domain/channels/index.ts';
import { readCopyName } from '../domain/sequence/copy-name.ts';
import type { SequenceDefinition } from '../domain/sequence/definition.ts';
import { copyNameOf } from './channels/index.ts';
import type { SourceProblem } from './copy-source.ts';

/** Every text that a sequence needs, by step and channel. */
export function textsOf(definition: SequenceDefinition): { step: string; channel: Channel; original: string }[] {
  return definition.steps.flatMap((step) =>
    step.channels.flatMap((channel) => contentsOf(step).map((text) => ({ step: step.id, channel, original: copyNameOf(text, channel) }))),
  );
}

/** Every text of a step: those of its variants, or the one. */
function contentsOf({ content, variants }: SequenceDefinition['steps'][number]): string[] {
  if (variants !== undefined) return variants.map((variant) => variant.content);
  return content === null ? [] : [content];
}

export const isTranslation = (name: string): boolean => (readCopyName(name)?.language ?? null) !== null;
export const isTranslationOf = (name: string, original: string): boolean => isTranslation(name) && name.slice(0, name.lastIndexOf('.')) === original;

/** A step that brings an offer names its code in every text: otherwise somebody would be granted one and never hear of it. */
export function withoutOffer(
  definition: SequenceDefinition,
  content: Readonly<Record<string, unknown>>,
  fileOf: (name: string) => string,
): SourceProblem[] {
  const offering = new Set(definition.steps.filter(({ offer }) => offer !== undefined).map(({ id }) => id));
  return textsOf(definition)
    .filter(({ step }) => offering.has(step))
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
