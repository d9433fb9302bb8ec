import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { readActiveSequences } from '../../../operations/read/active-sequences.ts';
import { readAnalytics } from '../../../operations/read/analytics.ts';
import { stopByHand } from '../../../operations/stop-one.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, nextPage, noteField } from '../fields.ts';
import { presentActiveSequence, presentAnalytics, presentStop } from './present.ts';
import { activeSequenceSchema, analyticsSchema, stoppedSchema } from './schemas.ts';

/** The store's recoveries, their figures, and the stop by hand. Registered behind `requireApiKey`. */
export const recoveryRoutes: FastifyPluginAsyncZod<{ deps: BuiltDeps }> = async (app, { deps }) => {
  const tags = ['recovery'];
  const security = [{ apiKey: [] }, { apiKeyHeader: [] }];

  app.get(
    '/recovery/sequences',
    {
      schema: {
        tags,
        security,
        summary: 'List the active sequences of the store',
        description:
          'Every recovery that has begun and not ended, with its cart, the oldest first. Where there are more, `Link` names the next page.',
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(1_000).default(500),
          cursor: z.uuid().optional().meta({ description: 'From the `Link` of the page before.' }),
        }),
        response: { 200: z.array(activeSequenceSchema), ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { limit, cursor } = request.query;
      const page = await readActiveSequences(deps, callerOf(request).tenantId, { limit, after: cursor ?? null });
      if (page.next !== null) void reply.header('link', nextPage('/recovery/sequences', { limit }, page.next));
      return page.items.map(presentActiveSequence);
    },
  );

  app.post(
    '/recovery/sequences/:id/stop',
    {
      schema: {
        tags,
        security,
        summary: 'Stop a sequence by hand',
        description:
          'Answered only when no message of it can go out any more. The reason is kept as a note: "purchased" typed here is not a recovery. Where the sequence has ended before, nothing changes, and the answer says how it ended.',
        params: idParams,
        querystring: z.object({ reason: noteField }),
        response: { 200: stoppedSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { tenantId, apiKeyId } = callerOf(request);
      const { id } = request.params;
      const reason = request.query.reason.trim();
      if (!isId(id)) return problem(reply, 404, 'unknown_sequence', 'There is no such sequence.');
      const result = await stopByHand(deps, { tenantId, enrollmentId: id, note: reason, actor: `api_key:${apiKeyId}` });
      switch (result.kind) {
        case 'stopped':
        case 'ended_before':
          return presentStop(deps.subjects, result);
        case 'not_found':
          return problem(reply, 404, 'unknown_sequence', 'There is no such sequence.');
        case 'busy':
          return problem(
            reply.header('retry-after', '1'),
            503,
            'busy',
            'The stop is not confirmed yet: a message of this sequence may be on its way right now. Ask again.',
          );
      }
    },
  );

  app.get(
    '/recovery/analytics',
    {
      schema: {
        tags,
        security,
        summary: 'How the sequences of the last days did',
        description:
          'About the sequences started in the window: those whose cart counted as abandoned in it. The window begins at a full hour (UTC), up to an hour earlier than `days` ago.',
        querystring: z.object({ days: z.coerce.number().int().min(1).max(3_660).default(30) }),
        response: { 200: analyticsSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => presentAnalytics(request.query.days, await readAnalytics(deps, callerOf(request).tenantId, request.query.days)),
  );
};
