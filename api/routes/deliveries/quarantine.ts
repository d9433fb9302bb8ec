import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { listQuarantine, readSetAside } from '../../../operations/read/quarantine.ts';
import { replayAll, replayOne } from '../../../operations/replay-open.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, lineField, nextPage } from '../fields.ts';
import { presentReplay, presentSetAside } from './present.ts';
import { replayAllSchema, replaySchema, setAsideSchema, setAsideWithBodySchema } from './schemas.ts';

const yesOrNo = z.enum(['true', 'false']);

/** Deliveries that could not be read: list, show and replay them. Registered behind `requireApiKey`. */
export const quarantineRoutes: FastifyPluginAsyncZod<{ deps: BuiltDeps }> = async (app, { deps }) => {
  const guarded = { tags: ['deliveries'], security: [{ apiKey: [] }, { apiKeyHeader: [] }] };
  const unknown = ['unknown_delivery', 'There is no such delivery in the quarantine.'] as const;
  const busy = 'It is not confirmed yet: others may be changing the same, or a message that it stops may be on its way right now. Ask again.';

  app.get(
    '/api/quarantine',
    {
      schema: {
        ...guarded,
        summary: 'List deliveries that could not be read',
        description:
          'Authentic deliveries that the receiver could not read, each kept whole with its reason; the oldest first. Bodies are shown one by one. Where there are more, `Link` names the next page.',
        querystring: z.object({
          open: yesOrNo.default('true').meta({ description: '`false`: also those that were released.' }),
          delivery_id: lineField(300).optional().meta({ description: 'The sender’s own id of one delivery.' }),
          limit: z.coerce.number().int().min(1).max(500).default(100),
          cursor: z.uuid().optional().meta({ description: 'From the `Link` of the page before.' }),
        }),
        response: { 200: z.array(setAsideSchema), ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { open, delivery_id: deliveryId, limit, cursor } = request.query;
      const page = await listQuarantine(deps, callerOf(request).tenantId, {
        open: open === 'true',
        limit,
        after: cursor ?? null,
        deliveryId: deliveryId ?? null,
      });
      if (page.next !== null) void reply.header('link', nextPage('/api/quarantine', { open, delivery_id: deliveryId, limit }, page.next));
      return page.items.map(presentSetAside);
    },
  );

  app.get(
    '/api/quarantine/:id',
    {
      schema: {
        ...guarded,
        summary: 'Show a delivery that could not be read, with its body',
        params: idParams,
        response: { 200: setAsideWithBodySchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readSetAside(deps, callerOf(request).tenantId, id) : null;
      return found === null ? problem(reply, 404, ...unknown) : { ...presentSetAside(found), body: found.body };
    },
  );

  app.post(
    '/api/quarantine/:id/replay',
    {
      schema: {
        ...guarded,
        summary: 'Read a delivery of the quarantine again',
        description:
          'Reads it as it came, with the receiver as it is now, and applies it as its delivery would have been: a stop is answered only when every call that it covers is over. Repeating it changes nothing.',
        params: idParams,
        response: { 200: replaySchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const replay = isId(id) ? await replayOne(deps, callerOf(request).tenantId, id) : ({ kind: 'unknown' } as const);
      if (replay.kind === 'unknown') return problem(reply, 404, ...unknown);
      if (replay.kind === 'busy') return problem(reply.header('retry-after', '1'), 503, 'busy', busy);
      return presentReplay(id, replay.kind, replay.reason);
    },
  );

  app.post(
    '/api/quarantine/replay',
    {
      schema: {
        ...guarded,
        summary: 'Read every open delivery of the quarantine again',
        description: 'The oldest first, as for one. Stays within the time of a request: where `Retry-After` is given, ask again for the rest.',
        response: { 200: replayAllSchema, ...problems(401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { replays, unfinished } = await replayAll(deps, callerOf(request).tenantId);
      if (unfinished) void reply.header('retry-after', '1');
      const of = (kind: string) => replays.filter((r) => r.kind === kind).length;
      return {
        applied: of('applied'),
        still_unreadable: of('still_unreadable'),
        replays: replays.map(({ id, kind, reason }) => presentReplay(id, kind, reason)),
      };
    },
  );
};
