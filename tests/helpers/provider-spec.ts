import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

// The specifications that providers publish are not ours to copy: they lie beside the repository where somebody has put them.
const folder = process.env['PROVIDER_SPECS'] ?? join(import.meta.dirname, '../../../shared/provider-specs');

/** @returns null where it is not there: the test says that it was skipped */
export function providerSpec(file: string): unknown {
  const text = providerSpecText(file);
  return text === null ? null : JSON.parse(text);
}

/** One that is no JSON. */
export function providerSpecText(file: string): string | null {
  const path = join(folder, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

/** What a JSON Schema, or a part of an OpenAPI document, finds wrong with a value. @param pointer - into the document, e.g. `/paths/~1emails/post` */
export function faultsBy(document: unknown, pointer: string, value: unknown): string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema(document as object, 'spec');
  const validate = ajv.compile({ $ref: `spec#${pointer}` });
  return validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
