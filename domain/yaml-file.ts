import type { Document, Node } from 'yaml';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/** One mistake in a YAML file: where it is (counted from 1) and what to do about it. */
export interface FileError {
  line: number;
  column: number;
  message: string;
}

/** A field of a file that is wrong; `message` follows its name. */
export interface Mistake {
  path: (string | number)[];
  message: string;
}

/** A mistake with its place and the name of its field. */
export type Place = (mistake: Mistake) => FileError;

export type ReadYaml<T> = { ok: true; value: T; place: Place } | { ok: false; errors: FileError[] };

/** A longer file was not written by hand, and is refused unread. */
const longestFile = 256 * 1024;

/**
 * Read a YAML file.
 * @param mistakesIn - what the schema cannot say
 * @param nameOf - what to call a field; default: its path
 * @returns the value, or every mistake found, in the order of the file; never throws for bad input
 */
export function readYaml<S extends z.ZodType>(
  text: string,
  schema: S,
  mistakesIn: (value: z.output<S>) => Mistake[] = () => [],
  nameOf: (document: Document, path: readonly (string | number)[]) => string = (_document, path) => `\`${spell(path)}\``,
): ReadYaml<z.output<S>> {
  if (text.length > longestFile) return { ok: false, errors: [{ line: 1, column: 1, message: 'The file is longer than 256 KiB.' }] };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    return { ok: false, errors: document.errors.map((error) => ({ ...position(lines, error.pos[0]), message: `Not valid YAML: ${error.message}` })) };
  }
  const content = readContent(document);
  if (!content.ok) return { ok: false, errors: [{ line: 1, column: 1, message: content.message }] };

  const shape = schema.safeParse(content.value);
  const mistakes = shape.success ? mistakesIn(shape.data) : shape.error.issues.flatMap(mistakesOf);
  const place: Place = ({ path, message }) => ({
    ...position(lines, offsetOf(document, path)),
    message: `${path.length === 0 ? 'The file' : nameOf(document, path)} ${message}`,
  });
  if (shape.success && mistakes.length === 0) return { ok: true, value: shape.data, place };
  return { ok: false, errors: inOrderOfFile(mistakes.map(place)) };
}

/**
 * Read what stands in a file, without the file: as a form sends it.
 * @param mistakesIn - what the schema cannot say
 * @returns the value, or every mistake with the path of its field
 */
export function readValue<S extends z.ZodType>(
  value: unknown,
  schema: S,
  mistakesIn: (value: z.output<S>) => Mistake[] = () => [],
): { ok: true; value: z.output<S> } | { ok: false; mistakes: Mistake[] } {
  const shape = schema.safeParse(value);
  const mistakes = shape.success ? mistakesIn(shape.data) : shape.error.issues.flatMap(mistakesOf);
  return shape.success && mistakes.length === 0 ? { ok: true, value: shape.data } : { ok: false, mistakes };
}

export function inOrderOfFile<E extends FileError>(errors: readonly E[]): E[] {
  return errors.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** The errors as a terminal shows them, one a line: `cart.yaml:12:7: …`. @param file - the file's name as its author knows it */
export function describeFileErrors(file: string, errors: readonly FileError[]): string {
  return errors.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n');
}

function readContent(document: Document): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: 50 }) };
  } catch (error) {
    // Aliases that expand without end, or that refer to nothing.
    return { ok: false, message: `The file cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function mistakesOf(issue: z.core.$ZodIssue): Mistake[] {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({ path: [...path, key], message: 'is not a field here: check its spelling, or remove it' }));
}

/** The offset of the field that a path leads to: its key, or the nearest node above where the file has no such field. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const key of path) {
    const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
    const next = pair !== undefined ? pair.value : isSeq(node) ? node.items[Number(key)] : undefined;
    const start = startOf(pair === undefined ? next : pair.key);
    if (start === null) return offset;
    offset = start;
    node = next;
  }
  return offset;
}

function startOf(node: unknown): number | null {
  return isNode(node) ? ((node satisfies Node).range?.[0] ?? null) : null;
}

/** `steps[0].at` */
export function spell(path: readonly (string | number)[]): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
