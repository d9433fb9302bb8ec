import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readVariants, type StepVariants, type VariantFigures } from '../../../operations/read/variants.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const figuresSchema = z.object({
  variant: z.string(),
  people: z.int().meta({ description: 'Each in the variant that they got first.' }),
  expected: z.number().meta({ description: 'How many it should be, by the weights in force when they were assigned.' }),
  sent: z.int(),
  opened: z.int(),
  clicked: z.int(),
  complete: z.int().meta({ description: 'Whose window is over: only they are compared.' }),
  converted: z
    .int()
    .meta({ description: 'Of these, who ordered within the window. Any order that is revenue counts, as long as it is not cancelled.' }),
  conversion_rate: z.number().nullable().meta({ description: 'Percent; null: nobody’s window is over.' }),
  conversion_rate_interval: z
    .object({ low: z.number(), high: z.number() })
    .nullable()
    .meta({ description: 'Wilson’s 95 % interval of the rate, in percent.' }),
});

const judgementSchema = z
  .object({
    state: z.enum(['too_few', 'open', 'decided']).meta({
      description: '`too_few`: a variant has fewer than 50 people whose window is over. `decided`: one converts better than each of the others.',
    }),
    p: z.number().meta({ description: 'How likely differences this large are at any look where there are none. Valid however often you look.' }),
    winner: z.string().nullable(),
    z: z.number().nullable().meta({
      description: 'Of two variants, for information: the plain z of the second against the first. It is right for one look planned beforehand only.',
    }),
  })
  .nullable()
  .meta({
    description:
      'Which variant is better, at 95 %; null: nothing may be said, because weights were changed meanwhile, as by a bandit, or `sample_ratio` mismatches.',
  });

const variantsSchema = z
  .object({
    sequence: z.string(),
    name: z.string(),
    step: z.string().meta({ description: '`*`: courses of the whole sequence are compared (`arms`).' }),
    window_seconds: z.number().meta({ description: 'How long after the assignment an order counts.' }),
    variants: z.array(figuresSchema),
    sample_ratio: z.object({ chi_squared: z.number(), p: z.number(), mismatch: z.boolean() }).nullable().meta({
      description:
        'Whether the variants have as many people as they should. With a `mismatch` (p below 0.001) no difference between them may be believed. null: there is nothing to compare, or a bandit changed the shares.',
    }),
    judgement: judgementSchema,
  })
  .meta({ id: 'StepVariants' });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/variants',
    {
      schema: {
        summary: 'Compare the variants of steps, and the courses of sequences',
        description:
          'For each step with variants, or that had some: who got which, what they opened and clicked, and how many ordered within the goal’s window.',
        response: { 200: z.object({ data: z.array(variantsSchema) }), ...problems(401, 429, 503) },
      },
    },
    async (request) => ({ data: (await readVariants(deps, callerOf(request).tenantId)).map(present) }),
  );
};

function present({ sequence, name, step, windowMs, variants, sampleRatio, judgement }: StepVariants) {
  const ratio = sampleRatio === null ? null : { chi_squared: sampleRatio.chiSquared, p: sampleRatio.p, mismatch: sampleRatio.mismatch };
  return {
    sequence,
    name,
    step,
    window_seconds: windowMs / 1_000,
    variants: variants.map(presentFigures),
    sample_ratio: ratio,
    judgement,
  };
}

function presentFigures({ rate, interval, ...counts }: VariantFigures) {
  const percent = (share: number) => Math.round(share * 10_000) / 100;
  return {
    ...counts,
    conversion_rate: rate === null ? null : percent(rate),
    conversion_rate_interval: interval === null ? null : { low: percent(interval.low), high: percent(interval.high) },
  };
}

export const resource: Resource = {
  tag: { name: 'variants', description: 'Contents of a step that are compared by chance' },
  guard: 'tenant',
  changes: null,
  routes,
};
