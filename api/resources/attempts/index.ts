import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { attemptChannels, attemptStatuses, listAttempts, readAttempt } from '../../../operations/read/attempts.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { attemptSchema, presentAttempt } from './schemas.ts';

const list = aList({
  name: 'attempts',
  item: attemptSchema,
  filters: {
    lead: z.uuid().optional(),
    campaign: z.uuid().optional(),
    channel: z.enum(attemptChannels).optional(),
    status: z.enum(attemptStatuses).optional(),
  },
});

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/attempts',
    {
      schema: {
        summary: 'List attempts to reach somebody, the newest first',
        description:
          'Each is a message of the ledger, whose id its links carry as `sub_id`, or a step that was put off: `SCHEDULED`, with its future `startedAt`.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor, ...filter } = request.query;
      return list.present(
        request.query.sort,
        await listAttempts(deps, callerOf(request).tenantId, filter, pageWanted({ limit, sort, cursor })),
        presentAttempt,
      );
    },
  );

  app.get(
    '/api/attempts/:id',
    { schema: { params: idParams, summary: 'Show an attempt', response: { 200: attemptSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const found = isId(request.params.id) ? await readAttempt(deps, callerOf(request).tenantId, request.params.id) : null;
      return found === null ? problem(reply, 404, 'unknown_attempt', 'There is no such attempt.') : presentAttempt(found);
    },
  );
};

export const resource: Resource = {
  tag: { name: 'attempts', description: 'Every try to reach somebody, as a retention center sees it.' },
  guard: 'tenant',
  changes: null,
  routes,
};
