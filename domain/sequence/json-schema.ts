import { z } from 'zod';
import { attributeNamesFor } from '../subjects/attributes.ts';
import type { SubjectKinds } from '../subjects/index.ts';
import { conditionJsonSchema } from './condition-json-schema.ts';
import { sequenceSchemaFor } from './definition-schema.ts';

/**
 * The format of a sequence file as JSON Schema (draft 2020-12), for editors: they complete fields and underline mistakes. Rules across
 * fields are not in it; `rekindle lint` knows them.
 */
export function sequenceJsonSchema(kinds: SubjectKinds): Record<string, unknown> {
  const attributes = [...new Set(kinds.all.flatMap((kind) => attributeNamesFor(kind)))];
  const { $schema, ...schema } = z.toJSONSchema(sequenceSchemaFor(kinds), {
    io: 'input',
    unrepresentable: 'any',
    override({ jsonSchema }) {
      // Where `meta` lists alternatives, what is derived from the one that the parser works on is not the whole truth.
      if (jsonSchema.anyOf !== undefined) for (const derived of ['type', 'items', 'minItems'] as const) delete jsonSchema[derived];
    },
  });
  return { $schema, title: 'A sequence of Rekindle', ...schema, $defs: { condition: conditionJsonSchema(attributes) } };
}
