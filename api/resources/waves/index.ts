import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readLastDay, readWaves } from '../../../operations/drills/figures.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { presentWaves, wavesSchema } from './schemas.ts';

const lastDaySchema = z
  .object({
    started: z.int(),
    stopped: z.record(z.string(), z.int()).meta({ description: 'By reason.' }),
    sent: z.int(),
    sent_twice: z.int().meta({ description: 'Steps that were accepted more than once. Must be 0.' }),
    sent_after_stop: z.int().meta({ description: 'Messages that were begun after their sequence had been stopped. Must be 0.' }),
    in_doubt: z.int().meta({ description: 'Messages of any age whose outcome nobody knows. They are never sent again blindly.' }),
  })
  .meta({ id: 'LastDay' });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/waves',
    {
      schema: {
        summary: 'Show what is due, what is late, and what left',
        description:
          'Counted by the plans of the open enrollments: what hours, caps and conditions make of a step is decided when it is due. What is late by more than ten minutes leaves at `catch_up_per_minute` at most.',
        response: { 200: wavesSchema, ...problems(401, 429, 503) },
      },
    },
    async (request) => presentWaves(await readWaves(deps, callerOf(request).tenantId)),
  );

  app.get(
    '/api/waves/last-day',
    {
      schema: {
        summary: 'Show what the last 24 hours came to, with what must be 0',
        description: 'Counted from the ledger and the story of each enrollment, not from what the guarantees promise.',
        response: { 200: lastDaySchema, ...problems(401, 429, 503) },
      },
    },
    async (request) => {
      const { started, stopped, sent, sentTwice, sentAfterStop, inDoubt } = await readLastDay(deps, callerOf(request).tenantId);
      return { started, stopped, sent, sent_twice: sentTwice, sent_after_stop: sentAfterStop, in_doubt: inDoubt };
    },
  );
};

export const resource: Resource = {
  tag: { name: 'waves', description: 'What is due, what is late, and what left.' },
  guard: 'tenant',
  changes: null,
  routes,
};
