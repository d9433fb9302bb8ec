import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readCapFigures } from '../../../operations/interventions/cap-figures.ts';
import { readInterventionFigures } from '../../../operations/interventions/figures.ts';
import { listInterventions, readIntervention } from '../../../operations/interventions/interventions.ts';
import { rollOut } from '../../../operations/interventions/rollout.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import {
  capFiguresSchema,
  figuresSchema,
  interventionBandSchema,
  interventionSchema,
  presentCaps,
  presentFigures,
  presentIntervention,
  presentRollout,
  rolloutSchema,
} from './schemas.ts';

const list = aList({
  name: 'interventions',
  item: interventionSchema,
  filters: {
    account: z.uuid().optional(),
    band: interventionBandSchema.optional(),
    since: z.iso.datetime({ offset: true }).optional().meta({ description: 'Begun at that time or later.' }),
  },
  usual: 20,
  most: 100,
});

const days = (usual: number, description: string) =>
  z.strictObject({ days: z.coerce.number().int().min(1).max(366).default(usual).meta({ description }) });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/interventions',
    {
      schema: {
        summary: 'List interventions, the latest first',
        description:
          'Each with its actions: channel, content, time, estimated cost, expected value, return, and what came of it. By the prices and the effect at its beginning.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, since, ...filter } = request.query;
      const asked = { ...filter, sinceMs: since === undefined ? undefined : Date.parse(since) };
      return list.present(
        request.query.sort,
        await listInterventions(deps, callerOf(request).tenantId, asked, pageWanted({ limit, sort, cursor })),
        presentIntervention,
      );
    },
  );

  app.get(
    '/api/interventions/:id',
    {
      schema: { summary: 'Show an intervention', params: idParams, response: { 200: interventionSchema, ...problems(401, 404, 429, 503) } },
    },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readIntervention(deps, callerOf(request).tenantId, id) : null;
      return found === null ? problem(reply, 404, 'unknown_intervention', 'There is no such intervention.') : presentIntervention(found);
    },
  );

  app.get(
    '/api/interventions/figures',
    {
      schema: {
        summary: 'What interventions do, cost and bring in',
        description:
          'Counted over the interventions that began in so many days, each share with its number of cases and its interval. What was protected is measured against people who were held out; what is attributed stands beside it.',
        querystring: days(90, 'Interventions that began in so many days.'),
        response: { 200: figuresSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => presentFigures(await readInterventionFigures(deps, callerOf(request).tenantId, request.query.days)),
  );

  app.get(
    '/api/caps/figures',
    {
      schema: {
        summary: 'How often the caps on messages to one person act',
        description: 'Over all sequences, by the first channel of each step.',
        querystring: days(30, 'Steps that were first decided about in so many days.'),
        response: { 200: capFiguresSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => presentCaps(await readCapFigures(deps, callerOf(request).tenantId, request.query.days)),
  );

  app.post(
    '/api/interventions/rollout',
    {
      schema: {
        summary: 'Let interventions reach a share of people',
        description:
          'Whoever is reached by a share is reached by every larger one. 0 takes everything back at once: nobody is taken in, and the sequences about bands of risk are paused, so that what runs is held where it stands.',
        body: z.strictObject({ percent: z.number().min(0, 'is below 0').max(100, 'is above 100') }),
        response: { 200: rolloutSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => presentRollout(await rollOut(deps, callerOf(request).tenantId, { percent: request.body.percent, actor: actorOf(request) })),
  );
};

export const resource: Resource = {
  tag: { name: 'interventions', description: 'What is done about accounts at risk: what it costs, and what comes of it.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
