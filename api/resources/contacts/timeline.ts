import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readTimeline, timelineKinds } from '../../../operations/read/timeline.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, timeField } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import type { ResourceOptions } from '../resource.ts';

const entrySchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(timelineKinds),
    at: timeField,
    type: z.string().meta({
      description:
        'For programs, by its kind: the state of a `message`, the verdict of a `decision`, the type of an `event` or `provider_event`, `granted` or `denied` of a `consent`, the kind of a `task`.',
    }),
    enrollment: z.uuid().nullable(),
    step: z.string().nullable(),
    sentence: z.string().meta({ description: 'The same for people.' }),
  })
  .meta({ id: 'TimelineEntry' });

const list = aList({ name: 'timeline', item: entrySchema, filters: { kind: z.enum(timelineKinds).optional() }, key: 'moment' });

/** Everything about one person in one list. */
export function timelineRoute(app: Parameters<FastifyPluginAsyncZod>[0], { deps }: Pick<ResourceOptions, 'deps'>): void {
  app.get(
    '/api/contacts/:id/timeline',
    {
      schema: {
        summary: 'Show everything about a person in order of time',
        description:
          'Enrollments, events, decisions, messages, what providers reported, consents, tasks, orders and merges, of all contacts of the person, the latest first.',
        params: idParams,
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { kind = null, limit, sort, cursor } = request.query;
      const page = isId(id) ? await readTimeline(deps, callerOf(request).tenantId, id, { kind, ...pageWanted({ limit, sort, cursor }) }) : null;
      if (page === null) return problem(reply, 404, 'unknown_contact', 'No contact of yours has this id.');
      return list.present(request.query.sort, page, ({ atMs, enrollmentId, ...entry }) => ({
        ...entry,
        at: isoTime(atMs),
        enrollment: enrollmentId,
      }));
    },
  );
}
