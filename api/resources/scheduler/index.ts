import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { processSequences } from '../../../operations/process-sequences.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const passSchema = z
  .object({
    processed: z.int().meta({ description: 'Running enrollments that were looked at.' }),
    executed: z.int().meta({ description: 'Of them, those that had lost their timer or had been ended in Temporal, and were put in order.' }),
    deferred: z.int().meta({ description: 'Those that wait for their time.' }),
    failed: z.int().meta({ description: 'Those that could not be examined: the next pass looks at them again.' }),
  })
  .meta({ id: 'SchedulerPass' });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps, engine }) => {
  app.post(
    '/api/scheduler/process-sequences',
    {
      schema: {
        summary: 'Run one reconciling pass over the running sequences',
        description:
          'It finds what was missed and puts it in order, as happens every minute by itself. It is never the way to a message: two passes over one enrollment send nothing twice.',
        response: { 200: passSchema, ...problems(401, 429, 503) },
      },
    },
    async (request, reply) => {
      try {
        return await processSequences({ ...deps, engine }, callerOf(request).tenantId);
      } catch (error) {
        deps.log.warn({ err: error }, 'a reconciling pass failed');
        return problem(
          reply.header('retry-after', '5'),
          503,
          'temporal_away',
          'Temporal or the database gives no answer. The pass is made again every minute.',
        );
      }
    },
  );
};

export const resource: Resource = {
  tag: { name: 'scheduler', description: 'A reconciling pass by hand.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
