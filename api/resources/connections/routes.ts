import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  changeConnection,
  checkConnection,
  type ConfigFault,
  type ConnectionView,
  createConnection,
  listConnections,
  readConnection,
  removeConnection,
  retireOldSecret,
  rotateSecret,
} from '../../../operations/connections.ts';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { authoriseConnection } from '../../../operations/tokens.ts';
import { type Sent, sendTestEvent } from '../../../operations/send-test-event.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime, isoTimeOrNull } from '../../routes/fields.ts';
import { aList, pageWanted } from '../list.ts';
import { authoriseSchema, changeSchema, checkSchema, connectionSchema, createSchema, rotateSchema, sendSchema, sentSchema } from './schemas.ts';

const list = aList({ name: 'connections', first: 'oldest', item: connectionSchema, filters: {} });
const unknown = (reply: FastifyReply) => problem(reply, 404, 'unknown_connection', 'There is no such connection.');
const invalid = (reply: FastifyReply, faults: ConfigFault[]) => invalidRequest(reply, faults, 'The connection cannot be used like this.');

function presentSent(reply: FastifyReply, { deliveryId, acceptance, delivery }: Extract<Sent, { kind: 'sent' }>): FastifyReply {
  if (acceptance.kind === 'accepted') {
    return reply.send({ delivery_id: deliveryId, status: acceptance.result, notes: delivery?.notes ?? [] });
  }
  if (acceptance.kind === 'unreadable') {
    return problem(
      reply,
      422,
      'unreadable',
      `The event names nobody and nothing (${acceptance.reason}). It had no effect and is kept in the quarantine.`,
      {
        fields: acceptance.fields,
      },
    );
  }
  return problem(reply.header('retry-after', '1'), 503, 'busy', 'The event could not be answered for in time; send it again.');
}

