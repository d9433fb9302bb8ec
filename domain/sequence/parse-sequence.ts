import type { Document, Node } from 'yaml';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { subjectKinds, type SubjectKinds } from '../subjects/index.ts';
import type { SequenceDefinition } from './definition.ts';
import { findMistakes, toDefinition } from './definition-rules.ts';
import type { Mistake } from './definition-rules.ts';
import { sequenceSchemaFor } from './definition-schema.ts';

/** One mistake in a sequence file: where it is (counted from 1) and what to do about it. */
export interface SequenceError {
  line: number;
  column: number;
  message: string;
}

export type ParsedSequence = { ok: true; definition: SequenceDefinition } | { ok: false; errors: SequenceError[] };

/** A longer file is no sequence and is refused unread. */
const longestFile = 256 * 1024;

/**
 * Read a sequence from YAML.
 * @param kinds - what sequences may be about
 * @returns the definition, or every mistake found, in the order of the file; never throws for bad input
 */
export function parseSequence(yaml: string, kinds: SubjectKinds = subjectKinds): ParsedSequence {
  if (yaml.length > longestFile) return { ok: false, errors: [{ line: 1, column: 1, message: 'The file is longer than 256 KiB.' }] };
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    return { ok: false, errors: document.errors.map((error) => ({ ...position(lines, error.pos[0]), message: `Not valid YAML: ${error.message}` })) };
  }
  const content = readContent(document);
  if (!content.ok) return { ok: false, errors: [{ line: 1, column: 1, message: content.message }] };

  const shape = sequenceSchemaFor(kinds).safeParse(content.value);
  const mistakes = shape.success ? findMistakes(shape.data) : shape.error.issues.flatMap(mistakesOf);
  if (shape.success && mistakes.length === 0) return { ok: true, definition: toDefinition(shape.data) };
  const errors = mistakes.map(({ path, message }) => ({
    ...position(lines, offsetOf(document, path)),
    message: `${label(document, path)} ${message}`,
  }));
  return { ok: false, errors: errors.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** The errors as a terminal shows them, one a line: `cart.yaml:12:7: …`. @param file - the file's name as its author knows it */
export function describeSequenceErrors(file: string, errors: readonly SequenceError[]): string {
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

/** What to call the field: ``Step `email_2h`: `at` ``. */
function label(document: Document, path: readonly (string | number)[]): string {
  if (path.length === 0) return 'The file';
  const [head, index, ...field] = path;
  if (head !== 'steps' || typeof index !== 'number') return `\`${spell(path)}\``;
  const id: unknown = document.getIn(['steps', index, 'id']);
  const step = typeof id === 'string' ? `Step \`${id}\`` : `Step ${index + 1}`;
  return field.length === 0 ? step : `${step}: \`${spell(field)}\``;
}

function spell(path: readonly (string | number)[]): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('');
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
