import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { dismissQuarantined } from '../../../operations/dismiss-quarantined.ts';
import { listQuarantine, quarantineStates, readSetAside } from '../../../operations/read/quarantine.ts';
import { replayAll, replayOne } from '../../../operations/replay-open.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, lineField, noteField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import { type Resource, type ResourceOptions } from '../resource.ts';
import { presentReplay, presentSetAside } from './present.ts';
import { replayAllSchema, replaySchema, setAsideSchema, setAsideWithBodySchema } from './schemas.ts';

const list = aList({
  name: 'quarantine',
  first: 'oldest',
  item: setAsideSchema,
  filters: {
    state: z
      .enum([...quarantineStates, 'all'])
      .default('open')
      .meta({
        description:
          '`open`: nobody has dealt with it. `released`: it was read after all. `dismissed`: a person judged that it is not to take effect.',
      }),
    delivery_id: lineField(300).optional().meta({ description: 'The sender’s own id of one delivery.' }),
  },
});

const unknown = (reply: FastifyReply) => problem(reply, 404, 'unknown_delivery', 'There is no such delivery in the quarantine.');
const busy = (reply: FastifyReply) =>
  problem(
    reply.header('retry-after', '1'),
    503,
    'busy',
    'It is not confirmed yet: others may be changing the same, or a message that it stops may be on its way right now. Ask again.',
  );

/** Deliveries that could not be read: list, show, replay or dismiss them. */
const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/quarantine',
    {
      schema: {
        summary: 'List deliveries that could not be read',
        description:
          'Authentic deliveries that the receiver could not read, each kept whole with its reason; the oldest first. Bodies are shown one by one.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { state, delivery_id: deliveryId = null, limit, sort, cursor } = request.query;
      const page = { state: state === 'all' ? null : state, deliveryId, ...pageWanted({ limit, sort, cursor }) };
      return list.present(request.query.sort, await listQuarantine(deps, callerOf(request).tenantId, page), presentSetAside);
    },
  );

  app.get(
    '/api/quarantine/:id',
    {
      schema: {
        summary: 'Show a delivery that could not be read, with its body',
        params: idParams,
        response: { 200: setAsideWithBodySchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readSetAside(deps, callerOf(request).tenantId, id) : null;
      return found === null ? unknown(reply) : { ...presentSetAside(found), body: found.body };
    },
  );

  app.post(
    '/api/quarantine/:id/replay',
    {
      schema: {
        summary: 'Read a delivery of the quarantine again',
        description:
          'Reads it as it came, with the receiver as it is now, and applies it as its delivery would have been: a stop is answered only when every call that it covers is over. Repeating it changes nothing. One that was dismissed is not read again: 409.',
        params: idParams,
        response: { 200: replaySchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const replay = isId(id) ? await replayOne(deps, callerOf(request).tenantId, id) : ({ kind: 'unknown' } as const);
      if (replay.kind === 'unknown') return unknown(reply);
      if (replay.kind === 'busy') return busy(reply);
      if (replay.kind === 'dismissed') {
        return problem(reply, 409, 'dismissed', 'It was dismissed: a person judged that it is not to take effect. Nothing was changed.');
      }
      return presentReplay(id, replay.kind, replay.reason);
    },
  );

  app.post(
    '/api/quarantine/:id/dismiss',
    {
      schema: {
        summary: 'Dismiss a delivery of the quarantine',
        description:
          'It is never to take effect, neither by a replay nor when its sender delivers it again. It stays listed under `state=dismissed`, with who dismissed it and why. Repeating it changes nothing.',
        params: idParams,
        body: z.strictObject({ reason: noteField.meta({ description: 'Why it is not to take effect, for whoever reads the list later.' }) }),
        response: { 200: setAsideSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const dismissal = { id, reason: request.body.reason, by: actorOf(request) };
      const dismissed = isId(id) ? await dismissQuarantined(deps, callerOf(request).tenantId, dismissal) : ({ kind: 'unknown' } as const);
      switch (dismissed.kind) {
        case 'unknown':
          return unknown(reply);
        case 'released':
          return problem(reply, 409, 'already_released', 'It was read after all and has taken effect. Nothing was changed.');
        case 'dismissed':
          return presentSetAside(dismissed.delivery);
      }
    },
  );

  app.post(
    '/api/quarantine/replay',
    {
      schema: {
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

export const resource: Resource = {
  tag: { name: 'quarantine', description: 'Deliveries that could not be read.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
