import swagger from '@fastify/swagger';
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Client } from '@temporalio/client';
import type { Registry } from 'prom-client';
import type { Deps } from '../operations/deps.ts';
import { handleErrors } from './plugins/errors.ts';
import { webhookRoutes } from './routes/webhooks/receive.ts';

export interface AppOptions {
  deps: Deps;
  logger: FastifyBaseLogger;
  /** For /healthz. */
  client: Client;
  /** For /metrics. */
  registry: Registry;
  /** Where the live page links to; null: not offered. */
  links: { temporalUi: string | null; mailbox: string | null };
}

/** Build the HTTP interface; `server.ts` listens. */
export async function buildApp({ deps, logger }: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({ loggerInstance: logger, bodyLimit: 1024 * 1024 });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  handleErrors(app);
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Rekindle', version: '0.1.0', description: 'Abandoned carts, brought back.' } },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(webhookRoutes, { deps });
  return app;
}
