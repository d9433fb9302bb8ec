import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { encodeCursor } from '../../../operations/live/cursor.ts';
import { cursorOfNow, readEvents } from '../../../operations/live/read-events.ts';
import { recordForReaders } from '../../../operations/live/readers.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { afterField, eventSchema, personalField, refusesPersonalData, typesField } from '../live/fields.ts';
import type { ResourceOptions } from '../resource.ts';

/** The events of `GET /api/live`, where no WebSocket can be opened. */
export const eventsSince: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/events',
    {
      schema: {
        summary: 'Read what has happened since',
        description:
          'The events of `GET /api/live`, page by page, for where no WebSocket can be opened. The first time, without `after`, it answers with the cursor of now and no events. A store’s events are recorded from then on, for as long as somebody reads within seven days, and kept for 29. 410 `cursor_expired`: what came after the cursor is not kept; read what you show anew, and begin without `after`.',
        querystring: z.strictObject({
          types: typesField,
          after: afterField.meta({ description: 'The `cursor` of the answer before, or of an event.' }),
          personal_data: personalField,
          limit: z.coerce.number().int().min(1).max(500).default(100),
        }),
        response: {
          200: z.object({
            data: z
              .array(eventSchema)
              .meta({ description: 'In the order in which they were committed. May be fewer than `limit`, also where there are more.' }),
            cursor: z.string().meta({ description: 'Give it as `after` the next time.' }),
            more: z.boolean().meta({ description: 'There are further events now: ask at once.' }),
          }),
          ...problems(400, 401, 403, 410, 429, 503),
        },
      },
    },
    async (request, reply) => {
      if (refusesPersonalData(request, reply)) return reply;
      const { types, after, personal_data, limit } = request.query;
      const { tenantId } = callerOf(request);
      await recordForReaders(deps, tenantId);
      if (after === undefined) return { data: [], cursor: encodeCursor(await cursorOfNow(deps, tenantId)), more: false };
      const personal = personal_data === 'true';
      const read = await readEvents(deps, tenantId, { after, limit, wanted: { plain: !personal, personal } });
      if (read.kind === 'expired')
        return problem(reply, 410, 'cursor_expired', 'What came after this cursor is not kept. Read what you show anew, and begin without `after`.');
      const listed = types === undefined ? read.events : read.events.filter(({ type }) => types.has(type));
      const data = listed.map(({ cursor, id, body }) => ({ cursor, id, ...(JSON.parse((personal ? body.personal : body.plain) ?? '{}') as object) }));
      return { data: data as z.input<typeof eventSchema>[], cursor: encodeCursor(read.cursor), more: read.more };
    },
  );
};
