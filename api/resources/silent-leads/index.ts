import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readSilentLeadFigures, type Share, type SilentLeadFigures } from '../../../operations/read/silent-lead-figures.ts';
import { startOfDay } from '../../../operations/read/course-sums.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problems } from '../../plugins/errors.ts';
import { isoTime, timeField } from '../../routes/fields.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const intervalSchema = z.object({ low: z.number(), high: z.number() }).nullable();
const share = {
  cases: z.int(),
  successes: z.int(),
  rate: z.number().nullable().meta({ description: 'Percent; null: there were no cases.' }),
  interval: intervalSchema.meta({ description: 'Wilson’s 95 % interval of the rate, in percent.' }),
};

const figuresSchema = z
  .object({
    since: timeField,
    reengagement: z
      .object({ ...share, target: z.object({ rate: z.number(), within_days: z.int() }).meta({ description: 'What is aimed at. It is no result.' }) })
      .meta({ description: 'Leads that answered or bought after a recovery message, within 30 days of it, of all that fell silent.' }),
    recovery_conversion: z.object(share).meta({ description: 'Of these, the leads that bought.' }),
    stages: z
      .array(z.object({ stage: z.enum(['3d', '7d', '14d', '30d']), ...share }))
      .meta({ description: 'The leads to which a stage’s message went out, and of these those that came back before the next one.' }),
    days_to_reengagement: z
      .object({ responses: z.int(), mean: z.number().nullable(), interval: intervalSchema })
      .meta({ description: 'Days from the last contact to the response, with the 95 % interval of their mean.' }),
  })
  .meta({ id: 'SilentLeadFigures' });

const usualDays = 90;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/silent-leads/figures',
    {
      schema: {
        summary: 'What recovery does for silent leads',
        description: 'Counted in leads, with intervals, beside the target. Nothing here is an estimate.',
        querystring: z.object({
          days: z.coerce.number().int().min(1).max(3_650).default(usualDays).meta({ description: 'Silences that began in so many days.' }),
        }),
        response: { 200: figuresSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const sinceMs = startOfDay(deps.clock.nowMs() - request.query.days * 86_400_000);
      return present(await readSilentLeadFigures(deps, callerOf(request).tenantId, sinceMs), sinceMs);
    },
  );
};

const percent = (part: number) => Math.round(part * 10_000) / 100;
const presentShare = ({ cases, successes, rate, interval }: Share) => ({
  cases,
  successes,
  rate: rate === null ? null : percent(rate),
  interval: interval === null ? null : { low: percent(interval.low), high: percent(interval.high) },
});
const rounded = (days: number) => Math.round(days * 100) / 100;

function present(figures: SilentLeadFigures, sinceMs: number): z.input<typeof figuresSchema> {
  const { reengagement, conversion, stages, daysToReengagement: days } = figures;
  return {
    since: isoTime(sinceMs),
    reengagement: { ...presentShare(reengagement), target: { rate: percent(reengagement.target), within_days: reengagement.withinDays } },
    recovery_conversion: presentShare(conversion),
    stages: stages.flatMap(({ stage, ...of }) => (stage === '24h' ? [] : [{ stage, ...presentShare(of) }])),
    days_to_reengagement: {
      responses: days.responses,
      mean: days.mean === null ? null : rounded(days.mean),
      interval: days.interval === null ? null : { low: rounded(days.interval.low), high: rounded(days.interval.high) },
    },
  };
}

export const resource: Resource = {
  tag: { name: 'silent leads', description: 'Leads that stopped answering, and what wins them back.' },
  guard: 'tenant',
  changes: null,
  routes,
};
