// What one JSON Schema (as OpenAPI 3.1 has it) no longer takes, or newly allows, that another did.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Schema = { [key: string]: Json };

/** `input`: callers send it, so all that was taken has to be taken. `output`: callers receive it, so nothing may come that was not promised. */
export type Side = 'input' | 'output';

/** A schema with those that it may refer to, by their names. */
export interface Described {
  schema: Schema;
  among: Record<string, Schema>;
}

export interface SchemaChange {
  /** `.items[].price`; empty: the whole. */
  path: string;
  what: string;
}

/** @returns what breaks whoever relies on `was`, each place once; a shape that refers to itself is compared once */
export function compareSchemas(was: Described, is: Described, side: Side): SchemaChange[] {
  const comparison = new Comparison(was.among, is.among, side);
  return comparison.compare(was.schema, is.schema);
}

class Comparison {
  readonly #before: Record<string, Schema>;
  readonly #after: Record<string, Schema>;
  readonly #side: Side;
  /** Of pairs of references; of one that is being compared: nothing, until it is. */
  readonly #known = new Map<string, SchemaChange[]>();

  constructor(before: Record<string, Schema>, after: Record<string, Schema>, side: Side) {
    this.#before = before;
    this.#after = after;
    this.#side = side;
  }

  compare(was: Schema, is: Schema): SchemaChange[] {
    const [from, to] = [referenceOf(was), referenceOf(is)];
    if (from === null && to === null) return this.#compare(was, is);
    const pair = `${from ?? JSON.stringify(was)} ${to ?? JSON.stringify(is)}`;
    const known = this.#known.get(pair);
    if (known !== undefined) return known;
    this.#known.set(pair, []);
    const found = this.#compare(was, is);
    this.#known.set(pair, found);
    return found;
  }

  #compare(wasGiven: Schema, isGiven: Schema): SchemaChange[] {
    const [was, is] = [whole(wasGiven, this.#before), whole(isGiven, this.#after)];
    const [choicesWere, choicesAre] = [choicesOf(was), choicesOf(is)];
    if (choicesWere.length > 0 || choicesAre.length > 0)
      return this.#compareChoices(choicesWere.length > 0 ? choicesWere : [was], choicesAre.length > 0 ? choicesAre : [is]);
    const types = this.#compareTypes(was, is);
    // Another type altogether: its limits and fields say nothing more.
    if (types.length > 0) return types;
    return [
      ...this.#compareValues(was, is),
      ...(this.#side === 'input' ? limitChanges(was, is) : []),
      ...this.#compareFields(was, is),
      ...this.#compareInside(was, is),
    ];
  }

  /** Each alternative that has to fit needs one that it fits into; what is said about it is of the one that comes closest. */
  #compareChoices(were: Schema[], are: Schema[]): SchemaChange[] {
    const [toFit, into] = this.#side === 'input' ? [were, are] : [are, were];
    return toFit.flatMap((one) => {
      const tries = into.map((other) => (this.#side === 'input' ? this.compare(one, other) : this.compare(other, one)));
      return tries.toSorted((a, b) => distance(a) - distance(b))[0] ?? [];
    });
  }

  #compareTypes(was: Schema, is: Schema): SchemaChange[] {
    const [typesWere, typesAre] = [typesOf(was), typesOf(is)];
    const output = this.#side === 'output';
    const [toFit, into] = output ? [typesAre, typesWere] : [typesWere, typesAre];
    if (into === null) return [];
    const verb = output ? 'may now be' : 'may no longer be';
    if (toFit === null) return [{ path: '', what: `${verb} anything` }];
    const extra = [...toFit].filter((type) => !into.has(type) && !(type === 'integer' && into.has('number')));
    return extra.length === 0 ? [] : [{ path: '', what: `${verb} ${extra.join(', ')}` }];
  }

  #compareValues(was: Schema, is: Schema): SchemaChange[] {
    const [valuesWere, valuesAre] = [valuesOf(was), valuesOf(is)];
    const output = this.#side === 'output';
    const [toFit, into] = output ? [valuesAre, valuesWere] : [valuesWere, valuesAre];
    if (into === null) return [];
    const verb = output ? 'may now be' : 'may no longer be';
    if (toFit === null) return [{ path: '', what: `${verb} any ${[...(typesOf(output ? is : was) ?? ['value'])].join(', ')}` }];
    const extra = toFit.filter((value) => !into.includes(value));
    return extra.length === 0 ? [] : [{ path: '', what: `${verb} ${extra.join(', ')}` }];
  }

  #compareFields(was: Schema, is: Schema): SchemaChange[] {
    const output = this.#side === 'output';
    const [fieldsWere, fieldsAre] = [fieldsOf(was), fieldsOf(is)];
    const [neededBefore, needed] = [namesIn(was['required']), namesIn(is['required'])];
    const found: SchemaChange[] = [];
    for (const [name, schema] of Object.entries(fieldsWere)) {
      const now = fieldsAre[name];
      const path = `.${name}`;
      if (now === undefined) {
        if (output) found.push({ path, what: 'is gone' });
        else if (is['additionalProperties'] === false) found.push({ path, what: 'is no longer taken' });
        continue;
      }
      if (output && neededBefore.includes(name) && !needed.includes(name)) found.push({ path, what: 'may now be absent' });
      found.push(...under(path, this.compare(schema, now)));
    }
    if (!output) {
      for (const name of needed) if (!neededBefore.includes(name)) found.push({ path: `.${name}`, what: 'is newly required' });
      if (isObject(was) && was['additionalProperties'] !== false && is['additionalProperties'] === false)
        found.push({ path: '', what: 'takes no further fields any more' });
    }
    return found;
  }

