// What breaks callers when the API changes from one OpenAPI document to another.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Schema = { [key: string]: Json };

export interface ApiOperation {
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema }[];
  requestBody?: { required?: boolean; content: Record<string, { schema?: Schema }> };
  responses: Record<string, { content?: Record<string, { schema?: Schema }> }>;
}

export interface ApiDocument {
  paths: Record<string, Record<string, ApiOperation>>;
  components: { schemas: Record<string, Schema> };
}

export interface ApiChange {
  /** `POST /api/enrollments` */
  operation: string;
  what: string;
}

/**
 * Changes after which a program that worked may fail: an operation, an answer's field or a promised value that is gone, and an input that is newly
 * required or no longer taken. Additions break nobody: callers ignore fields that they do not know.
 */
export function breakingChanges(before: ApiDocument, after: ApiDocument): ApiChange[] {
  return Object.entries(before.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, was]) => {
      const operation = `${method.toUpperCase()} ${path}`;
      const is = after.paths[path]?.[method];
      const found = is === undefined ? ['is gone'] : operationChanges(was, is, new Comparison(before, after));
      return [...new Set(found)].map((what) => ({ operation, what }));
    }),
  );
}

/** @returns those that no line of the changelog's part "Unreleased" names as breaking */
export function unannounced(changes: readonly ApiChange[], changelog: string): ApiChange[] {
  const unreleased = /^## Unreleased$(.*?)(?=^## |(?![\s\S]))/ms.exec(changelog)?.[1] ?? '';
  const breaking = unreleased.split('\n').filter((line) => /\bbreaking\b/i.test(line));
  return changes.filter(({ operation }) => !breaking.some((line) => line.includes(operation)));
}

function operationChanges(was: ApiOperation, is: ApiOperation, comparison: Comparison): string[] {
  const found: string[] = [];
  for (const parameter of is.parameters ?? []) {
    const known = was.parameters?.find((p) => p.name === parameter.name && p.in === parameter.in);
    if (parameter.required === true && known?.required !== true) found.push(`the parameter ${parameter.name} is newly required`);
    if (known?.schema !== undefined && parameter.schema !== undefined)
      found.push(...comparison.input(known.schema, parameter.schema, parameter.name));
  }
  for (const { name, in: where } of was.parameters ?? [])
    if (!(is.parameters ?? []).some((p) => p.name === name && p.in === where)) found.push(`the parameter ${name} is no longer taken`);
  if (was.requestBody === undefined && is.requestBody?.required === true) found.push('a body is newly required');
  for (const [type, { schema }] of Object.entries(was.requestBody?.content ?? {})) {
    const now = is.requestBody?.content[type];
    if (now === undefined) found.push(`a body of ${type} is no longer taken`);
    else if (schema !== undefined && now.schema !== undefined) found.push(...comparison.input(schema, now.schema, 'body'));
  }
  for (const [status, response] of Object.entries(was.responses)) {
    if (Number(status) >= 400) continue;
    const now = is.responses[status];
    if (now === undefined) found.push(`it answers ${status} no more`);
    for (const [type, { schema }] of Object.entries(response.content ?? {})) {
      const content = now?.content?.[type];
      if (now !== undefined && content === undefined) found.push(`its answer is no longer ${type}`);
      else if (schema !== undefined && content?.schema !== undefined) found.push(...comparison.output(schema, content.schema, 'answer'));
    }
  }
  return found;
}

/** Compares schemas of two documents, each reference once. */
class Comparison {
  readonly #before: ApiDocument;
  readonly #after: ApiDocument;
  readonly #seen = new Set<string>();

  constructor(before: ApiDocument, after: ApiDocument) {
    this.#before = before;
    this.#after = after;
  }

  /** Of what callers receive: nothing that they read may be gone, and no value may come that was not promised. */
  output(was: Schema, is: Schema, path: string): string[] {
    return this.#compare(was, is, path, 'output');
  }

  /** Of what callers send: all that was taken is taken, and nothing more is asked for. */
  input(was: Schema, is: Schema, path: string): string[] {
    return this.#compare(was, is, path, 'input');
  }

