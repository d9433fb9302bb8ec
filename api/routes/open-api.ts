import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { webhookEvent, webhookEventTypes } from '../../operations/webhooks/event-types.ts';
import { meanings } from '../plugins/errors.ts';
import { genericEvent } from './webhooks/generic-events.ts';

/**
 * The fixed part of the OpenAPI document; the rest comes from the routes' schemas.
 * @param publicUrl - where this installation is reached
 * @param resourceTags - of api/resources/
 */
export const openApi = (
  publicUrl: string,
  resourceTags: readonly { name: string; description: string }[],
): NonNullable<FastifyDynamicSwaggerOptions['openapi']> => ({
  openapi: '3.1.0',
  servers: [{ url: publicUrl, description: 'This installation.' }],
  info: {
    title: 'Rekindle',
    version: '1.0.0',
    description: 'Abandoned carts and silent leads, brought back. Errors are problem details (RFC 9457): programs act on `code`, people on `detail`.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  tags: [
    { name: 'webhooks', description: 'What a shop tells us.' },
    { name: 'recovery', description: 'What a merchant sees of the store’s recoveries.' },
    ...resourceTags,
    { name: 'session', description: 'Signing in and out, for the dashboard.' },
    { name: 'mcp', description: 'Tools for agents.' },
    { name: 'links', description: 'Links in messages.' },
    { name: 'onsite', description: 'What the script on a store’s pages asks and reports.' },
    { name: 'health', description: 'For those who run it.' },
  ],
  components: {
    securitySchemes: {
      apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, `rk_…`. The store follows from it.' },
      installationKey: { type: 'http', scheme: 'bearer', description: 'The installation’s key, for what spans stores.' },
      apiKeyHeader: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: `${publicUrl.startsWith('https:') ? '__Secure-' : ''}rekindle.session_token`,
        description: 'Somebody who is signed in. The header `Rekindle-Store` names the store; with only one it may be left out.',
      },
    },
  },
});

/** Make a document of the routes' schemas: adds what would otherwise be repeated in each route, and drops unused components. */
export function completeOpenApi(document: JsonObject): JsonObject {
  for (const [path, methods] of Object.entries(objectAt(document, 'paths'))) {
    for (const [method, operation] of Object.entries(asObject(methods))) {
      const described = asObject(operation);
      described['operationId'] ??= operationIdOf(method, path);
      // Without it the reader has to guess whether a key is needed.
      described['security'] ??= [];
      const responses = objectAt(described, 'responses');
      // Before there is a route: every address refuses a head that is too large.
      responses['431'] ??= problemAnswer(431);
      // Bodies are read before they are looked at, also where none is expected.
      if (method !== 'get') responses['413'] ??= { ...problemAnswer(413), ...pageOf(responses) };
      if (mayBeRefused(described['parameters'])) responses['400'] ??= problemAnswer(400);
    }
  }
  const schemas = objectAt(objectAt(document, 'components'), 'schemas');
  Object.assign(schemas, componentsOf(genericEvent));
  document['webhooks'] = outgoingWebhooks(schemas);
  return withoutUnused(document);
}

type JsonObject = Record<string, unknown>;
const asObject = (value: unknown): JsonObject => (typeof value === 'object' && value !== null ? (value as JsonObject) : {});
const objectAt = (parent: JsonObject, key: string): JsonObject => asObject((parent[key] ??= {}));

const problemAnswer = (status: 400 | 413 | 431): JsonObject => ({
  description: meanings[status],
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

/** Where errors are pages for people, what is said of one holds for all. */
function pageOf(responses: JsonObject): JsonObject {
  const errors = Object.entries(responses).filter(([status]) => Number(status) >= 400);
  const page = errors.map(([, response]) => asObject(asObject(response)['content'])).find((content) => 'text/html' in content);
  return page === undefined ? {} : { description: 'The body is too large.', content: page };
}

/** Whether a value of a path or a query may be one that the route does not take. */
const mayBeRefused = (parameters: unknown): boolean =>
  Array.isArray(parameters) &&
  parameters.some((parameter) =>
    Object.keys(asObject(asObject(parameter)['schema'])).some((key) => !['type', 'description', 'default'].includes(key)),
  );

/** `GET /recovery/sequences` → `getRecoverySequences` */
function operationIdOf(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return method + (words.length === 0 ? 'Start' : words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join(''));
}

/** What a schema consists of as components, each under its name: those of the generic integration's events. */
function componentsOf(schema: z.ZodType): JsonObject {
  const { $defs } = z.toJSONSchema(schema, { target: 'draft-2020-12' });
  const text = JSON.stringify($defs ?? {}).replaceAll('"#/$defs/', '"#/components/schemas/');
  const schemas: JsonObject = JSON.parse(text);
  // The name is the key; an id inside would be an address to resolve against.
  for (const named of Object.values(schemas)) delete asObject(named)['id'];
  return schemas;
}

/** What endpoints of a store are sent, an entry for each type. @param schemas - the components, to which the bodies are added */
function outgoingWebhooks(schemas: JsonObject): JsonObject {
  const header = (name: string, description: string) => ({ name, in: 'header', required: true, schema: { type: 'string' }, description });
  const parameters = [
    header('webhook-id', 'Names the event: the same at every attempt.'),
    header('webhook-timestamp', 'Of the attempt: Unix time in seconds.'),
    header('webhook-signature', 'By the Standard Webhooks specification; several, separated by spaces, while a secret is replaced.'),
  ];
  const entries = webhookEventTypes.map((type) => {
    const { summary, body } = webhookEvent(type);
    Object.assign(schemas, componentsOf(z.object({ body })));
    const schema = { $ref: `#/components/schemas/${String(body.meta()?.id)}` };
    const post = {
      tags: ['webhook endpoints'],
      summary,
      parameters,
      requestBody: { required: true, content: { 'application/json': { schema } } },
      responses: { '2XX': { description: 'Taken. Everything else is attempted again; 410 disables the endpoint.' } },
      security: [],
    };
    return [type, { post }] as const;
  });
  return Object.fromEntries(entries);
}

/** The generator makes an input and an output schema of each type, used or not. */
function withoutUnused(document: JsonObject): JsonObject {
  const schemas = objectAt(objectAt(document, 'components'), 'schemas');
  const used = new Set<string>();
  const follow = (part: unknown) => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      follow(schemas[name] ?? {});
    }
  };
  follow(document['paths'] ?? {});
  follow(document['webhooks'] ?? {});
  for (const name of Object.keys(schemas)) if (!used.has(name)) delete schemas[name];
  return document;
}

/** The description of every route, for programs and for generating clients. */
export const openApiRoute: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/openapi.json',
    {
      schema: {
        tags: ['health'],
        summary: 'This description',
        response: { 200: z.record(z.string(), z.unknown()).meta({ description: 'An OpenAPI 3.1 document.' }) },
      },
    },
    async () => ({ ...app.swagger() }),
  );
};
