import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { type CopySource, CopySourceError, type SourceProblem } from './copy-source.ts';

/** A field that says one thing in one line. */
export const oneLine = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .regex(/^[^\n]*$/, 'must be one line');

/** What is wrong with a file of which parts can only stand in its front matter. */
export const missingFrontMatter = 'must start with front matter between two lines of ---';

/** A copy file in its two parts. */
export interface FrontMatter<F> {
  fields: F;
  /** What stands below, without carriage returns, and the line on which it starts. */
  body: string;
  bodyLine: number;
  /** The line of a field, or of what lies in it; the first of the front matter where it is not there. */
  lineOf(...path: (string | number)[]): number;
}

/**
 * Read a copy file: YAML between two lines of `---`, then the text.
 * @param missing - what is wrong with a file that has no front matter; null: it may have none
 * @throws CopySourceError with every fault of the YAML and its fields, each with its line
 */
export function readFrontMatter<F>({ file, text }: CopySource, shape: z.ZodType<F>, missing: string | null): FrontMatter<F> {
  const match = /^---\r?\n([\s\S]*?)\r?\n?---[ \t]*(?:\r?\n|$)([\s\S]*)$/.exec(text);
  if (match === null && missing !== null) throw new CopySourceError([{ file, line: 1, message: missing }]);
  const [, yaml = '', body = ''] = match ?? ['', '', text];
  const counter = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: counter });
  // The YAML begins on the file's second line.
  const lineAt = (offset: number): number => counter.linePos(offset).line + 1;
  if (document.errors.length > 0)
    throw new CopySourceError(document.errors.map(({ pos, message }) => ({ file, line: lineAt(pos[0]), message: message.split('\n')[0] ?? '' })));
  const lineOf = (...path: (string | number)[]): number => {
    const node: unknown = path.length === 0 ? null : document.getIn(path, true);
    return hasRange(node) ? lineAt(node.range[0]) : 2;
  };
  const fields = shape.safeParse(document.toJS() ?? {});
  if (!fields.success) throw new CopySourceError(fields.error.issues.flatMap((issue) => problemsOf(issue, file, lineOf)));
  return { fields: fields.data, body: body.replaceAll('\r', ''), bodyLine: text.slice(0, text.length - body.length).split('\n').length, lineOf };
}

function problemsOf(issue: z.core.$ZodIssue, file: string, lineOf: FrontMatter<unknown>['lineOf']): SourceProblem[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ file, line: lineOf(...path, key), message: `unknown field "${[...path, key].join('.')}"` }));
  return [{ file, line: lineOf(...path), message: path.length === 0 ? issue.message : `${path.join('.')}: ${issue.message}` }];
}

function hasRange(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}
