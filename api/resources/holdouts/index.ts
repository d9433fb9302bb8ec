import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type ArmFigures, type Holdout, readHoldouts } from '../../../operations/read/holdouts.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { effectSchema, presentEffect } from './effect.ts';

const armSchema = z.object({
  arm: z.enum(['treated', 'holdout']),
  people: z.int().meta({ description: 'Each in the arm that they got first.' }),
  expected: z.number().meta({ description: 'How many it should be, by the shares in force when they were assigned.' }),
  complete: z.int().meta({ description: 'Whose window is over: only they are compared.' }),
  converted: z.int().meta({ description: 'Of these, who ordered within the window. Any order that is revenue counts.' }),
  conversion_rate: z.number().nullable().meta({ description: 'Percent; null: nobody’s window is over.' }),
  conversion_rate_interval: z
    .object({ low: z.number(), high: z.number() })
    .nullable()
    .meta({ description: 'Wilson’s 95 % interval of the rate, in percent.' }),
});

const holdoutSchema = z
  .object({
    sequence: z.string(),
    name: z.string(),
    holdout_percent: z.number().nullable().meta({ description: 'Of the version in use.' }),
    window_seconds: z.number().meta({ description: 'How long after the assignment an order counts.' }),
    arms: z.array(armSchema),
    sample_ratio: z.object({ chi_squared: z.number(), p: z.number(), mismatch: z.boolean() }).nullable().meta({
      description:
        'Whether the arms hold as many people as they should. With a `mismatch` (p below 0.001) the assignment or what is counted is at fault, and no difference between the arms may be believed.',
    }),
    effect: effectSchema,
  })
  .meta({ id: 'Holdout' });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/holdouts',
    {
      schema: {
        summary: 'Compare people who got messages with those who were held out',
        description:
          'For each sequence that holds people out, or did: how many of each arm ordered within the goal’s window after they were assigned.',
        response: { 200: z.object({ data: z.array(holdoutSchema) }), ...problems(401, 429, 503) },
      },
    },
    async (request) => ({ data: (await readHoldouts(deps, callerOf(request).tenantId)).map(present) }),
  );
};

function present(holdout: Holdout) {
  const { sequence, name, percent, windowMs, arms, sampleRatio } = holdout;
  return {
    sequence,
    name,
    holdout_percent: percent,
    window_seconds: windowMs / 1_000,
    arms: arms.map(presentArm),
    sample_ratio: sampleRatio === null ? null : { chi_squared: sampleRatio.chiSquared, p: sampleRatio.p, mismatch: sampleRatio.mismatch },
    effect: presentEffect(holdout),
  };
}

function presentArm({ arm, people, expected, complete, converted, rate, interval }: ArmFigures) {
  const percent = (share: number) => Math.round(share * 10_000) / 100;
  return {
    ...{ arm, people, expected, complete, converted, conversion_rate: rate === null ? null : percent(rate) },
    conversion_rate_interval: interval === null ? null : { low: percent(interval.low), high: percent(interval.high) },
  };
}

export const resource: Resource = {
  tag: { name: 'holdouts', description: 'What sequences bring: people who got messages beside people who were held out' },
  guard: 'tenant',
  changes: null,
  routes,
};
