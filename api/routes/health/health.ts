import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import { problem, problems } from '../../plugins/errors.ts';
import type { Examine } from './examine.ts';
import { healthSchema } from './examine.ts';
import { withinPatience } from './within-patience.ts';

/**
 * `/readyz` is for load balancers: Postgres only, because events are accepted while Temporal is away. `/healthz` names every part, for
 * people and monitors: 503 while Postgres, Temporal or the worker is away, 200 with `degraded` while the relay only lags.
 * Source: design, section 9
 */
export const healthRoutes: FastifyPluginAsyncZod<{ deps: Pick<Deps, 'db'>; examine: Examine }> = async (app, { deps, examine }) => {
  app.get(
    '/readyz',
    {
      schema: {
        tags: ['health'],
        summary: 'Whether this process can take requests',
        description: 'Asks Postgres alone: with Temporal down, events are still accepted.',
        response: { 200: z.object({ status: z.literal('ok') }), ...problems(503) },
      },
    },
    async (_request, reply) => {
      const answered = await withinPatience(deps.db.ping().then(() => true));
      if (answered === null) return problem(reply.header('retry-after', '2'), 503, 'unavailable', 'Postgres cannot be reached.');
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
          '503 while Postgres, Temporal or the worker is away; 200 with `degraded` while the relay lags. For load balancers there is /readyz.',
        response: { 200: healthSchema, 503: healthSchema },
      },
    },
    async (_request, reply) => {
      const health = await examine();
      return reply.code(health.serving ? 200 : 503).send(health.report);
    },
  );
};
