import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
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
    version: '0.1.0',
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
    }
  }
  Object.assign(objectAt(objectAt(document, 'components'), 'schemas'), eventSchemas());
  return withoutUnused(document);
}

type JsonObject = Record<string, unknown>;
const asObject = (value: unknown): JsonObject => (typeof value === 'object' && value !== null ? (value as JsonObject) : {});
const objectAt = (parent: JsonObject, key: string): JsonObject => asObject((parent[key] ??= {}));

/** `GET /recovery/sequences` → `getRecoverySequences` */
function operationIdOf(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return method + (words.length === 0 ? 'Start' : words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join(''));
}

/** The generic integration's events as components, each under its name. */
function eventSchemas(): JsonObject {
  const { $defs } = z.toJSONSchema(genericEvent, { target: 'draft-2020-12' });
  const text = JSON.stringify($defs ?? {}).replaceAll('"#/$defs/', '"#/components/schemas/');
  const schemas: JsonObject = JSON.parse(text);
  // The name is the key; an id inside would be an address to resolve against.
  for (const schema of Object.values(schemas)) delete asObject(schema)['id'];
  return schemas;
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
