import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { beginBulk, type BulkJobView, type BulkRefused, changeBulk, listBulk, readBulk } from '../../../operations/bulk/bulk-jobs.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';

const bulkSchema = z
  .object({
    id: z.string(),
    sequence: z.string(),
    version: z.int(),
    backtest: z.string().meta({ description: 'The report that allowed it.' }),
    state: z.enum(['running', 'paused', 'cancelled', 'done']),
    paused_because: z
      .enum(['version_changed', 'sequence_not_active'])
      .nullable()
      .meta({ description: 'Why it has paused itself: another version is in use, or the sequence takes nobody; null: it has not.' }),
    people: z.int(),
    per: z.enum(['hour', 'day']),
    most: z.int().nullable(),
    active_from: timeField.nullable(),
    active_until: timeField.nullable(),
    candidates: z.int().meta({ description: 'Open carts or leads that there were to look at when it began.' }),
    examined: z.int(),
    enrolled: z.int(),
    refused: z.record(z.string(), z.int()).meta({ description: 'Who was looked at and not taken in, by reason.' }),
    requested_by: z.string(),
    created_at: timeField,
    ended_at: timeField.nullable(),
  })
  .meta({ id: 'BulkEnrollment' });

const body = z.strictObject({
  sequence: z.string().max(40).meta({ description: 'The slug of an active sequence.' }),
  people: z.int().min(1).max(100_000).meta({ description: 'So many people at most in an hour, or a day.' }),
  per: z.enum(['hour', 'day']).default('hour'),
  most: z.int().min(1).max(10_000_000).optional().meta({ description: 'So many altogether; default: all.' }),
  active_from: timeField.optional().meta({ description: 'Only carts or leads that were active last at that time or later.' }),
  active_until: timeField.optional().meta({ description: 'Only those that were active last before that time.' }),
});

const list = aList({ name: 'bulk-enrollments', item: bulkSchema, filters: {}, usual: 20, most: 100 });
const unknown = ['unknown_bulk_enrollment', 'There is no such bulk enrollment.'] as const;

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.post(
    '/api/bulk-enrollments',
    {
      schema: {
        summary: 'Take old carts or leads into a sequence',
        description:
          'Bit by bit, at a bounded rate, each person at most once. Needs a backtest of the version in use that has found nobody who would have got a message after buying. Each person is checked as by a start by hand, and besides by the rules of re-entry.',
        body,
        response: { 201: bulkSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { sequence: slug, people, per, most, active_from: from, active_until: until } = request.body;
      const filter = { activeFromMs: from === undefined ? null : Date.parse(from), activeUntilMs: until === undefined ? null : Date.parse(until) };
      const wish = { tenantId: callerOf(request).tenantId, slug, filter, people, per, most: most ?? null, actor: actorOf(request) };
      const begun = await beginBulk(deps, wish);
      if (begun.kind === 'begun') return reply.code(201).send(present(begun.job));
      if (begun.kind === 'unknown_sequence') return problem(reply, 404, 'unknown_sequence', 'There is no such sequence.');
      return refuse(reply, begun);
    },
  );

  app.get(
    '/api/bulk-enrollments',
    {
      schema: {
        summary: 'List bulk enrollments, the newest first',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return list.present(request.query.sort, await listBulk(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })), present);
    },
  );

  app.get(
    '/api/bulk-enrollments/:id',
    { schema: { params: idParams, summary: 'Show a bulk enrollment', response: { 200: bulkSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readBulk(deps, callerOf(request).tenantId, id) : null;
      return found === null ? problem(reply, 404, ...unknown) : present(found);
    },
  );

  const verbs = {
    pause: 'Hold a bulk enrollment: nobody more is taken in',
    resume: 'Go on with a bulk enrollment',
    cancel: 'End a bulk enrollment; who is in the sequence stays in it',
  } as const;
  for (const does of ['pause', 'resume', 'cancel'] as const) {
    app.post(
      `/api/bulk-enrollments/:id/${does}`,
      { schema: { params: idParams, summary: verbs[does], response: { 200: bulkSchema, ...problems(401, 404, 409, 429, 503) } } },
      async (request, reply) => {
        const { id } = request.params;
        const changed = isId(id) ? await changeBulk(deps, { tenantId: callerOf(request).tenantId, id, does, actor: actorOf(request) }) : null;
        if (changed === null) return problem(reply, 404, ...unknown);
        if (changed.refused) return problem(reply, 409, 'wrong_state', `It is ${changed.view.job.state}: there is nothing to ${does}.`);
        return present(changed.view);
      },
    );
  }
};

function refuse(reply: FastifyReply, refused: BulkRefused): FastifyReply {
  switch (refused.kind) {
    case 'sequence_not_active':
      return problem(reply, 409, refused.kind, 'The sequence is not active, or paused: it takes nobody.');
    case 'not_backtested':
      return problem(
        reply,
        409,
        refused.kind,
        `Version ${refused.version} of ${refused.slug} has not been run over your history yet. Do that first: rekindle backtest ${refused.slug} --since 90d, or POST /api/backtests.`,
      );
    case 'messages_after_buying':
      return problem(
        reply,
        409,
        refused.kind,
        `The backtest ${refused.backtestId} found ${refused.people} people who would have got a message after buying. Find out why, publish a version that does not, and backtest it.`,
      );
    case 'bulk_running':
      return problem(reply, 409, refused.kind, `The bulk enrollment ${refused.id} of this sequence is not over: one at a time.`);
  }
}

function present({ job, slug, version, refused }: BulkJobView): z.input<typeof bulkSchema> {
  const { id, backtestId, state, pausedBecause, people, per, most, filter, candidates, examined, enrolled, requestedBy, createdAt, endedAt } = job;
  return {
    ...{ id, sequence: slug, version, backtest: backtestId, state, people, per, most, candidates, examined, enrolled, refused },
    paused_because: pausedBecause as z.input<typeof bulkSchema>['paused_because'],
    active_from: isoTimeOrNull(filter.activeFromMs),
    active_until: isoTimeOrNull(filter.activeUntilMs),
    requested_by: requestedBy,
    created_at: isoTime(createdAt),
    ended_at: isoTimeOrNull(endedAt),
  };
}

export const resource: Resource = {
  tag: { name: 'bulk enrollments', description: 'Old carts and leads that are taken into a sequence, bit by bit.' },
  guard: 'tenant',
  changes: 'edit',
  routes,
};