  /** Elements of lists, and values of fields that are not named. */
  #compareInside(was: Schema, is: Schema): SchemaChange[] {
    const found: SchemaChange[] = [];
    for (const [key, at] of [
      ['items', '[]'],
      ['additionalProperties', '.*'],
    ] as const) {
      const [before, after] = [schemaIn(was[key]), schemaIn(is[key])];
      if (before !== null && after !== null) found.push(...under(at, this.compare(before, after)));
    }
    const [partsWere, partsAre] = [schemasIn(was['prefixItems']), schemasIn(is['prefixItems'])];
    partsWere.forEach((part, n) => {
      const now = partsAre[n];
      if (now !== undefined) found.push(...under(`[${n}]`, this.compare(part, now)));
    });
    return found;
  }
}

/** An alternative of another type, or with another value of the field that tells alternatives apart, is further away than one that lacks a field. */
const distance = (changes: SchemaChange[]) =>
  changes.reduce((sum, { path, what }) => sum + (/^may (now|no longer) be/.test(what) && path.length < 20 ? 100 : 1), 0);

const under = (path: string, changes: SchemaChange[]): SchemaChange[] => changes.map((change) => ({ ...change, path: `${path}${change.path}` }));

/** What may be smaller in a request than it was, and what may be larger, without that something is refused that was taken. */
const ceilings = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
const floors = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];

function limitChanges(was: Schema, is: Schema): SchemaChange[] {
  const found: string[] = [];
  for (const key of [...ceilings, ...floors]) {
    const [before, now] = [was[key], is[key]];
    if (typeof now !== 'number' || before === now) continue;
    const narrower = typeof before !== 'number' || (ceilings.includes(key) ? now < before : now > before);
    if (narrower && !isImplied(was, is, key, now))
      found.push(typeof before === 'number' ? `has ${key} ${now}, not ${before}` : `has ${key} ${now} now`);
  }
  const [patternsWere, patternsAre] = [patternsOf(was), patternsOf(is)];
  for (const pattern of patternsAre) if (!patternsWere.includes(pattern)) found.push(`has the pattern ${pattern} now`);
  for (const key of ['format', 'multipleOf'])
    if (is[key] !== undefined && is[key] !== was[key]) found.push(`has ${key} ${JSON.stringify(is[key])} now`);
  if (is['uniqueItems'] === true && was['uniqueItems'] !== true) found.push('takes no value twice now');
  return found.map((what) => ({ path: '', what }));
}

