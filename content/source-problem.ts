/** Where a published text is wrong. */
export interface SourceProblem {
  /** Path as the author knows it. */
  file: string;
  /** Counted from 1; null: the whole file. */
  line: number | null;
  message: string;
}

/** A text cannot be published. The message names file and line of every problem. */
export class EmailSourceError extends Error {
  readonly code = 'email_source_invalid';
  readonly problems: SourceProblem[];

  constructor(problems: SourceProblem[]) {
    super(problems.map(({ file, line, message }) => `${file}${line === null ? '' : `:${line}`}: ${message}`).join('\n'));
    this.name = 'EmailSourceError';
    this.problems = problems;
  }
}
