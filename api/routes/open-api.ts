import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';

/** The head of the published description; the rest comes from the routes' schemas. */
export const openApi: NonNullable<FastifyDynamicSwaggerOptions['openapi']> = {
  openapi: '3.1.0',
  info: {
    title: 'Rekindle',
    version: '0.1.0',
    description: 'Abandoned carts, brought back. Errors are problem details (RFC 9457): programs act on `code`, people on `detail`.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  tags: [
    { name: 'webhooks', description: 'What a shop tells us.' },
    { name: 'recovery', description: 'What a merchant sees of the store’s recoveries.' },
    { name: 'enrollments', description: 'One shopper’s way through a sequence, explained.' },
    { name: 'deliveries', description: 'What became of the webhooks that a store sent, and those that could not be read.' },
    { name: 'links', description: 'Links in emails.' },
    { name: 'health', description: 'For those who run it.' },
  ],
  components: {
    securitySchemes: {
      apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, `rk_…`. The store follows from it.' },
      apiKeyHeader: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    },
  },
};

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
