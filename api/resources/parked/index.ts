import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  actOnAllParked,
  actOnParked,
  listParked,
  type ParkedAction,
  parkedActions,
  parkedId,
  type ParkedItem,
} from '../../../operations/parked/index.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { isoTimeOrNull } from '../../routes/fields.ts';
import { presentExternalId } from '../../routes/recovery/present.ts';
import { aList, pageWanted } from '../list.ts';
import { type Resource, type ResourceOptions } from '../resource.ts';
import { actAllBody, actBody, doneAllSchema, doneSchema, kindSchema, parkedSchema } from './schemas.ts';

const list = aList({ name: 'parked', first: 'oldest', item: parkedSchema, filters: { kind: kindSchema.optional() }, key: 'parked' });

const summaries: Record<ParkedAction, { one: string; all: string; description: string }> = {
  resume: {
    one: 'Resume something parked',
    all: 'Resume everything parked of a kind',
    description:
      'Tries once more what could not go on: the connection’s login, the delivery as this build reads it, what waits for the endpoint. Where it still cannot, 409 says why and what to do. A message whose outcome is unknown is never sent again.',
  },
  skip: {
    one: 'Skip something parked',
    all: 'Skip everything parked of a kind',
    description: 'Nothing is to be done about it: it is not listed any more. A delivery is dismissed, and never takes effect.',
  },
  cancel: {
    one: 'Cancel something parked',
    all: 'Cancel everything parked of a kind',
    description:
      'Gives up what it belongs to: disconnects the connection, archives the sequence, dismisses the delivery, removes the endpoint, or ends the enrollment of the message whose outcome is unknown.',
  },
};

/** What cannot go on by itself: a view over what the tables know, and what a person may do about it. */
const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  const present = (item: ParkedItem): z.input<typeof parkedSchema> => ({
    id: parkedId(item),
    kind: item.kind,
    cause: item.cause,
    since: isoTimeOrNull(item.sinceMs),
    age_seconds: item.sinceMs === null ? null : Math.max(0, Math.floor((deps.clock.nowMs() - item.sinceMs) / 1_000)),
    sentence: item.sentence,
    what_to_do: item.advice,
    affected: item.affected,
    actions: item.actions,
    connection: item.about.connectionId,
    sequence: item.about.sequence,
    enrollment: item.about.enrollmentId,
    step: item.about.step,
    external_ids: item.externalIds.map(presentExternalId),
  });

  app.get(
    '/api/parked',
    {
      schema: {
        summary: 'List what cannot go on by itself',
        description:
          'Each with its cause, its age, who is affected and what to do: connections, then sequences, deliveries, outcomes and endpoints, of each the oldest first. What has come right meanwhile is not listed any more.',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { kind = null, limit, sort, cursor } = request.query;
      return list.present(
        request.query.sort,
        await listParked(deps, callerOf(request).tenantId, { kind, ...pageWanted({ limit, sort, cursor }) }),
        present,
      );
    },
  );

  for (const action of parkedActions) {
    const { one, all, description } = summaries[action];
    const note = `${action} in the list of parked work`;

    app.post(
      `/api/parked/:id/${action}`,
      {
        schema: {
          params: z.object({ id: z.string() }),
          summary: one,
          description: `${description} Repeating it is 404: it is not parked any more.`,
          body: actBody,
          response: { 200: doneSchema, ...problems(400, 401, 404, 409, 429, 503) },
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        const done = await actOnParked(deps, action, {
          tenantId: callerOf(request).tenantId,
          id,
          actor: actorOf(request),
          note: request.body?.note ?? note,
        });
        switch (done.kind) {
          case 'done':
            return { id, action, done: true as const };
          case 'unknown':
            return problem(reply, 404, 'not_parked', 'There is no such item, or it is not parked any more.');
          case 'refused':
            return problem(reply, 409, done.code, done.detail);
          case 'busy':
            return problem(reply.header('retry-after', '1'), 503, 'busy', 'It is not confirmed yet: a message may be on its way. Ask again.');
        }
      },
    );

    app.post(
      `/api/parked/${action}`,
      {
        schema: {
          summary: all,
          description: `${description} The oldest first, within the time of a request: where \`Retry-After\` is given, ask again for the rest.`,
          body: actAllBody,
          response: { 200: doneAllSchema, ...problems(400, 401, 429, 503) },
        },
      },
      async (request, reply) => {
        const { kind, dry_run: dryRun, note: given } = request.body;
        const whose = { tenantId: callerOf(request).tenantId, actor: actorOf(request), note: given ?? note };
        const { unfinished, ...counts } = await actOnAllParked(deps, action, { ...whose, kind, dryRun });
        if (unfinished) void reply.header('retry-after', '1');
        return { kind, action, dry_run: dryRun, ...counts };
      },
    );
  }
};

export const resource: Resource = {
  tag: { name: 'parked', description: 'What cannot go on by itself, and what to do about it.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
