import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ApiDocument, type ApiOperation, breakingChanges, type Json, promisesOf, unannounced } from '../../local/api-changes.ts';

type Schema = Record<string, Json>;
const object = (properties: Schema, required: string[] = [], more: Schema = {}): Schema => ({ type: 'object', properties, required, ...more });
const text: Schema = { type: 'string' };
const whole: Schema = { type: 'integer' };
const oneOf = (...values: string[]): Schema => ({ type: 'string', enum: values });

interface Made {
  body?: Schema;
  answer?: Schema;
  status?: number;
  query?: { name: string; required?: boolean; schema?: Schema }[];
}

/** An API of one operation. */
function api({ body, answer = object({}), status = 200, query = [] }: Made): ApiDocument {
  const operation: ApiOperation = {
    parameters: query.map((p) => ({ in: 'query', schema: text, ...p })),
    ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: { [status]: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } } },
  };
  return { paths: { '/api/things': { post: operation } }, components: { schemas: { Thing: answer } } };
}
const whats = (before: ApiDocument, after: ApiDocument) => breakingChanges(before, after).map(({ what }) => what);
const none: ApiDocument = { paths: {}, components: { schemas: {} } };

/** An answer, or a body, with one field `a`. */
const answers = (a: Schema, required: string[] = []) => api({ answer: object({ a }, required) });
const takes = (a: Schema, required: string[] = []) => api({ body: object({ a }, required) });
const asks = (schema: Schema) => api({ query: [{ name: 'q', schema }] });

