/** A field of an integration's configuration, as a form asks for it. */
export interface ConfigField {
  name: string;
  kind: 'text' | 'number' | 'choice' | 'json';
  /** Of a choice. */
  options: string[];
  isRequired: boolean;
  /** What is typed is not shown. */
  isSecret: boolean;
  /** What holds where it is left out; empty: nothing. */
  usual: string;
}

/** What was typed into a field of JSON is none. */
export class UnreadableFieldError extends Error {
  override readonly name = 'UnreadableFieldError';
}

type Shape = Readonly<Record<string, unknown>>;
const isShape = (value: unknown): value is Shape => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param schema - JSON Schema of the configuration; null: there is none */
export function fieldsOf(schema: unknown): ConfigField[] {
  if (!isShape(schema) || !isShape(schema['properties'])) return [];
  const required: unknown = schema['required'];
  return Object.entries(schema['properties']).map(([name, shape]) =>
    fieldOf(name, isShape(shape) ? shape : {}, Array.isArray(required) && required.includes(name)),
  );
}

function fieldOf(name: string, shape: Shape, isRequired: boolean): ConfigField {
  const { type, enum: values, default: usual } = shape;
  const options = type === 'boolean' ? ['true', 'false'] : Array.isArray(values) ? values.map(String) : [];
  const kind = options.length > 0 ? 'choice' : type === 'number' || type === 'integer' ? 'number' : type === 'string' ? 'text' : 'json';
  return {
    ...{ name, kind, options, isRequired },
    isSecret: kind === 'text' && (shape['writeOnly'] === true || (/secret|token|password|(^|[a-z])key$/i.test(name) && !/public/i.test(name))),
    usual: ['string', 'number', 'boolean'].includes(typeof usual) ? String(usual) : '',
  };
}

/**
 * What was entered, as the API takes it. What was left out is left out.
 * @throws UnreadableFieldError
 */
export function configOf(fields: readonly ConfigField[], entered: (name: string) => string): Record<string, unknown> {
  return Object.fromEntries(
    fields.flatMap((field): [string, unknown][] => {
      const text = entered(field.name);
      return text === '' ? [] : [[field.name, valueOf(field, text)]];
    }),
  );
}

function valueOf({ name, kind, options }: ConfigField, text: string): unknown {
  if (kind === 'number') return Number(text);
  if (kind === 'choice' && options.join() === 'true,false') return text === 'true';
  if (kind !== 'json') return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new UnreadableFieldError(`“${labelOf(name)}” is no JSON.`);
  }
}

/** `accountSid` → `Account SID`, `baseUrl` → `Base URL`. */
export const labelOf = (name: string): string => {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replaceAll(/\b(api|id|sid|url|dkim|csv|http|ttl)\b/g, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
};
