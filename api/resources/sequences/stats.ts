import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Rate, readSequenceStats, type SequenceStats } from '../../../operations/read/sequence-stats.ts';
import { startOfDay } from '../../../operations/read/course-sums.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { isoTime, timeField } from '../../routes/fields.ts';
import type { ResourceOptions } from '../resource.ts';
import { slugParams } from './schemas.ts';

const rate = {
  count: z.int(),
  of: z.int(),
  rate: z.number().nullable().meta({ description: 'From 0 to 1; null: there were no cases.' }),
  interval: z.object({ low: z.number(), high: z.number() }).nullable().meta({ description: 'Wilson’s 95 % interval.' }),
};
const rateSchema = z.object(rate).meta({ id: 'CountedRate' });
const counts = z.record(z.string(), z.int());

const stepSchema = z
  .object({
    step: z.string(),
    order: z.int().nullable().meta({ description: 'In the version in use, counted from 0; null: that has no such step.' }),
    inserted: z.boolean().meta({ description: 'It waits for an event, such as an open: it is no stage of the funnel.' }),
    entered: z.int().meta({ description: 'Enrollments for which it was decided.' }),
    executed: z.int().meta({ description: 'Whose message went out, or may have.' }),
    skipped: counts.meta({ description: 'Why it was left out.' }),
    failed: z.int(),
    delivered: z.int(),
    opened: z.int(),
    openedByMachines: z.int(),
    clicked: z.int(),
    replied: z.int().meta({ description: 'Enrollments that a reply ended behind it.' }),
    answered: z.int().meta({ description: 'Calls.' }),
    converted: z.int().meta({ description: 'After it and before the next one that went out.' }),
    dropped: z.int().meta({ description: 'Ended behind it without converting, and before the end.' }),
    exited: counts.meta({ description: 'The same by reason, the most first.' }),
    executionRate: rateSchema,
    conversionRate: rateSchema,
    dropOffRate: rateSchema,
    marginalLift: z.number().nullable().meta({
      description: 'Its conversion rate less the share that had converted before. Who gets a late step has not converted yet, so it is no effect.',
    }),
    channels: z.array(z.object({ channel: z.string(), ...rate })),
    delays: z
      .array(z.object({ delaySeconds: z.number(), ...rate }))
      .meta({ description: 'By the delay that its versions plan. They follow each other in time: a difference proves nothing.' }),
  })
  .meta({ id: 'SequenceStepStats' });

const statsSchema = z
  .object({
    since: timeField,
    leads: z.int().meta({ description: 'All leads, or whatever it is about.' }),
    enrolledLeads: z.int(),
    enrolled: z.int().meta({ description: 'Enrollments that have begun to count, without those held out.' }),
    heldOut: z.int(),
    open: z.int(),
    completed: z.int(),
    converted: z.int().meta({ description: 'By an order that is credited to it and was not taken back.' }),
    exited: counts.meta({ description: 'Ended otherwise, by reason.' }),
    enrollmentRate: rateSchema,
    completionRate: rateSchema,
    conversionRate: rateSchema,
    revenue: z.array(z.object({ currency: z.string(), amount: z.string(), perEnrolled: z.number() })),
    timeToConversionSeconds: z.object({ conversions: z.int(), mean: z.number().nullable(), median: z.number().nullable() }),
    funnel: z.array(
      z.object({
        stage: z.string(),
        count: z.int(),
        dropOff: z.number().nullable().meta({ description: 'Share lost since the stage before; null: there was nobody.' }),
      }),
    ),
    droppedBefore: z.int().meta({ description: 'Ended without converting before a message went out.' }),
    exitedBefore: counts.meta({ description: 'The same by reason, the most first.' }),
    steps: z.array(stepSchema),
    largestDropOff: z.object({ step: z.string(), rate: z.number(), advice: z.string() }).nullable(),
  })
  .meta({ id: 'SequenceStats' });

/** What a sequence came to, step by step. */
export const statsRoutes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/sequences/:slug/stats',
    {
      schema: {
        summary: 'Show what a sequence came to, step by step',
        description:
          'Counted in enrollments, from the ledger. Shares have their counts and intervals beside them. People who would have bought anyway are in them: what the sequence causes, only its holdout shows (`GET /api/holdouts`).',
        params: slugParams,
        querystring: z.object({
          days: z.coerce.number().int().min(1).max(3_650).default(90).meta({ description: 'Enrollments of so many days.' }),
        }),
        response: { 200: statsSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const sinceMs = startOfDay(deps.clock.nowMs() - request.query.days * 86_400_000);
      const found = await readSequenceStats(deps, callerOf(request).tenantId, request.params.slug, sinceMs);
      return found === null ? problem(reply, 404, 'unknown_sequence', 'There is no such sequence.') : present(found, sinceMs);
    },
  );
};

const rounded = (share: number) => Math.round(share * 10_000) / 10_000;
const presentRate = <T extends Rate>({ rate: share, interval, ...more }: T) => ({
  ...more,
  rate: share === null ? null : rounded(share),
  interval: interval === null ? null : { low: rounded(interval.low), high: rounded(interval.high) },
});

function present({ reach, secondsToConversion, steps, largestDropOff, ...stats }: SequenceStats, sinceMs: number): z.input<typeof statsSchema> {
  const stages = [
    { stage: 'leads', count: stats.leads },
    { stage: 'enrolled', count: stats.enrolled },
    ...steps.filter(({ inserted }) => !inserted).map(({ step, executed }) => ({ stage: step, count: executed })),
    { stage: 'converted', count: stats.converted },
  ];
  return {
    ...stats,
    since: isoTime(sinceMs),
    enrollmentRate: presentRate(reach),
    completionRate: presentRate(stats.completionRate),
    conversionRate: presentRate(stats.conversionRate),
    timeToConversionSeconds: secondsToConversion,
    funnel: stages.map(({ stage, count }, index) => {
      const before = index === 0 ? count : (stages[index - 1]?.count ?? 0);
      return { stage, count, dropOff: before === 0 ? null : rounded(Math.max(0, 1 - count / before)) };
    }),
    steps: steps.map((step) => ({
      ...step,
      executionRate: presentRate(step.executionRate),
      conversionRate: presentRate(step.conversionRate),
      dropOffRate: presentRate(step.dropOffRate),
      marginalLift: step.marginalLift === null ? null : rounded(step.marginalLift),
      channels: step.channels.map(presentRate),
      delays: step.delays.map(presentRate),
    })),
    largestDropOff: largestDropOff === null ? null : { ...largestDropOff, rate: rounded(largestDropOff.rate) },
  };
}