describe('callers are broken by', () => {
  test.each<[string, ApiDocument, ApiDocument, string]>([
    ['an operation that is gone', api({}), none, 'is gone'],
    ['a field that is gone', answers(text), api({}), 'answer.a is gone'],
    ['a field that may be absent now', answers(text, ['a']), answers(text), 'answer.a may now be absent'],
    ['an answer that may be null now', answers(text), answers({ anyOf: [text, { type: 'null' }] }), 'answer.a may now be null'],
    ['an answer that may be null now, said by its types', answers(text), answers({ type: ['string', 'null'] }), 'answer.a may now be null'],
    [
      'a field of another type, in a list',
      answers({ type: 'array', items: object({ b: text }) }),
      answers({ type: 'array', items: object({ b: whole }) }),
      'answer.a[].b may now be integer',
    ],
    ['a number that may have a fraction now', answers(whole), answers({ type: 'number' }), 'answer.a may now be number'],
    ['an answer that may be anything now', answers(text), answers({}), 'answer.a may now be anything'],
    ['a value that was never promised', answers(oneOf('x')), answers(oneOf('x', 'y')), 'answer.a may now be "y"'],
    ['an answer of any text that was one of a few', answers(oneOf('x')), answers(text), 'answer.a may now be any string'],
    [
      'a further kind of answer',
      answers({ anyOf: [object({ kind: { const: 'x' }, b: text }, ['kind'])] }),
      answers({ anyOf: [object({ kind: { const: 'x' }, b: text }, ['kind']), object({ kind: { const: 'y' } }, ['kind'])] }),
      'answer.a.kind may now be "y"',
    ],
    [
      'a field that is gone from one kind of answer',
      answers({ anyOf: [object({ kind: { const: 'x' }, b: text }), object({ kind: { const: 'y' }, c: text })] }),
      answers({ anyOf: [object({ kind: { const: 'x' }, b: text }), object({ kind: { const: 'y' } })] }),
      'answer.a.c is gone',
    ],
    [
      'values by name of another type',
      answers({ type: 'object', additionalProperties: whole }),
      answers({ type: 'object', additionalProperties: text }),
      'answer.a.* may now be string',
    ],
    [
      'a part of a schema that is gone',
      answers({ allOf: [object({ b: text }), object({ c: text })] }),
      answers({ allOf: [object({ b: text })] }),
      'answer.a.c is gone',
    ],
    ['another status', api({}), api({ status: 202 }), 'it answers 200 no more'],
    ['an input that is newly required', takes(text), takes(text, ['a']), 'body.a is newly required'],
    ['an input more that is required', api({ body: object({}) }), takes(text, ['a']), 'body.a is newly required'],
    [
      'an input that is no longer taken',
      api({ body: object({ a: text, b: text }) }),
      api({ body: object({ a: text }, [], { additionalProperties: false }) }),
      'body.b is no longer taken',
    ],
    [
      'further fields that are refused now',
      takes(text),
      api({ body: object({ a: text }, [], { additionalProperties: false }) }),
      'body takes no further fields any more',
    ],
    ['a value that is no longer taken', takes(oneOf('x', 'y')), takes(oneOf('x')), 'body.a may no longer be "y"'],
    ['a text that has to be one of a few', takes(text), takes(oneOf('x')), 'body.a may no longer be any string'],
    ['a type that is no longer taken', takes({ type: ['string', 'integer'] }), takes(text), 'body.a may no longer be integer'],
    ['a null that is no longer taken', takes({ anyOf: [text, { type: 'null' }] }), takes(text), 'body.a may no longer be null'],
    ['an input of any type that has one now', takes({}), takes(text), 'body.a may no longer be anything'],
    ['a lower maximum', takes({ ...whole, maximum: 9 }), takes({ ...whole, maximum: 8 }), 'body.a has maximum 8, not 9'],
    ['a maximum where there was none', asks(whole), asks({ ...whole, maximum: 8 }), 'q has maximum 8 now'],
    ['a higher minimum', takes({ ...whole, minimum: 1 }), takes({ ...whole, minimum: 2 }), 'body.a has minimum 2, not 1'],
    [
      'a minimum that is not taken itself',
      takes({ type: 'number', minimum: 1 }),
      takes({ type: 'number', exclusiveMinimum: 1 }),
      'body.a has exclusiveMinimum 1 now',
    ],
    ['a shorter text', takes({ ...text, maxLength: 9 }), takes({ ...text, maxLength: 8 }), 'body.a has maxLength 8, not 9'],
    ['a text that has to be longer', takes(text), takes({ ...text, minLength: 1 }), 'body.a has minLength 1 now'],
    ['a shorter list', takes({ type: 'array', maxItems: 9 }), takes({ type: 'array', maxItems: 8 }), 'body.a has maxItems 8, not 9'],
    ['a list that may not be empty', takes({ type: 'array' }), takes({ type: 'array', minItems: 1 }), 'body.a has minItems 1 now'],
    ['a pattern', takes(text), takes({ ...text, pattern: '^a' }), 'body.a has the pattern ^a now'],
    ['a pattern among others', takes(text), takes({ ...text, allOf: [{ pattern: '^a' }] }), 'body.a has the pattern ^a now'],
    ['a format', takes(text), takes({ ...text, format: 'uuid' }), 'body.a has format "uuid" now'],
    ['a parameter that is newly required', api({}), api({ query: [{ name: 'q', required: true }] }), 'the parameter q is newly required'],
    ['a parameter that is gone', asks(text), api({}), 'the parameter q is no longer taken'],
    ['a value of a parameter that is gone', asks(oneOf('x', 'y')), asks(oneOf('y')), 'q may no longer be "x"'],
    ['a body that is newly required', api({}), api({ body: object({}) }), 'a body is newly required'],
    ['a body that is no longer taken', api({ body: object({}) }), api({}), 'a body of application/json is no longer taken'],
  ])('%s', (_name, before, after, what) => {
    expect(whats(before, after)).toContain(what);
  });

  test('a webhook without what it had', () => {
    const webhooks = (body: Schema): ApiDocument => ({
      ...none,
      webhooks: { 'cart.updated': { post: { requestBody: { content: { 'application/json': { schema: body } } }, responses: {} } } },
    });
    expect(breakingChanges(webhooks(object({ a: text })), webhooks(object({})))).toEqual([
      { operation: 'webhook cart.updated', what: 'body.a is gone' },
    ]);
    expect(breakingChanges(webhooks(object({})), none)).toEqual([{ operation: 'webhook cart.updated', what: 'is gone' }]);
    expect(breakingChanges(webhooks(object({})), webhooks(object({ a: text }, ['a'])))).toEqual([]);
  });
});

