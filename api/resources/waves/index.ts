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
    steps_per_hour: z.number().meta({ description: 'Steps that were sent, failed or left out, on average over the 24 hours.' }),
    failed_attempts: z
      .object({
        failed: z.int(),
        executions: z.int().meta({ description: 'Steps that were tried with a provider.' }),
        rate: z.number().nullable().meta({ description: 'Percent; null: nothing was tried.' }),
        interval: z.object({ low: z.number(), high: z.number() }).nullable().meta({ description: 'Wilson’s 95 % interval of the rate, in percent.' }),
      })
      .meta({ description: 'Failed ÷ executions.' }),
    in_doubt: z.int().meta({ description: 'Messages of any age whose outcome nobody knows. They are never sent again blindly.' }),
  })
  .meta({ id: 'LastDay' });

const percent = (share: number) => Math.round(share * 10_000) / 100;

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
      const { started, stopped, sent, sentTwice, sentAfterStop, inDoubt, processed, attempts } = await readLastDay(deps, callerOf(request).tenantId);
      const { failed, all, interval } = attempts;
      return {
        ...{ started, stopped, sent, sent_twice: sentTwice, sent_after_stop: sentAfterStop, in_doubt: inDoubt },
        steps_per_hour: Math.round((100 * processed) / 24) / 100,
        failed_attempts: {
          ...{ failed, executions: all, rate: all === 0 ? null : percent(failed / all) },
          interval: interval === null ? null : { low: percent(interval.low), high: percent(interval.high) },
        },
      };
    },
  );
};

export const resource: Resource = {
  tag: { name: 'waves', description: 'What is due, what is late, and what left.' },
  guard: 'tenant',
  changes: null,
  routes,
};
