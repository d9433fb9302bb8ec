import { describe, expect, test } from 'vitest';
import { type ApiDocument, breakingChanges, type Json, unannounced } from '../../local/api-changes.ts';

type Schema = Record<string, Json>;
const object = (properties: Schema, required: string[] = [], more: Schema = {}): Schema => ({ type: 'object', properties, required, ...more });
const text: Schema = { type: 'string' };

/** An API of one operation. */
function api({
  body,
  answer = object({}),
  query = [],
}: {
  body?: Schema;
  answer?: Schema;
  query?: { name: string; required?: boolean }[];
}): ApiDocument {
  return {
    paths: {
      '/api/things': {
        post: {
          parameters: query.map((p) => ({ in: 'query', schema: text, ...p })),
          ...(body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
          responses: { 200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } } },
        },
      },
    },
    components: { schemas: { Thing: answer } },
  };
}
const whats = (before: ApiDocument, after: ApiDocument) => breakingChanges(before, after).map(({ what }) => what);

describe('callers are broken by', () => {
  test.each<[string, ApiDocument, ApiDocument, string]>([
    ['an operation that is gone', api({}), { paths: {}, components: { schemas: {} } }, 'is gone'],
    ['a field that is gone', api({ answer: object({ a: text }) }), api({}), 'answer.a is gone'],
    [
      'a field that may be absent now',
      api({ answer: object({ a: text }, ['a']) }),
      api({ answer: object({ a: text }) }),
      'answer.a may now be absent',
    ],
    [
      'an answer that may be null now',
      api({ answer: object({ a: text }) }),
      api({ answer: object({ a: { anyOf: [text, { type: 'null' }] } }) }),
      'answer.a may now be null',
    ],
    [
      'a field of another type, in a list',
      api({ answer: object({ a: { type: 'array', items: object({ b: text }) } }) }),
      api({ answer: object({ a: { type: 'array', items: object({ b: { type: 'integer' } }) } }) }),
      'answer.a[].b may now be integer',
    ],
    ['an input that is newly required', api({ body: object({ a: text }) }), api({ body: object({ a: text }, ['a']) }), 'body.a is newly required'],
    [
      'an input that is no longer taken',
      api({ body: object({ a: text, b: text }) }),
      api({ body: object({ a: text }, [], { additionalProperties: false }) }),
      'body.b is no longer taken',
    ],
    [
      'a value that is no longer taken',
      api({ body: object({ a: { type: 'string', enum: ['x', 'y'] } }) }),
      api({ body: object({ a: { type: 'string', enum: ['x'] } }) }),
      'body.a may no longer be "y"',
    ],
    ['a parameter that is newly required', api({}), api({ query: [{ name: 'q', required: true }] }), 'the parameter q is newly required'],
    ['a parameter that is gone', api({ query: [{ name: 'q' }] }), api({}), 'the parameter q is no longer taken'],
  ])('%s', (_name, before, after, what) => {
    expect(whats(before, after)).toEqual([what]);
  });
});

describe('callers are not broken by', () => {
  test.each<[string, ApiDocument, ApiDocument]>([
    ['a field more', api({}), api({ answer: object({ a: text }, ['a']) })],
    ['an answer that is never null any more', api({ answer: object({ a: { type: ['string', 'null'] } }) }), api({ answer: object({ a: text }) })],
    ['an input more', api({ body: object({ a: text }) }), api({ body: object({ a: text, b: text }) })],
    [
      'a value more that is taken',
      api({ body: object({ a: { type: 'string', enum: ['x'] } }) }),
      api({ body: object({ a: { type: 'string', enum: ['x', 'y'] } }) }),
    ],
    ['a parameter more', api({}), api({ query: [{ name: 'q' }] })],
    ['an input that may be left out now', api({ body: object({ a: text }, ['a']) }), api({ body: object({ a: text }) })],
  ])('%s', (_name, before, after) => {
    expect(whats(before, after)).toEqual([]);
  });

  test('a shape that refers to itself', () => {
    const answer = object({ next: { $ref: '#/components/schemas/Thing' }, a: text });
    expect(whats(api({ answer }), api({ answer }))).toEqual([]);
  });
});

test('a breaking change counts as announced where the changelog names its operation, in the part that is not released', () => {
  const changes = breakingChanges(api({ answer: object({ a: text }) }), api({}));
  expect(changes).toHaveLength(1);
  const log = (unreleased: string, released = '') => `# Changelog\n\n## Unreleased\n\n${unreleased}\n\n## 0.1.0\n\n${released}\n`;
  expect(unannounced(changes, log('- Breaking: `POST /api/things` answers without `a`.'))).toEqual([]);
  expect(unannounced(changes, log('- `POST /api/things` is faster.'))).toEqual(changes);
  expect(unannounced(changes, log('- Breaking: `POST /api/other` is gone.'))).toEqual(changes);
  expect(unannounced(changes, log('', '- Breaking: `POST /api/things` is gone.'))).toEqual(changes);
});