describe('callers are not broken by', () => {
  test.each<[string, ApiDocument, ApiDocument]>([
    ['a field more', api({}), answers(text, ['a'])],
    ['an answer that is never null any more', answers({ type: ['string', 'null'] }), answers(text)],
    ['a value that does not come any more', answers(oneOf('x', 'y')), answers(oneOf('x'))],
    ['a kind of answer that does not come any more', answers({ anyOf: [text, whole] }), answers(whole)],
    ['kinds of answers in another order', answers({ anyOf: [text, { type: 'null' }] }), answers({ anyOf: [{ type: 'null' }, text] })],
    ['an answer of whole numbers', answers({ type: 'number' }), answers(whole)],
    ['shorter answers', answers({ ...text, maxLength: 9 }), answers({ ...text, maxLength: 8 })],
    ['an input more', takes(text), api({ body: object({ a: text, b: text }) })],
    ['a value more that is taken', takes(oneOf('x')), takes(oneOf('x', 'y'))],
    ['a type more that is taken', takes(text), takes({ anyOf: [whole, text] })],
    ['wider limits', takes({ ...whole, minimum: 2, maximum: 8 }), takes({ ...whole, minimum: 1 })],
    ['the same limit in other words', takes({ ...whole, exclusiveMinimum: 0 }), takes({ ...whole, minimum: 1 })],
    ['a parameter more', api({}), asks(text)],
    ['an input that may be left out now', takes(text, ['a']), takes(text)],
    ['a body that may be left out now', api({ body: object({}) }), withBody(api({ body: object({}) }))],
    ['a schema that has a name now', answers({ $ref: '#/components/schemas/Part' }), answers(object({}))],
  ])('%s', (_name, before, after) => {
    expect(whats(before, after)).toEqual([]);
  });

  test('another name of a place in a path', () => {
    const at = (path: string): ApiDocument => ({ ...none, paths: { [path]: { get: { responses: { 200: {} } } } } });
    expect(breakingChanges(at('/api/things/{id}'), at('/api/things/{thing}'))).toEqual([]);
    expect(breakingChanges(at('/api/things/{id}'), at('/api/others/{id}'))).toHaveLength(1);
  });

  test('a shape that refers to itself', () => {
    const answer = object({ next: { anyOf: [{ $ref: '#/components/schemas/Thing' }, { type: 'null' }] }, a: text });
    expect(whats(api({ answer }), api({ answer }))).toEqual([]);
    expect(whats(api({ answer }), api({ answer: { ...answer, properties: { next: (answer['properties'] as Schema)['next'] ?? {} } } }))).toContain(
      'answer.a is gone',
    );
  });
});

function withBody(document: ApiDocument): ApiDocument {
  const body = document.paths['/api/things']?.['post']?.requestBody;
  if (body !== undefined) body.required = false;
  return document;
}

/** Schemas of any shape, without references. */
const { schema } = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Schema>(text, whole, { type: 'number' }, { type: 'null' }, { type: ['string', 'null'] }, {}, oneOf('x', 'y'), { const: 'z' }),
    fc.record({ type: fc.constant('string'), maxLength: fc.nat(9), minLength: fc.nat(3) }),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    tie('schema').map((items) => ({ type: 'array', items })),
    tie('schema').map((values) => ({ type: 'object', additionalProperties: values })),
    fc
      .tuple(fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('schema')), fc.subarray(['a', 'b', 'c']), fc.boolean())
      .map(([properties, required, open]) =>
        object(
          properties,
          required.filter((name) => name in properties),
          open ? {} : { additionalProperties: false },
        ),
      ),
  ),
}));

test('an API breaks nobody while it stays as it is, whatever its schemas', () => {
  fc.assert(fc.property(schema, (one) => whats(api({ body: one, answer: one }), api({ body: one, answer: one })).length === 0));
});

test('whatever widens an answer narrows a request the other way round', () => {
  fc.assert(
    fc.property(schema, schema, (one, other) => {
      const widened = { anyOf: [one, other] };
      return whats(api({ body: one }), api({ body: widened })).length === 0 && whats(api({ answer: widened }), api({ answer: one })).length === 0;
    }),
  );
});

test('a breaking change counts as announced where the changelog names its operation, in the part that is not released', () => {
  const changes = breakingChanges(answers(text), api({}));
  expect(changes).toHaveLength(1);
  const log = (unreleased: string, released = '') => `# Changelog\n\n## Unreleased\n\n${unreleased}\n\n## 0.1.0\n\n${released}\n`;
  expect(unannounced(changes, log('- Breaking: `POST /api/things` answers without `a`.'))).toEqual([]);
  const named = log('- Breaking: `POST /api/things` answers without `a`.').replace('## Unreleased', '## 1.0.0 (unreleased)');
  expect(unannounced(changes, named)).toEqual([]);
  expect(unannounced(changes, log('- `POST /api/things` is faster.'))).toEqual(changes);
  expect(unannounced(changes, log('- Breaking: `POST /api/other` is gone.'))).toEqual(changes);
  expect(unannounced(changes, log('', '- Breaking: `POST /api/things` is gone.'))).toEqual(changes);
});

test('of a whole document, every field of every answer is promised', () => {
  const document = JSON.parse(readFileSync(new URL('../../sdk/openapi.json', import.meta.url), 'utf8')) as ApiDocument;
  const promised = promisesOf(document);
  expect(breakingChanges(promised, document)).toEqual([]);
  const contact = document.components.schemas['Contact'];
  if (contact === undefined) throw new Error('the API has no contacts');
  const fields = contact['properties'] as Schema;
  delete fields[Object.keys(fields)[0] ?? ''];
  expect(breakingChanges(promised, document).map(({ operation }) => operation)).toContain('GET /api/contacts/{id}');
});
