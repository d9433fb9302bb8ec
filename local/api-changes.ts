// What breaks callers when the API changes from one OpenAPI document to another.
import { compareSchemas, type Schema, type Side } from './schema-changes.ts';

export type { Json } from './schema-changes.ts';

interface ApiParameter {
  name: string;
  in: string;
  required?: boolean;
  schema?: Schema;
}

type ApiContent = Record<string, { schema?: Schema }>;

export interface ApiOperation {
  parameters?: ApiParameter[];
  requestBody?: { required?: boolean; content: ApiContent };
  responses: Record<string, { content?: ApiContent }>;
}

export interface ApiDocument {
  paths: Record<string, Record<string, ApiOperation>>;
  components: { schemas: Record<string, Schema> };
  /** What Rekindle calls at the callers' own servers, by the type of the event. */
  webhooks?: Record<string, Record<string, ApiOperation>>;
}

export interface ApiChange {
  /** `POST /api/enrollments`, `webhook message.sent` */
  operation: string;
  what: string;
}

/**
 * Changes after which a program that worked may fail: an operation, an answer's field or a promised value that is gone, a value in an answer that was
 * never promised, and an input that is newly required or no longer taken. Additions break nobody: callers ignore fields that they do not know.
 */
export function breakingChanges(before: ApiDocument, after: ApiDocument): ApiChange[] {
  const compare = (was: Schema, is: Schema, at: string, side: Side) =>
    compareSchemas({ schema: was, among: before.components.schemas }, { schema: is, among: after.components.schemas }, side).map(
      ({ path, what }) => `${at}${path} ${what}`,
    );
  const found: ApiChange[] = [];
  const add = (operation: string, whats: string[]) => found.push(...[...new Set(whats)].map((what) => ({ operation, what })));
  // Callers write values where a path has names: the names may change.
  const places = new Map(Object.entries(after.paths).map(([path, methods]) => [unnamed(path), methods]));
  for (const [path, methods] of Object.entries(before.paths))
    for (const [method, was] of Object.entries(methods)) {
      const is = places.get(unnamed(path))?.[method];
      add(`${method.toUpperCase()} ${path}`, is === undefined ? ['is gone'] : operationChanges(was, is, compare));
    }
  for (const [type, methods] of Object.entries(before.webhooks ?? {}))
    for (const [method, was] of Object.entries(methods)) {
      const is = after.webhooks?.[type]?.[method];
      add(`webhook ${type}`, is === undefined ? ['is gone'] : webhookChanges(was, is, compare));
    }
  return found;
}

/** @returns those that no line of the unreleased part of the changelog names as breaking */
export function unannounced(changes: readonly ApiChange[], changelog: string): ApiChange[] {
  const unreleased = /^## (?:Unreleased|\S+ \(unreleased\))$(.*?)(?=^## |(?![\s\S]))/ms.exec(changelog)?.[1] ?? '';
  const breaking = unreleased.split('\n').filter((line) => /\bbreaking\b/i.test(line));
  return changes.filter(({ operation }) => !breaking.some((line) => line.includes(operation)));
}

/** What is to be done about them, for people. */
export function explainChanges(changes: readonly ApiChange[]): string {
  const lines = changes.map(({ operation, what }) => `  ${operation}: ${what}`).join('\n');
  return `This breaks callers of the API as it was released:\n${lines}\nKeep what they rely on, or say it in CHANGELOG.md in the part that is unreleased, in a line with the word "Breaking" and the operation, such as\n- Breaking: \`${changes[0]?.operation ?? ''}\` …`;
}

/** What comparisons read of a document: without texts for people, examples and answers of errors, which are most of it. */
export function promisesOf({ paths, components, webhooks }: ApiDocument): ApiDocument {
  const skipped = new Set(['description', 'summary', 'examples', 'example', 'tags', 'title', 'default', 'security', 'operationId', 'headers']);
  const promises = { paths, components: { schemas: components.schemas }, ...(webhooks === undefined ? {} : { webhooks }) };
  const copy = JSON.parse(JSON.stringify(promises), (_key, value: unknown) => value) as ApiDocument;
  for (const methods of [...Object.values(copy.paths), ...Object.values(copy.webhooks ?? {})])
    for (const operation of Object.values(methods)) {
      for (const key of Object.keys(operation)) if (skipped.has(key)) delete operation[key as keyof ApiOperation];
      operation.responses = Object.fromEntries(Object.entries(operation.responses).filter(([status]) => !isError(status)));
      for (const response of Object.values(operation.responses))
        for (const key of Object.keys(response)) if (key !== 'content') delete response[key as 'content'];
    }
  return copy;
}

const unnamed = (path: string) => path.replaceAll(/\{[^}]+\}/g, '{}');
const isError = (status: string) => /^[45]/.test(status) || status === 'default';

type Compare = (was: Schema, is: Schema, at: string, side: Side) => string[];

function operationChanges(was: ApiOperation, is: ApiOperation, compare: Compare): string[] {
  const found: string[] = [];
  for (const parameter of is.parameters ?? []) {
    const known = sameParameter(was, parameter);
    // Those of a path are given by its shape: only their names may differ.
    if (parameter.in === 'path') continue;
    if (parameter.required === true && known?.required !== true) found.push(`the parameter ${parameter.name} is newly required`);
  }
  for (const parameter of was.parameters ?? []) {
    const now = sameParameter(is, parameter);
    if (now === undefined) {
      if (parameter.in !== 'path') found.push(`the parameter ${parameter.name} is no longer taken`);
    } else if (parameter.schema !== undefined && now.schema !== undefined)
      found.push(...compare(parameter.schema, now.schema, parameter.name, 'input'));
  }
  if (was.requestBody?.required !== true && is.requestBody?.required === true) found.push('a body is newly required');
  found.push(...contentChanges(was.requestBody?.content, is.requestBody?.content, 'body', 'input', compare));
  for (const [status, { content }] of Object.entries(was.responses)) {
    if (isError(status)) continue;
    const now = is.responses[status];
    if (now === undefined) found.push(`it answers ${status} no more`);
    else found.push(...contentChanges(content, now.content, 'answer', 'output', compare));
  }
  for (const status of Object.keys(is.responses))
    if (!isError(status) && was.responses[status] === undefined) found.push(`it may now answer ${status}`);
  return found;
}

/** A webhook's body is what callers receive. What their own servers answer is theirs. */
function webhookChanges(was: ApiOperation, is: ApiOperation, compare: Compare): string[] {
  const gone = (was.parameters ?? [])
    .filter((parameter) => sameParameter(is, parameter) === undefined)
    .map(({ name }) => `the header ${name} is gone`);
  return [...gone, ...contentChanges(was.requestBody?.content, is.requestBody?.content, 'body', 'output', compare)];
}

function contentChanges(was: ApiContent | undefined, is: ApiContent | undefined, at: string, side: Side, compare: Compare): string[] {
  return Object.entries(was ?? {}).flatMap(([type, { schema }]) => {
    const now = is?.[type];
    if (now === undefined) return [side === 'input' ? `a ${at} of ${type} is no longer taken` : `its ${at} is no longer ${type}`];
    return schema === undefined || now.schema === undefined ? [] : compare(schema, now.schema, at, side);
  });
}

const sameParameter = ({ parameters }: ApiOperation, { name, in: where }: ApiParameter) =>
  parameters?.find((one) => one.name === name && one.in === where);
