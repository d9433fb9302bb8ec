import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  dismissWinner,
  type ExperimentView,
  experimentStatuses,
  listExperiments,
  readExperiment,
  takeOver,
  takeovers,
} from '../../../operations/experiments/experiments.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { aList } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const armSchema = z.object({
  variant: z.string(),
  share: z.number().meta({ description: 'Of the people who are assigned.' }),
  people: z.int(),
  sent: z.int(),
  opened: z.int(),
  clicked: z.int(),
  complete: z.int().meta({ description: 'Whose window is over: only they are compared.' }),
  converted: z.int().meta({ description: 'Of these. Late orders count when they come, cancelled ones and refused conversions do not.' }),
});

const experimentSchema = z
  .object({
    id: z.uuid(),
    sequence: z.string(),
    step: z.string(),
    status: z.enum(experimentStatuses).meta({ description: '`STOPPED`: its variants were changed or taken away before anything was certain.' }),
    goes_on_because: z.enum(['too_young', 'unsound', 'too_few', 'open']).nullable().meta({
      description:
        'Of a test that runs. `too_young`: a week and one whole window have not passed. `too_few`: a variant has fewer than 50 people whose window is over. `open`: nothing is certain. `unsound`: the variants have not as many people as they should.',
    }),
    started_at: timeField.meta({ description: 'When its first person was assigned.' }),
    ended_at: timeField.nullable(),
    winner: z.string().nullable(),
    p: z
      .number()
      .nullable()
      .meta({ description: 'When it was decided: how likely such differences are where there are none. Of a test that runs, now.' }),
    z: z.number().nullable().meta({ description: 'The plain z, for information.' }),
    arms: z.array(armSchema).meta({ description: 'As they stand now, also after the end.' }),
    decided_by: z
      .array(z.object({ variant: z.string(), people: z.int(), converted: z.int() }))
      .nullable()
      .meta({ description: 'The counts by which it was decided.' }),
    takeover: z.enum(takeovers).nullable().meta({ description: 'What became of the winner; null: there is none.' }),
    version: z.int().nullable().meta({ description: 'Of the sequence, in which the winner took over.' }),
    resolved_at: timeField.nullable(),
    resolved_by: z.string().nullable(),
  })
  .meta({ id: 'Experiment' });

const list = aList({ name: 'experiments', item: experimentSchema, filters: { status: z.enum(experimentStatuses).optional() } });
const unknown = ['unknown_experiment', 'No test of yours has this id.'] as const;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/experiments',
    {
      schema: {
        summary: 'List the tests of variants, those that run and those that have ended',
        description: 'The latest first. A test ends by itself once one variant is better for certain.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, cursor: after = null, ...search } = request.query;
      return list.present(await listExperiments(deps, callerOf(request).tenantId, search, { limit, after }), present);
    },
  );

  app.get(
    '/api/experiments/:id',
    { schema: { summary: 'Show a test', params: idParams, response: { 200: experimentSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      const view = isId(id) ? await readExperiment(deps, callerOf(request).tenantId, id) : null;
      return view === null ? problem(reply, 404, ...unknown) : present(view);
    },
  );

  app.post(
    '/api/experiments/:id/approve',
    {
      schema: {
        summary: 'Let the winner of a test take over',
        description: 'A new version of its sequence, for new enrollments. The version before can be published again by a rollback.',
        params: idParams,
        response: { 200: experimentSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const taken = isId(id) ? await takeOver(deps, { tenantId, id, actor: actorOf(request) }) : null;
      if (taken === null) return problem(reply, 404, ...unknown);
      if (taken.kind === 'not_suggested')
        return problem(
          reply,
          409,
          'no_suggestion',
          taken.takeover === null ? 'The test has no winner.' : `The winner was ${taken.takeover} already.`,
        );
      if (taken.kind === 'outdated')
        return problem(reply, 409, 'test_outdated', 'The step has other variants by now: what was compared is not in use any more.');
      if (taken.kind === 'refused')
        return problem(
          reply,
          409,
          'not_published',
          `The version with the winner was not published (${taken.why}): look at the sequence, and repeat.`,
        );
      const view = await readExperiment(deps, tenantId, id);
      return view === null ? problem(reply, 404, ...unknown) : present(view);
    },
  );

  app.post(
    '/api/experiments/:id/dismiss',
    {
      schema: {
        summary: 'Leave the variants of a test as they are',
        params: idParams,
        response: { 200: experimentSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      const dismissed = isId(id) ? await dismissWinner(deps, { tenantId, id, actor: actorOf(request) }) : null;
      const view = dismissed === null ? null : await readExperiment(deps, tenantId, id);
      if (view === null) return problem(reply, 404, ...unknown);
      return dismissed === true ? present(view) : problem(reply, 409, 'no_suggestion', 'There is no winner to be decided about.');
    },
  );
};

function present({ experiment, sequence, arms, goesOnBecause, judgement }: ExperimentView) {
  const { id, stepId, shares, status, startedAt, endedAt, winner, verdict, takeover, version, resolvedAt, resolvedBy } = experiment;
  return {
    ...{ id, sequence, step: stepId, status, goes_on_because: goesOnBecause },
    ...{ started_at: isoTime(startedAt), ended_at: isoTimeOrNull(endedAt), winner },
    p: verdict?.p ?? judgement?.p ?? null,
    z: verdict === null ? (judgement?.z ?? null) : verdict.z,
    arms: arms.map(({ variant, people, sent, opened, clicked, complete, converted }) => ({
      ...{ variant, share: shares[variant] ?? 0, people, sent, opened, clicked, complete, converted },
    })),
    decided_by: verdict?.arms.map(({ id: variant, people, converted }) => ({ variant, people, converted })) ?? null,
    ...{ takeover, version, resolved_at: isoTimeOrNull(resolvedAt), resolved_by: resolvedBy },
  };
}

export const resource: Resource = {
  tag: { name: 'experiments', description: 'Tests of variants, which end by themselves' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