export const connectionRoutes: FastifyPluginAsyncZod<{ deps: BuiltDeps }> = async (app, { deps }) => {
  app.post(
    '/api/connections',
    {
      schema: {
        summary: 'Connect the store to an account of a provider',
        description: 'Secrets are stored sealed. A secret that Rekindle makes is shown in this answer and never again.',
        body: createSchema,
        response: { 201: connectionSchema, ...problems(400, 401, 429, 503) },
      },
    },
    async (request, reply) => {
      const { integration, name, config, secrets } = request.body;
      const made = await createConnection(deps, callerOf(request).tenantId, { integration, name, config: config ?? null, secrets }, actorOf(request));
      if (made.kind === 'unknown_integration') {
        return invalid(reply, [{ path: 'integration', message: `is unknown. Known are: ${made.known.join(', ')}.` }]);
      }
      if (made.kind === 'invalid') return invalid(reply, made.faults);
      return reply.code(201).send(present(made.connection, made.secret));
    },
  );

  app.get(
    '/api/connections',
    {
      schema: {
        summary: 'List the store’s connections',
        querystring: list.query,
        response: { 200: list.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return list.present(request.query.sort, await listConnections(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })), (row) =>
        present(row),
      );
    },
  );

  app.get(
    '/api/connections/:id',
    { schema: { summary: 'Show a connection', params: idParams, response: { 200: connectionSchema, ...problems(401, 404, 429, 503) } } },
    async (request, reply) => {
      const { id } = request.params;
      const found = isId(id) ? await readConnection(deps, callerOf(request).tenantId, id) : null;
      return found === null ? unknown(reply) : present(found);
    },
  );

  app.patch(
    '/api/connections/:id',
    {
      schema: {
        summary: 'Change a connection',
        description: 'Every process uses the change with its next webhook or message.',
        params: idParams,
        body: changeSchema,
        response: { 200: connectionSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!isId(id)) return unknown(reply);
      const { rate, ...others } = request.body;
      const limit = rate == null ? rate : { most: rate.most, withinMs: rate.within_seconds * 1_000 };
      const changed = await changeConnection(deps, callerOf(request).tenantId, id, { ...others, rate: limit }, actorOf(request));
      if (changed.kind === 'unknown') return unknown(reply);
      return changed.kind === 'invalid' ? invalid(reply, changed.faults) : present(changed.connection);
    },
  );

  app.delete(
    '/api/connections/:id',
    {
      schema: {
        summary: 'Remove a connection',
        description: 'Its webhooks are refused and nothing new is sent through it. What it brought stays.',
        params: idParams,
        response: { 204: z.null(), ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const removed = isId(id) && (await removeConnection(deps, callerOf(request).tenantId, id, actorOf(request)));
      return removed ? reply.code(204).send(null) : unknown(reply);
    },
  );

  app.post(
    '/api/connections/:id/rotate',
    {
      schema: {
        summary: 'Give a connection a new webhook secret',
        description: 'The secret before stays valid beside it until the next rotation, or until `retire_old`, so that no delivery is lost meanwhile.',
        params: idParams,
        body: rotateSchema,
        response: { 200: connectionSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      if (!isId(id)) return unknown(reply);
      if (request.body.retire_old) {
        const retired = await retireOldSecret(deps, tenantId, id, actorOf(request));
        const found = retired ? await readConnection(deps, tenantId, id) : null;
        return found === null ? unknown(reply) : present(found);
      }
      const rotated = await rotateSecret(deps, tenantId, id, request.body.secret ?? null, actorOf(request));
      if (rotated.kind === 'unknown') return unknown(reply);
      return rotated.kind === 'invalid' ? invalid(reply, rotated.faults) : present(rotated.connection, rotated.secret);
    },
  );

  app.post(
    '/api/connections/:id/send',
    {
      schema: {
        summary: 'Send an event through a connection',
        description:
          'As the store’s own system would: signed with the connection’s secret and taken in by the same steps. It is no rehearsal: what the event does is done. For connections of the integration `generic`.',
        params: idParams,
        body: sendSchema,
        response: { 200: sentSchema, ...problems(400, 401, 404, 409, 422, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { type, timestamp, data } = request.body;
      if (!isId(id)) return unknown(reply);
      const occurredAtMs = timestamp === undefined ? null : Date.parse(timestamp);
      const sent = await sendTestEvent(deps, callerOf(request).tenantId, id, { type, occurredAtMs, data });
      switch (sent.kind) {
        case 'unknown_connection':
          return unknown(reply);
        case 'disconnected':
          return problem(reply, 409, 'disconnected', 'The connection is disconnected: connect it again first.');
        case 'unusable_secret':
          return problem(reply, 409, 'unusable_secret', `The secret of the connection ${sent.reason}. Rotate it.`);
        case 'not_ours':
          return problem(
            reply,
            409,
            'no_test_events',
            `${sent.integration} reads its provider’s own deliveries only. Send through a connection of the integration generic.`,
          );
        case 'sent':
          return presentSent(reply, sent);
      }
    },
  );

  app.post(
    '/api/connections/:id/authorise',
    {
      schema: {
        summary: 'Let a connection in by OAuth',
        description:
          'Exchanges the code that your consent at the provider has led to for tokens, which are stored sealed and renewed by themselves. For connections whose configuration names an `app`.',
        params: idParams,
        body: authoriseSchema,
        response: { 200: connectionSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenantId } = callerOf(request);
      if (!isId(id)) return unknown(reply);
      const { code, redirect_uri: redirectUri = null } = request.body;
      const done = await authoriseConnection(deps, { tenantId, id, code, redirectUri }, actorOf(request));
      if (done.kind === 'invalid') return invalid(reply, [{ path: done.path, message: done.message }]);
      const found = done.kind === 'unknown' ? null : await readConnection(deps, tenantId, id);
      return found === null ? unknown(reply) : present(found);
    },
  );

  app.post(
    '/api/connections/:id/check',
    {
      schema: {
        summary: 'Check a connection',
        description: 'Opens a session to the provider and closes it again; nothing is sent.',
        params: idParams,
        response: { 200: checkSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const check = isId(id) ? await checkConnection(deps, callerOf(request).tenantId, id) : null;
      return check === null ? unknown(reply) : { sends: check.sends, last_delivery_at: isoTimeOrNull(check.lastDeliveryAtMs) };
    },
  );
};

function present(c: ConnectionView, secret: string | null = null): z.input<typeof connectionSchema> {
  return {
    id: c.id,
    integration: c.integration,
    name: c.name,
    state: c.state,
    receives: c.receives,
    sends: c.sends,
    webhook: c.webhookUrl === null ? null : { url: c.webhookUrl, secret },
    rate: c.rate === null ? null : { most: c.rate.most, within_seconds: c.rate.withinMs / 1_000 },
    fault: c.fault,
    missigned_at: isoTimeOrNull(c.missignedAtMs),
    live_secrets: c.liveSecrets,
    created_at: isoTime(c.createdAtMs),
  };
}
