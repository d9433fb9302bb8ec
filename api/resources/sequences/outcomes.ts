import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readSequenceOutcomes, type SequenceOutcomes } from '../../../operations/read/sequence-outcomes.ts';
import { startOfDay } from '../../../operations/read/course-sums.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { majorUnits } from '../../../operations/read/major-units.ts';
import { isoTime, timeField } from '../../routes/fields.ts';
import type { ResourceOptions } from '../resource.ts';
import { slugParams } from './schemas.ts';

const share = z.number().meta({ description: 'From 0 to 1.' });

const outcomesSchema = z
  .object({
    since: timeField,
    definition: z.string(),
    n: z.int().meta({ description: 'Enrollments that have begun to count since then, without those held out.' }),
    ends: z.array(
      z.object({
        cause: z.string().meta({ description: '`converted`, or why it stopped: `opted_out`, `replied` …' }),
        n: z.int(),
        share,
        interval: z.object({ low: z.number(), high: z.number() }).nullable().meta({ description: '95 %.' }),
      }),
    ),
    without_end: share.nullable(),
    mean_seconds_without_end: z.number().nullable().meta({ description: 'Within `horizon_seconds`.' }),
    horizon_seconds: z.number(),
    time_to_conversion: z
      .array(z.object({ quantile: z.number(), seconds: z.number() }))
      .meta({ description: 'By when so many of those who converted had.' }),
    by_step: z
      .array(
        z.object({
          step: z.string().nullable().meta({ description: 'The last message that went out before; null: none had.' }),
          conversions: z.int(),
          time_to_conversion: z
            .array(z.object({ quantile: z.number(), seconds: z.number() }))
            .meta({ description: 'From the enrollment: by when so many of these had converted.' }),
          revenue: z
            .array(z.object({ currency: z.string(), amount: z.string() }))
            .meta({ description: 'Net of edits, refunds and cancellations, of the orders that are credited to the sequence.' }),
        }),
      )
      .meta({ description: 'Those who converted, by the step behind which they did, the one with most of them first.' }),
    curve: z
      .array(z.object({ seconds: z.number(), at_risk: z.int(), without_end: share, ended: z.record(z.string(), share) }))
      .meta({ description: 'At most one point an hour, from the activation on.' }),
    tail_hidden: z.boolean().meta({ description: 'The curve ends where fewer than ten are still watched.' }),
  })
  .meta({ id: 'SequenceOutcomes' });

/** What became of those in a sequence, and when. */
export const outcomesRoutes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/sequences/:slug/outcomes',
    {
      schema: {
        summary: 'Show what became of those in a sequence, and when',
        description:
          'Conversion and every other exit compete: each gets the share that it came to, with those who are on their way counted for as long as they were watched (Aalen and Johansen). The shares and those without an end add up to 1.',
        params: slugParams,
        querystring: z.object({ days: z.coerce.number().int().min(1).max(3_650).default(90).meta({ description: 'Enrollments of so many days.' }) }),
        response: { 200: outcomesSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const sinceMs = startOfDay(deps.clock.nowMs() - request.query.days * 86_400_000);
      const found = await readSequenceOutcomes(deps, callerOf(request).tenantId, request.params.slug, sinceMs);
      return found === null ? problem(reply, 404, 'unknown_sequence', 'There is no such sequence.') : present(found, sinceMs);
    },
  );
};

const rounded = (value: number) => Math.round(value * 1e6) / 1e6;

function present(outcomes: SequenceOutcomes, sinceMs: number): z.input<typeof outcomesSchema> {
  const { enrolled, ends, free, meanFreeSeconds, horizonSeconds, timeToConversion, bySteps, curve, tailHidden } = outcomes;
  return {
    since: isoTime(sinceMs),
    definition:
      'Of the enrollments that began to count since then: the share that had converted, and that had left for each other reason, by the time since they began (Aalen–Johansen). Whoever has had every message may still convert.',
    n: enrolled,
    ends: ends.map(({ cause, people, share: of, interval }) => ({
      ...{ cause, n: people, share: rounded(of) },
      interval: interval === null ? null : { low: rounded(interval.low), high: rounded(interval.high) },
    })),
    without_end: free === null ? null : rounded(free),
    ...{ mean_seconds_without_end: meanFreeSeconds === null ? null : Math.round(meanFreeSeconds), horizon_seconds: horizonSeconds },
    time_to_conversion: timeToConversion,
    by_step: bySteps.map(({ step, conversions, timeToConversion: times, revenue }) => ({
      ...{ step, conversions, time_to_conversion: times },
      revenue: revenue.map(({ currency, minor }) => ({ currency, amount: majorUnits(minor, currency) })),
    })),
    curve: curve.map(({ seconds, atRisk, free: without, ended }) => ({
      ...{ seconds, at_risk: atRisk, without_end: rounded(without) },
      ended: Object.fromEntries(Object.entries(ended).map(([cause, of]) => [cause, rounded(of)])),
    })),
    tail_hidden: tailHidden,
  };
}
