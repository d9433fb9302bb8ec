import type { Document } from 'yaml';
import { subjectKinds, type SubjectKinds } from '../subjects/index.ts';
import { type FileError, type Mistake, type Place, readValue, readYaml, spell } from '../yaml-file.ts';
import type { SequenceDefinition } from './definition.ts';
import { findMistakes, toDefinition } from './definition-rules.ts';
import { sequenceSchemaFor } from './definition-schema.ts';

export type ParsedSequence = { ok: true; definition: SequenceDefinition; place: Place } | { ok: false; errors: FileError[] };

/**
 * Read a sequence from YAML.
 * @param kinds - what sequences may be about
 * @returns the definition, or every mistake found, in the order of the file; never throws for bad input
 */
export function parseSequence(yaml: string, kinds: SubjectKinds = subjectKinds): ParsedSequence {
  const read = readYaml(yaml, sequenceSchemaFor(kinds), (shape) => findMistakes(shape, kinds), label);
  return read.ok ? { ok: true, definition: toDefinition(read.value), place: read.place } : read;
}

/** Read a sequence from what its file would say, as plain data. @returns every mistake with the path of its field; never throws for bad input */
export function readSequence(
  said: unknown,
  kinds: SubjectKinds = subjectKinds,
): { ok: true; definition: SequenceDefinition } | { ok: false; mistakes: Mistake[] } {
  const read = readValue(said, sequenceSchemaFor(kinds), (shape) => findMistakes(shape, kinds));
  return read.ok ? { ok: true, definition: toDefinition(read.value) } : read;
}

/** What to call the field: ``Step `email_2h`: `at` ``. */
function label(document: Document, path: readonly (string | number)[]): string {
  const [head, index, ...field] = path;
  if (head !== 'steps' || typeof index !== 'number') return `\`${spell(path)}\``;
  const id: unknown = document.getIn(['steps', index, 'id']);
  const step = typeof id === 'string' ? `Step \`${id}\`` : `Step ${index + 1}`;
  return field.length === 0 ? step : `${step}: \`${spell(field)}\``;
}
