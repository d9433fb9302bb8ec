import type { Channel } from '../channels/index.ts';
import { languageName, languageTag } from '../languages.ts';
import { readCopyName } from '../sequence/copy-name.ts';
import type { SequenceDefinition } from '../sequence/definition.ts';
import { parseSequence } from '../sequence/parse-sequence.ts';
import { formsOf } from '../sequence/step-of-variant.ts';
import { subjectKinds, type SubjectKinds } from '../subjects/index.ts';

/** A text of a sequence in one language. */
export interface SequenceText {
  /** As sequences name it, with the suffix of its channel. */
  original: string;
  language: string;
  isTranslation: boolean;
}

/** A text that is wrong as a whole. */
export interface TextProblem {
  file: string;
  message: string;
}

/**
 * What is missing once a sequence has translations: each of its texts exists in every language that any of them has, so that nobody is written to in
 * two languages.
 * @param fileOf - the path of a text by its name
 */
export function missingTranslations(texts: readonly SequenceText[], fileOf: (name: string) => string): TextProblem[] {
  if (!texts.some(({ isTranslation }) => isTranslation)) return [];
  const originals = [...new Set(texts.map(({ original }) => original))];
  const languages = [...new Set(texts.map(({ language }) => language))];
  return originals.flatMap((original) =>
    languages.flatMap((language): TextProblem[] => {
      if (texts.some((text) => text.original === original && text.language === language)) return [];
      const example = texts.find((text) => text.language === language)?.original;
      const name = languageName(language);
      const message = `is missing: "${example}" exists in ${name}, so every text of the sequence needs it. Translate ${fileOf(original)}, or remove what is in ${name}`;
      return [{ file: fileOf(`${original}.${language}`), message }];
    }),
  );
}

/** Names that look like a translation and name no language that exists, e.g. `cart/email_2h.xx`. */
export function unknownLanguages(names: readonly string[], fileOf: (name: string) => string): TextProblem[] {
  return names.flatMap((name) => {
    const language = readCopyName(name)?.language ?? null;
    const tag = language === null ? null : languageTag(language);
    if (language === null || (tag !== null && languageName(tag) !== tag)) return [];
    return [{ file: fileOf(name), message: `names the language "${language}", which does not exist: write it as in de, pt-BR or zh-Hant` }];
  });
}

/**
 * What is wrong with the translations that lie beside a sequence file.
 * @param texts - the files' contents by the names of the texts
 */
export function lintTranslations(
  yaml: string,
  texts: Readonly<Record<string, string>>,
  fileOf: (name: string) => string,
  kinds: SubjectKinds = subjectKinds,
): TextProblem[] {
  const parsed = parseSequence(yaml, kinds);
  if (!parsed.ok) return [];
  const used = new Set(textNamesOf(parsed.definition));
  const found = Object.entries(texts).flatMap(([name, text]): (SequenceText & { name: string })[] => {
    const language = readCopyName(name)?.language ?? null;
    const original = language === null ? name : name.slice(0, name.lastIndexOf('.'));
    if (!used.has(original)) return [];
    const written = language ?? /^---\r?\n(?:.*\r?\n)*?language:\s*["']?([\w-]+)/.exec(text)?.[1] ?? 'en';
    return [{ name, original, language: languageTag(written) ?? written, isTranslation: language !== null }];
  });
  return [
    ...unknownLanguages(
      found.map(({ name }) => name),
      fileOf,
    ),
    ...missingTranslations(found, fileOf),
  ];
}

/** The names of the texts that a sequence uses, with the suffixes of their channels. Emails have none. */
function textNamesOf({ steps }: SequenceDefinition): string[] {
  const suffixOf = (channel: Channel) => (channel === 'email' ? '' : `.${channel}`);
  return steps.flatMap(formsOf).flatMap(({ channels, content }) => (content === null ? [] : channels.map((one) => `${content}${suffixOf(one)}`)));
}
