import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type OwnEvent, reportEvents, type Reported } from '../../../operations/report-events.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import { idempotencyKeyOf } from '../../plugins/idempotency.ts';
import { lineField } from '../../routes/fields.ts';
import { fieldNoteSchema } from '../enrollments/schemas.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { eventsSince } from './since.ts';

const mostAtOnce = 100;

const eventSchema = z.strictObject({
  id: lineField(200).optional().meta({
    description: 'Your own id of the event: a repeat with the same one has no effect. Webhooks of the same connection share these ids with it.',
  }),
  type: lineField(100).meta({ examples: ['cart.updated', 'order.placed'] }),
  timestamp: z.iso.datetime({ offset: true }).optional().meta({ description: 'When it happened; now, where it is left out.' }),
  data: z.record(z.string(), z.unknown()).meta({ description: 'As the webhook of the integration `generic` has it.' }),
});

// Not a union: its errors would name neither the event nor the field.
const body = z.preprocess(
  (sent) => {
    if (typeof sent !== 'object' || sent === null || 'events' in sent) return sent;
    const { connection, ...event } = sent as Record<string, unknown>;
    return { events: [event], ...(connection === undefined ? {} : { connection }) };
  },
  z.strictObject({
    events: z
      .array(eventSchema)
      .min(1, 'is empty')
      .max(mostAtOnce, `are more than ${mostAtOnce}`)
      .meta({ description: 'In the order in which they happened. One alone may also be the whole body.' }),
    connection: z.uuid().optional().meta({ description: 'A connection of the integration `generic`; the store’s oldest one, where it is left out.' }),
  }),
);

const reportedSchema = z
  .object({
    id: z.string().meta({ description: 'Yours, or the one that it was given: `GET /api/deliveries?delivery_id=…` has it.' }),
    status: z.enum(['accepted', 'pending', 'duplicate', 'refused', 'busy']).meta({
      description:
        '`pending`: it is stored, and takes effect in a moment. `duplicate`: an event with this id was accepted before. `refused`: nothing was stored, and `fields` say what to correct. `busy`: report it again with the same id.',
    }),
    fields: z.array(fieldNoteSchema).meta({ description: 'Of a refused event, what cannot be read; else fields that were left out.' }),
  })
  .meta({ id: 'ReportedEvent' });

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, options) => {
  const { deps } = options;
  await app.register(eventsSince, options);
  app.post(
    '/api/events',
    {
      // Each event without an id gets one from the key: done again, the same events have no effect.
      config: { idempotency: 'repeatable' },
      schema: {
        summary: 'Report events by your own code',
        description:
          'What a webhook of the integration `generic` reports, with an API key instead of a signature: one event, or up to 100 in `events`. Each has its own answer; a refused one keeps no other from being taken in. A purchase, a reply or an opt-out is answered when no message can go out any more. 409 `no_connection`: the store has no connection of the integration `generic`. 503 `busy`: none could be taken in; repeat the request with the same ids or the same key.',
        body,
        response: {
          200: z.object({ data: z.array(reportedSchema).meta({ description: 'In the order of the request.' }) }),
          ...problems(400, 401, 404, 409, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const key = idempotencyKeyOf(request);
      const { events, connection } = request.body;
      const done = await reportEvents(deps, callerOf(request).tenantId, {
        connectionId: connection ?? null,
        events: events.map(
          ({ id, type, timestamp, data }, index): OwnEvent => ({
            id: id ?? (key === null ? null : `${key}:${index}`),
            timestamp: timestamp ?? null,
            ...{ type, data },
          }),
        ),
      });
      switch (done.kind) {
        case 'no_connection':
          return problem(
            reply,
            409,
            'no_connection',
            'The store has no connection of the integration generic that is connected: create one with POST /api/connections.',
          );
        case 'unknown_connection':
          return problem(reply, 404, 'unknown_connection', 'The store has no such connection of the integration generic that is connected.');
        case 'reported': {
          const busy = done.results.filter(({ kind }) => kind === 'busy').length;
          if (busy > 0) void reply.header('retry-after', '1');
          if (busy === done.results.length) return problem(reply, 503, 'busy', 'Nothing could be taken in in time. Repeat the request.');
          return { data: done.results.map(present) };
        }
      }
    },
  );
};

function present(done: Reported): z.input<typeof reportedSchema> {
  switch (done.kind) {
    case 'accepted':
      return { id: done.id, status: done.pending ? 'pending' : 'accepted', fields: done.notes };
    case 'refused':
      return { id: done.id, status: 'refused', fields: done.fields };
    case 'duplicate':
    case 'busy':
      return { id: done.id, status: done.kind, fields: [] };
  }
}

export const resource: Resource = {
  tag: { name: 'events', description: 'What your own code reports, without a webhook; and what has happened since.' },
  guard: 'tenant',
  changes: 'operate',
  routes,
};
