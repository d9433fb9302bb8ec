import { languageTag } from '../domain/languages.ts';

/** A copy file as it was read. `file` is for messages. */
export interface CopySource {
  file: string;
  text: string;
}

/** A piece of Liquid and the line of its file on which it starts. */
export interface CopyPart {
  liquid: string;
  line: number;
}

/** Where a published text is wrong. */
export interface SourceProblem {
  /** Path as the author knows it. */
  file: string;
  /** Counted from 1; null: the whole file. */
  line: number | null;
  message: string;
}

/** A text cannot be published. The message names file and line of every problem. */
export class CopySourceError extends Error {
  readonly code = 'copy_source_invalid';
  readonly problems: SourceProblem[];

  constructor(problems: SourceProblem[]) {
    super(problems.map(({ file, line, message }) => `${file}${line === null ? '' : `:${line}`}: ${message}`).join('\n'));
    this.name = 'CopySourceError';
    this.problems = problems;
  }
}

/** @throws CopySourceError when there is any problem */
export function refuseProblems(problems: SourceProblem[]): void {
  if (problems.length > 0) throw new CopySourceError(problems);
}

/**
 * The language of a text, from its front matter and from its name; English where neither says it.
 * @param line - of the front matter's language
 * @throws CopySourceError where they differ, or where there is no such language
 */
export function languageOfCopy({ file }: CopySource, line: number, written: string | null | undefined, named: string | null): string {
  const refuse = (message: string) => new CopySourceError([{ file, line, message }]);
  const [own, ofName] = [written, named].map((language) => (language == null ? null : languageTag(language)));
  if (written != null && own == null) throw refuse(`language: "${written}" is none: write it as in de, pt-BR or zh-Hant`);
  if (own != null && ofName != null && own !== ofName)
    throw refuse(`language: ${own} contradicts the name of the file, which is ${ofName}: leave it out`);
  return ofName ?? own ?? 'en';
}
