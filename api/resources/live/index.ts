import type { WebSocket } from '@fastify/websocket';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { createLiveHub } from '../../../operations/live/hub.ts';
import { callerOf, isStillAllowed } from '../../plugins/authenticate.ts';
import { problem, problems } from '../../plugins/errors.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import { afterField, eventSchema, personalField, refusesPersonalData, typesField } from './fields.ts';
import { listenOver } from './socket.ts';

const mostListeners = 5_000;

const listeningQuery = z.strictObject({
  types: typesField,
  after: afterField.meta({ description: 'The `cursor` of the newest event that you have; left out, what happens from now on.' }),
  personal_data: personalField,
  store: z.string().max(200).optional().meta({ description: 'Instead of the header `Rekindle-Store`, which scripts of a page cannot set here.' }),
});

const listening = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hello'), cursor: z.string(), heartbeat_seconds: z.int() }),
  z.object({ kind: z.literal('event'), ...eventSchema.shape }),
  z.object({ kind: z.literal('alive'), cursor: z.string().nullable(), at: z.iso.datetime() }),
  z.object({
    kind: z.literal('end'),
    reason: z.enum(['too_slow', 'cursor_expired', 'interrupted', 'going_away', 'not_allowed', 'silent']),
    resume: z.string().nullable(),
  }),
]);

const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps, heartbeatMs }) => {
  const hub = createLiveHub(deps);
  const sockets = new Set<WebSocket>();
  // Open sockets would keep the server from closing.
  app.addHook('preClose', async () => hub.close());

  app.addHook<{ Querystring: z.output<typeof listeningQuery> }>('preHandler', async (request, reply): Promise<unknown> => {
    if (refusesPersonalData(request, reply)) return reply;
    if (hub.count(callerOf(request).tenantId) < mostListeners) return undefined;
    return problem(
      reply.header('retry-after', '5'),
      503,
      'too_many_listeners',
      `${mostListeners} listen to this store already. Read GET /api/events.`,
    );
  });

  app.route({
    method: 'GET',
    url: '/api/live',
    schema: {
      summary: 'Listen to what happens, as it happens',
      description:
        'A WebSocket (`Upgrade: websocket`, protocol `rekindle.live`). Each message is JSON with a `kind`: `hello` first, then `event`, every 15 s `alive`, and `end` before the server closes. Listen again with `after`, the newest `cursor` that you have: nothing is left out, and an event may come twice with the same `id`. Whoever takes events too slowly is let go (`too_slow`, 4408) and goes on in the same way. `cursor_expired` (4410): what came after the cursor is not kept any more; read what you show anew, and begin without `after`. Where no WebSocket can be opened, `GET /api/events` has the same events. Scripts of a page that have a key name it as a further protocol, `rekindle.key.rk_…`; with a cookie, the page must be one of this installation.',
      querystring: listeningQuery,
      response: {
        101: z.null().meta({ description: 'The WebSocket is open.', 'x-messages': z.toJSONSchema(listening) }),
        ...problems(400, 401, 403, 426, 429, 503),
      },
    },
    handler: (_request, reply) =>
      void problem(reply.header('upgrade', 'websocket'), 426, 'upgrade_required', 'This is a WebSocket. Without one, read GET /api/events.'),
    wsHandler: (socket, request) => {
      const { types = null, after = null, personal_data } = request.query;
      const { tenantId } = callerOf(request);
      const withPersonalData = personal_data === 'true';
      sockets.add(socket);
      deps.telemetry.liveListeners(sockets.size);
      const listener = listenOver(socket, { tenantId, withPersonalData, types }, (reason) => {
        deps.telemetry.liveEnded(reason);
        hub.leave(listener);
      });
      let answered = true;
      socket.on('pong', () => (answered = true));
      const heartbeat = setInterval(() => {
        if (!answered) return listener.close('silent');
        answered = false;
        socket.ping();
        isStillAllowed(deps, request, withPersonalData ? 'operate' : 'read').then(
          (allowed) => (allowed ? undefined : listener.close('not_allowed')),
          // Postgres does not answer: it is asked again.
          () => undefined,
        );
        listener.say({ kind: 'alive', cursor: hub.cursorOf(listener), at: new Date(deps.clock.nowMs()).toISOString() });
      }, heartbeatMs);
      const leave = () => {
        clearInterval(heartbeat);
        hub.leave(listener);
        sockets.delete(socket);
        deps.telemetry.liveListeners(sockets.size);
      };
      socket.on('close', leave);
      socket.on('error', () => socket.terminate());
      // Sent before the missed events, which follow a moment later.
      hub
        .join(listener, after, (cursor) => listener.say({ kind: 'hello', cursor, heartbeat_seconds: heartbeatMs / 1_000 }))
        .then(
          () => (socket.readyState === socket.OPEN ? undefined : leave()),
          (err: unknown) => {
            request.log.warn({ err }, 'somebody cannot listen to live events right now');
            listener.close('interrupted');
          },
        );
    },
  });
};

export const resource: Resource = {
  tag: { name: 'live', description: 'What happens, as it happens.' },
  guard: 'tenant',
  changes: null,
  routes,
};
