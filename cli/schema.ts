import { sequenceJsonSchema } from '../domain/sequence/json-schema.ts';
import { subjectKinds } from '../domain/subjects/index.ts';
import type { Command } from './command.ts';

export const schema: Command = {
  summary: 'the format of a sequence file as JSON Schema, for editors',
  usage: `rekindle schema

Prints the JSON Schema of sequence files. Editors that know YAML complete fields and underline mistakes with it: save it beside your sequences, and begin
each of them with
# yaml-language-server: $schema=./sequence.schema.json`,
  example: 'rekindle schema > sequence.schema.json',
  takes: 0,
  run() {
    const data = sequenceJsonSchema(subjectKinds);
    return Promise.resolve({ data, lines: [JSON.stringify(data, null, 2)] });
  },
};