  #compare(wasGiven: Schema, isGiven: Schema, path: string, side: 'input' | 'output'): string[] {
    const pair = `${side} ${reference(wasGiven) ?? ''} ${reference(isGiven) ?? ''}`;
    if (reference(wasGiven) !== null) {
      if (this.#seen.has(pair)) return [];
      this.#seen.add(pair);
    }
    const [was, is] = [resolved(this.#before, wasGiven), resolved(this.#after, isGiven)];
    const found: string[] = [];
    const [typesWere, typesAre] = [typesOf(this.#before, was), typesOf(this.#after, is)];
    // What must stay within what: an answer within what was promised, a request within what is taken.
    const [within, allowed] = side === 'output' ? [typesAre, typesWere] : [typesWere, typesAre];
    if (within !== null && allowed !== null) {
      const extra = [...within].filter((type) => !allowed.has(type) && !(type === 'integer' && allowed.has('number')));
      if (extra.length > 0) found.push(side === 'output' ? `${path} may now be ${extra.join(', ')}` : `${path} may no longer be ${extra.join(', ')}`);
    } else if (allowed !== null) found.push(side === 'output' ? `${path} may now be anything` : `${path} may no longer be anything`);
    const [valuesWere, valuesAre] = [valuesOf(was), valuesOf(is)];
    if (side === 'input' && valuesAre !== null) {
      const gone = valuesWere?.filter((value) => !valuesAre.includes(value)) ?? ['just any text'];
      if (gone.length > 0) found.push(`${path} may no longer be ${gone.join(', ')}`);
    }
    const [fieldsWere, fieldsAre] = [fieldsOf(was), fieldsOf(is)];
    const [neededBefore, needed] = [requiredOf(was), requiredOf(is)];
    for (const [name, schema] of Object.entries(fieldsWere)) {
      const now = fieldsAre[name];
      const at = `${path}.${name}`;
      if (now === undefined) {
        if (side === 'output' || is['additionalProperties'] === false) found.push(side === 'output' ? `${at} is gone` : `${at} is no longer taken`);
        continue;
      }
      if (side === 'output' && neededBefore.includes(name) && !needed.includes(name)) found.push(`${at} may now be absent`);
      found.push(...this.#compare(schema, now, at, side));
    }
    // A shape that is new as a whole asks for nothing that it was not given.
    if (side === 'input' && Object.keys(fieldsWere).length > 0)
      for (const name of needed) if (!neededBefore.includes(name)) found.push(`${path}.${name} is newly required`);
    const [itemsWere, itemsAre] = [asSchema(was['items']), asSchema(is['items'])];
    if (itemsWere !== null && itemsAre !== null) found.push(...this.#compare(itemsWere, itemsAre, `${path}[]`, side));
    const [choicesWere, choicesAre] = [choicesOf(was), choicesOf(is)];
    // Alternatives are compared in their order: where their number changes, the types above have been compared.
    if (choicesWere.length === choicesAre.length)
      choicesWere.forEach((choice, at) => {
        const now = choicesAre[at];
        if (now !== undefined) found.push(...this.#compare(choice, now, path, side));
      });
    return found;
  }
}

const asSchema = (value: Json | undefined): Schema | null => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null);
const reference = (schema: Schema): string | null => (typeof schema['$ref'] === 'string' ? schema['$ref'] : null);

function resolved(document: ApiDocument, schema: Schema): Schema {
  const name = reference(schema)?.split('/').at(-1);
  return name === undefined ? schema : (document.components.schemas[name] ?? {});
}

const choicesOf = (schema: Schema): Schema[] =>
  [schema['anyOf'], schema['oneOf']].flatMap((list) => (Array.isArray(list) ? list.map(asSchema).filter((choice) => choice !== null) : []));

/** @returns null where it may be of any type */
function typesOf(document: ApiDocument, schema: Schema): Set<string> | null {
  const { type } = schema;
  if (typeof type === 'string') return new Set([type]);
  if (Array.isArray(type)) return new Set(type.map(String));
  if ('const' in schema) return new Set([schema['const'] === null ? 'null' : typeof schema['const']]);
  const choices = choicesOf(schema).map((choice) => typesOf(document, resolved(document, choice)));
  if (choices.length === 0 || choices.includes(null)) return null;
  return new Set(choices.flatMap((types) => [...(types ?? [])]));
}

const valuesOf = (schema: Schema): string[] | null =>
  Array.isArray(schema['enum']) ? schema['enum'].map((value) => JSON.stringify(value)) : 'const' in schema ? [JSON.stringify(schema['const'])] : null;

const fieldsOf = (schema: Schema): Record<string, Schema> =>
  Object.fromEntries(
    Object.entries(asSchema(schema['properties']) ?? {}).flatMap(([name, value]) => {
      const field = asSchema(value);
      return field === null ? [] : [[name, field]];
    }),
  );

const requiredOf = (schema: Schema): string[] => (Array.isArray(schema['required']) ? schema['required'].map(String) : []);