/** A limit that says what another one, or the values themselves, said before. */
function isImplied(was: Schema, is: Schema, key: string, now: number): boolean {
  if (valuesOf(was) !== null) return true;
  const type = typesOf(is);
  // Whole numbers are described with the limits of what a program can hold.
  if ((key === 'maximum' && now >= Number.MAX_SAFE_INTEGER) || (key === 'minimum' && now <= Number.MIN_SAFE_INTEGER)) return true;
  const twin = { minimum: 'exclusiveMinimum', exclusiveMinimum: 'minimum', maximum: 'exclusiveMaximum', exclusiveMaximum: 'maximum' }[key];
  const before = twin === undefined ? undefined : was[twin];
  if (typeof before !== 'number') return false;
  const step = type?.size === 1 && type.has('integer') ? 1 : 0;
  if (key === 'minimum') return now <= before + step;
  if (key === 'exclusiveMinimum') return now < before;
  return key === 'maximum' ? now >= before - step : now > before;
}

const schemaIn = (value: Json | undefined): Schema | null => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null);
const schemasIn = (value: Json | undefined): Schema[] => (Array.isArray(value) ? value.map(schemaIn).filter((one) => one !== null) : []);
const namesIn = (value: Json | undefined): string[] => (Array.isArray(value) ? value.map(String) : []);
const referenceOf = (schema: Schema): string | null => (typeof schema['$ref'] === 'string' ? schema['$ref'] : null);

/** A schema with what it refers to and with all parts that hold at once. */
function whole(schema: Schema, among: Record<string, Schema>): Schema {
  const reference = referenceOf(schema);
  const { $ref: _ref, allOf, ...own } = schema;
  const parts = schemasIn(allOf).map((part) => whole(part, among));
  if (reference !== null) parts.unshift(whole(among[reference.split('/').at(-1) ?? ''] ?? {}, among));
  return parts.reduce<Schema>(both, own);
}

function both(a: Schema, b: Schema): Schema {
  const patterns = [...new Set([...patternsOf(a), ...patternsOf(b)])];
  const required = [...new Set([...namesIn(a['required']), ...namesIn(b['required'])])];
  const properties = { ...schemaIn(a['properties']), ...schemaIn(b['properties']) };
  const { pattern: _pattern, patterns: _patterns, ...rest } = { ...b, ...a };
  return {
    ...rest,
    ...(patterns.length === 0 ? {} : { patterns }),
    ...(required.length === 0 ? {} : { required }),
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
  };
}

const patternsOf = (schema: Schema): string[] => [
  ...namesIn(schema['patterns']),
  ...(typeof schema['pattern'] === 'string' ? [schema['pattern']] : []),
];

/** The alternatives; several types are alternatives, too. Empty: there are none. */
function choicesOf(schema: Schema): Schema[] {
  const listed = [...schemasIn(schema['anyOf']), ...schemasIn(schema['oneOf'])];
  if (listed.length > 0) {
    const { anyOf: _any, oneOf: _one, ...common } = schema;
    return Object.keys(common).some((key) => key === 'properties' || key === 'type') ? listed.map((one) => both(one, common)) : listed;
  }
  const { type, ...rest } = schema;
  return Array.isArray(type) && type.length > 1 ? type.map((one) => (one === 'null' ? { type: one } : { ...rest, type: one })) : [];
}

/** @returns null where it may be of any type */
function typesOf(schema: Schema): Set<string> | null {
  const { type } = schema;
  if (typeof type === 'string') return new Set([type]);
  if (Array.isArray(type)) return new Set(type.map(String));
  if ('const' in schema) return new Set([typeOf(schema['const'])]);
  return Array.isArray(schema['enum']) ? new Set(schema['enum'].map(typeOf)) : null;
}

const typeOf = (value: Json | undefined): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

const isObject = (schema: Schema) => typesOf(schema)?.has('object') === true;

const valuesOf = (schema: Schema): string[] | null =>
  Array.isArray(schema['enum']) ? schema['enum'].map((value) => JSON.stringify(value)) : 'const' in schema ? [JSON.stringify(schema['const'])] : null;

const fieldsOf = (schema: Schema): Record<string, Schema> =>
  Object.fromEntries(
    Object.entries(schemaIn(schema['properties']) ?? {}).flatMap(([name, value]) => {
      const field = schemaIn(value);
      return field === null ? [] : [[name, field]];
    }),
  );
