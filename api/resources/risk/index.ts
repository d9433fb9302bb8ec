import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readIntervention } from '../../../operations/interventions/interventions.ts';
import { askRisk, triggerIntervention } from '../../../operations/risk/assess.ts';
import { listAssessments } from '../../../operations/risk/assessment-view.ts';
import { readRisk } from '../../../operations/risk/risk.ts';
import { beginRun, listRuns, readRun } from '../../../operations/risk/runs.ts';
import { readModels, returnToModel } from '../../../operations/risk/train-models.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import { interventionSchema, presentIntervention } from '../interventions/schemas.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import {
  assessmentSchema,
  bands,
  factsOf,
  listedAssessmentSchema,
  listedFactsOf,
  modelSchema,
  presentModel,
  presentRun,
  riskSchema,
  runSchema,
} from './schemas.ts';

const unknownAccount = ['unknown_account', 'There is no such account, or it is gone.'] as const;

const assessments = aList({
  name: 'risk-assessments',
  fields: { score: 'number' },
  item: listedAssessmentSchema,
  filters: {
    account: z.uuid().optional(),
    band: bands.optional(),
    latest: z.enum(['true', 'false']).optional().meta({ description: '`true`: only those by which accounts stand now, one for each.' }),
  },
});
const runs = aList({ name: 'risk-runs', item: runSchema, filters: {}, usual: 20 });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/risk',
    {
      schema: {
        summary: 'Show what is predicted, by what, and how many accounts are in each band',
        response: { 200: riskSchema, ...problems(401, 429, 503) },
      },
    },
    async (request) => {
      const { prediction, words, thresholds, bands: counts, models, training, answered } = await readRisk(deps, callerOf(request).tenantId);
      const champion = models.find(({ role }) => role === 'champion');
      const all = answered.cache + answered.stored + answered.computed;
      return {
        prediction: { what: prediction.what, within_days: prediction.withinDays, words },
        thresholds,
        bands: counts,
        by: champion === undefined ? ('rules' as const) : ('model' as const),
        model: champion === undefined ? null : presentModel(champion),
        training:
          training === null
            ? null
            : { at: isoTime(training.at), outcome: training.outcome, detail: training.detail, examples: training.examples, lost: training.lost },
        cache: { ...answered, hit_rate: all === 0 ? null : (answered.cache + answered.stored) / all },
      };
    },
  );

  app.post(
    '/api/risk/assessments',
    {
      schema: {
        summary: 'Assess an account',
        description:
          'As it was assessed within the last five minutes, where it has done nothing since; else now. A whole portfolio: `POST /api/risk/runs`.',
        body: z.strictObject({
          account: z.uuid(),
          fresh: z.boolean().default(false).meta({ description: 'Assess it now in any case.' }),
        }),
        response: {
          200: assessmentSchema.extend({ source: z.enum(['cache', 'stored', 'computed']) }).meta({ id: 'AnsweredRiskAssessment' }),
          ...problems(400, 401, 404, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { account, fresh } = request.body;
      const found = await askRisk(deps, callerOf(request).tenantId, account, { fresh });
      return found === null ? problem(reply, 404, ...unknownAccount) : { ...factsOf(found), source: found.source };
    },
  );

  app.get(
    '/api/risk/assessments',
    {
      schema: {
        summary: 'List assessments',
        description: 'The latest first.',
        querystring: assessments.query,
        response: { 200: assessments.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, latest, ...search } = request.query;
      const found = await listAssessments(
        deps,
        callerOf(request).tenantId,
        { ...search, latest: latest === 'true' },
        pageWanted({ limit, sort, cursor }),
      );
      return assessments.present(request.query.sort, found, listedFactsOf);
    },
  );

  app.post(
    '/api/risk/interventions',
    {
      schema: {
        summary: 'Begin the sequence of an account’s band',
        description:
          'It is assessed now. Of the sequences about bands of risk one runs about an account at a time: one of the same or a higher band goes on, and one of a lower band ends. Nothing begins where the account is in no band.',
        body: z.strictObject({ account: z.uuid() }),
        response: {
          200: assessmentSchema
            .extend({ intervention: interventionSchema.nullable().meta({ description: 'What begins, with what it costs; null: nothing does.' }) })
            .meta({ id: 'TriggeredIntervention' }),
          ...problems(400, 401, 404, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { tenantId } = callerOf(request);
      const made = await triggerIntervention(deps, tenantId, request.body.account, actorOf(request));
      if (made === null) return problem(reply, 404, ...unknownAccount);
      const begun = made.begun === null ? null : await readIntervention(deps, tenantId, made.begun);
      return { ...factsOf(made), intervention: begun === null ? null : presentIntervention(begun) };
    },
  );

  app.post(
    '/api/risk/runs',
    {
      schema: {
        summary: 'Assess the whole portfolio',
        description: 'A worker does it, on a queue of its own. A run that waits to be begun is answered instead of another.',
        response: { 202: runSchema, ...problems(401, 429, 503) },
      },
    },
    async (request, reply) => {
      const run = await beginRun(deps, callerOf(request).tenantId, actorOf(request));
      return reply.code(202).send(presentRun(run));
    },
  );

  app.get(
    '/api/risk/runs',
    {
      schema: {
        summary: 'List assessments of the portfolio',
        description: 'The latest first.',
        querystring: runs.query,
        response: { 200: runs.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return runs.present(request.query.sort, await listRuns(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })), presentRun);
    },
  );

  app.get(
    '/api/risk/runs/:id',
    {
      schema: { summary: 'Show an assessment of the portfolio', params: idParams, response: { 200: runSchema, ...problems(401, 404, 429, 503) } },
    },
    async (request, reply) => {
      const { id } = request.params;
      const run = isId(id) ? await readRun(deps, callerOf(request).tenantId, id) : null;
      return run === null ? problem(reply, 404, 'unknown_run', 'There is no such assessment of the portfolio.') : presentRun(run);
    },
  );

  app.get(
    '/api/risk/models',
    {
      schema: {
        summary: 'Show the models that were learned',
        description: 'The latest first, a hundred at most; with the latest training, which says why nothing was learned where that is so.',
        response: {
          200: z.object({
            data: z.array(modelSchema),
            training: riskSchema.shape.training,
          }),
          ...problems(401, 429, 503),
        },
      },
    },
    async (request) => {
      const { models, training } = await readModels(deps, callerOf(request).tenantId);
      return { data: models.map(presentModel), training: training === null ? null : { ...training, at: isoTime(training.at) } };
    },
  );

  app.post(
    '/api/risk/models/use',
    {
      config: { permission: 'administer' },
      schema: {
        summary: 'Let an earlier model assess from now on',
        body: z.strictObject({ version: z.int32().min(1).optional().meta({ description: 'Left out: the one that was in use before.' }) }).default({}),
        response: { 200: modelSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const used = await returnToModel(deps, callerOf(request).tenantId, { version: request.body.version ?? null, actor: actorOf(request) });
      if (used === null) return problem(reply, 404, 'unknown_model', 'There is no such model, or none was in use before.');
      if (used.kind === 'other_prediction')
        return problem(
          reply,
          409,
          'other_prediction',
          `Version ${used.model.version} predicts something else than the setting riskPrediction asks for.`,
        );
      return presentModel(used.model);
    },
  );
};

export const resource: Resource = {
  tag: { name: 'risk', description: 'Accounts that are about to leave: how they are assessed, and by what.' },
  guard: 'tenant',
  changes: 'operate',
  routes,
};
