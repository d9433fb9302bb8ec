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
