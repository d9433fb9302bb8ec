import type { Channel } from '../domain/channels/index.ts';
import { readCopyName } from '../domain/sequence/copy-name.ts';
import type { SequenceDefinition } from '../domain/sequence/definition.ts';
import { formsOf } from '../domain/sequence/step-of-variant.ts';
import type { AnySubjectKind } from '../domain/subjects/index.ts';
import { channelContentOf } from './channels/index.ts';
import { CopySourceError, type SourceProblem } from './copy-source.ts';
import { briefNameOf, parseBrief } from './model/brief.ts';
import { isTranslationOf, textsOf, withoutOffer } from './texts-of-sequence.ts';

/**
 * What publishing would refuse about the texts of a sequence, each compiled as it would be then. A text that is not among them is left out: a draft keeps
 * the one in use.
 * @param texts - the files' contents by the names of the texts
 */
export async function lintTexts(
  definition: SequenceDefinition,
  kind: AnySubjectKind,
  texts: Readonly<Record<string, string>>,
  fileOf: (name: string) => string,
): Promise<SourceProblem[]> {
  const problems: SourceProblem[] = [];
  const compiled: Record<string, unknown> = {};
  const begunBy = new Map<Channel, string>();
  const seen = new Set<string>();
  const attempt = async (name: string, work: () => unknown) => {
    try {
      compiled[name] = await work();
    } catch (error) {
      if (!(error instanceof CopySourceError)) throw error;
      problems.push(...error.problems);
    }
  };
  for (const { step, channel, original } of textsOf(definition)) {
    const content = channelContentOf(channel);
    const isFirst = (begunBy.get(channel) ?? step) === step;
    begunBy.set(channel, begunBy.get(channel) ?? step);
    if (content === null || seen.has(original)) continue;
    seen.add(original);
    for (const name of Object.keys(texts).filter((one) => one === original || isTranslationOf(one, original))) {
      const source = { file: fileOf(name), text: texts[name] ?? '' };
      await attempt(name, () => content.compile(source, { kind, isFirst, language: readCopyName(name)?.language ?? null }));
    }
  }
  for (const { model } of definition.steps.flatMap(formsOf)) {
    const name = model === undefined ? null : briefNameOf(model.brief);
    const text = name === null ? undefined : texts[name];
    if (name === null || text === undefined || seen.has(name)) continue;
    seen.add(name);
    await attempt(name, () => parseBrief({ file: fileOf(name), text }));
  }
  return [...problems, ...withoutOffer(definition, compiled, fileOf)];
}
