/** A schema in GraphQL's own language, as far as requests are checked against one: fields, their arguments, input objects, enums. */
export interface GraphQlSchema {
  /** By name of the type: what stands between its braces. */
  types: ReadonlyMap<
    string,
    { kind: string; fields: ReadonlyMap<string, { type: string; args: ReadonlyMap<string, string> }>; values: ReadonlySet<string> }
  >;
}

/** Reads what a provider publishes; descriptions and comments are left out. */
export function readSchema(text: string): GraphQlSchema {
  const types = new Map<string, GraphQlSchema['types'] extends ReadonlyMap<string, infer T> ? T : never>();
  for (const [, kind = '', name = '', body = ''] of text.replaceAll(/#.*$/gm, '').matchAll(/^(type|input|enum) (\w+)[^{]*\{([^}]*)\}/gm)) {
    const fields = new Map<string, { type: string; args: ReadonlyMap<string, string> }>();
    for (const [, field = '', args = '', type = ''] of body.matchAll(/^\s*(\w+)(?:\(([^)]*)\))?:\s*([[\]!\w]+)/gm))
      fields.set(field, { type, args: new Map([...args.matchAll(/(\w+):\s*([[\]!\w]+)/g)].map(([, arg = '', its = '']) => [arg, its])) });
    types.set(name, { kind, fields, values: new Set(body.trim().split(/\s+/)) });
  }
  return { types };
}

/** What is wrong with a request: fields that do not exist, arguments of another type, values that an input object does not take. */
export function faultsOfRequest(schema: GraphQlSchema, query: string, variables: Readonly<Record<string, unknown>>): string[] {
  const head = /^\s*(query|mutation)\s+\w+\s*\(([^)]*)\)\s*\{/.exec(query);
  if (head === null) return ['it is no named operation with variables'];
  const declared = new Map([...(head[2] ?? '').matchAll(/\$(\w+):\s*([[\]!\w]+)/g)].map(([, name = '', type = '']) => [name, type]));
  const faults: string[] = [];
  for (const [name, type] of declared) faults.push(...faultsOfValue(schema, type, variables[name], `$${name}`));
  for (const name of Object.keys(variables)) if (!declared.has(name)) faults.push(`$${name} is not declared`);
  const words = query.slice(head[0].length - 1).match(/[{}()]|\.\.\.|\$?\w+|:/g) ?? [];
  faults.push(...faultsOfSelection(schema, head[1] === 'query' ? 'Query' : 'Mutation', words, declared));
  return faults;
}

/** Reads one selection set from the front of `words`, its braces included. */
function faultsOfSelection(schema: GraphQlSchema, typeName: string, words: string[], declared: ReadonlyMap<string, string>): string[] {
  const faults: string[] = [];
  const type = schema.types.get(typeName);
  words.shift();
  while (words.length > 0 && words[0] !== '}') {
    const word = words.shift() ?? '';
    if (word === '...') {
      words.shift();
      faults.push(...faultsOfSelection(schema, words.shift() ?? '', words, declared));
      continue;
    }
    const field = type?.fields.get(word);
    if (word !== '__typename' && field === undefined && !isUnion(schema, typeName)) faults.push(`${typeName} has no field ${word}`);
    if (words[0] === '(') {
      words.shift();
      while (words.length > 0 && !words[0]?.startsWith(')')) {
        const [arg = '', , variable = ''] = words.splice(0, 3);
        const wanted = field?.args.get(arg);
        if (wanted !== declared.get(variable.slice(1))) faults.push(`${typeName}.${word}(${arg}) takes ${wanted ?? 'no such argument'}`);
      }
      words.shift();
    }
    if (words[0] === '{') faults.push(...faultsOfSelection(schema, (field?.type ?? '').replaceAll(/[[\]!]/g, ''), words, declared));
  }
  words.shift();
  return faults;
}

const isUnion = (schema: GraphQlSchema, name: string) => !schema.types.has(name);

function faultsOfValue(schema: GraphQlSchema, type: string, value: unknown, path: string): string[] {
  if (value === undefined || value === null) return type.endsWith('!') ? [`${path} is missing`] : [];
  const bare = type.replace(/!$/, '');
  if (bare.startsWith('[')) {
    const inner = bare.slice(1, -1);
    return Array.isArray(value) ? value.flatMap((one, index) => faultsOfValue(schema, inner, one, `${path}[${index}]`)) : [`${path} is no list`];
  }
  const known = schema.types.get(bare);
  if (known?.kind === 'enum') return typeof value === 'string' && known.values.has(value) ? [] : [`${path} is no ${bare}`];
  if (known?.kind === 'input') {
    if (typeof value !== 'object') return [`${path} is no ${bare}`];
    const given = value as Record<string, unknown>;
    const unknown = Object.keys(given).flatMap((key) => (known.fields.has(key) ? [] : [`${path}.${key} does not exist`]));
    return [...unknown, ...[...known.fields].flatMap(([key, field]) => faultsOfValue(schema, field.type, given[key], `${path}.${key}`))];
  }
  const scalars: Record<string, boolean> = {
    ...{ String: typeof value === 'string', ID: typeof value === 'string', URL: typeof value === 'string' },
    ...{ Boolean: typeof value === 'boolean', Int: Number.isInteger(value), Float: typeof value === 'number' },
    DateTime: typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value),
  };
  return scalars[bare] === false ? [`${path} is no ${bare}`] : [];
}
