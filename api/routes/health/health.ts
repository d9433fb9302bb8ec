import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { problem, problems } from '../../plugins/errors.ts';
import type { Examine, ExamineStorage } from './examine.ts';
import { healthSchema } from './examine.ts';

/**
 * `/readyz` is for load balancers: Postgres only, because events are accepted while Temporal is away. `/healthz` names every part, for
 * people and monitors: 503 while Postgres (or room on its disk), Temporal or the worker is away, 200 with `degraded` while the relay only lags, steps
 * go out late, or deliveries that may be stops wait in the quarantine.
 * Source: docs/operations.md
 */
export const healthRoutes: FastifyPluginAsyncZod<{ examine: Examine; storage: ExamineStorage }> = async (app, { examine, storage }) => {
  app.get(
    '/readyz',
    {
      schema: {
        tags: ['health'],
        summary: 'Whether this process can take requests',
        description: 'Asks Postgres alone, and whether it can store: with Temporal down, events are still accepted.',
        response: { 200: z.object({ status: z.literal('ok') }), ...problems(503) },
      },
    },
    async (_request, reply) => {
      const postgres = await storage();
      const unready = (detail: string) => problem(reply.header('retry-after', '2'), 503, 'unavailable', detail);
      if (postgres === null) return unready('Postgres cannot be reached.');
      if (postgres.status === 'full') return unready('Postgres cannot store anything: its disk is full.');
      return { status: 'ok' as const };
    },
  );

  app.get(
    '/healthz',
    {
      schema: {
        tags: ['health'],
        summary: 'How every part is doing',
        description:
          '503 while Postgres, Temporal or the worker is away; 200 with `degraded` while the relay lags, steps go out late, or deliveries that may be stops could not be read. For load balancers there is /readyz.',
        response: { 200: healthSchema, 503: healthSchema },
      },
    },
    async (_request, reply) => {
      const health = await examine();
      return reply.code(health.serving ? 200 : 503).send(health.report);
    },
  );
};
