import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listWebhookDeliveries, readWebhookDelivery, redeliver, redeliverFailed } from '../../../operations/webhooks/delivery-log.ts';
import {
  changeEndpoint,
  createEndpoint,
  listEndpoints,
  readEndpoint,
  removeEndpoint,
  rotateEndpointSecret,
  testEndpoint,
} from '../../../operations/webhooks/endpoints.ts';
import { actorOf, callerOf } from '../../plugins/authenticate.ts';
import { invalidRequest, problem, problems } from '../../plugins/errors.ts';
import { idParams, isId, isoTime } from '../../routes/fields.ts';
import { pageWanted } from '../list.ts';
import type { Resource, ResourceOptions } from '../resource.ts';
import {
  askedSchema,
  changeSchema,
  createSchema,
  deliveryList,
  deliveryWithLogSchema,
  endpointList,
  endpointSchema,
  newEndpointSchema,
  presentAttempt,
  presentDelivery,
  presentEndpoint,
  redeliveredSchema,
  redeliverSchema,
  rotatedSchema,
  rotateSchema,
} from './schemas.ts';

const deliveryParams = idParams.extend({ delivery: z.string().meta({ format: 'uuid' }) });

const unknown = (reply: FastifyReply) => problem(reply, 404, 'unknown_webhook_endpoint', 'There is no such endpoint.');
const unknownDelivery = (reply: FastifyReply) =>
  problem(reply, 404, 'unknown_webhook_delivery', 'This endpoint has no such delivery, or it is older than 30 days.');
const disabled = (reply: FastifyReply) =>
  problem(reply, 409, 'endpoint_disabled', 'The endpoint is disabled: nothing is sent to it. Enable it first: `{ "state": "enabled" }`.');
const invalidUrl = (reply: FastifyReply, message: string) => invalidRequest(reply, [{ path: 'body/url', message }]);

/** Addresses of a store's own systems that receive events. docs/outgoing-webhooks.md */
const routes: FastifyPluginAsyncZod<ResourceOptions> = async (app, { deps }) => {
  app.get(
    '/api/webhook-endpoints',
    {
      schema: {
        summary: 'List webhook endpoints',
        querystring: endpointList.query,
        response: { 200: endpointList.answer, ...problems(400, 401, 429, 503) },
      },
    },
    async (request) => {
      const { limit, sort, cursor } = request.query;
      return endpointList.present(
        request.query.sort,
        await listEndpoints(deps, callerOf(request).tenantId, pageWanted({ limit, sort, cursor })),
        presentEndpoint,
      );
    },
  );

  app.post(
    '/api/webhook-endpoints',
    {
      schema: {
        summary: 'Create a webhook endpoint',
        description:
          'Events are posted to it by the Standard Webhooks specification from now on; `webhooks` of this description has them. Its secret is shown once. 409 `too_many_endpoints`: a store has 20 at most.',
        body: createSchema,
        response: { 201: newEndpointSchema, ...problems(400, 401, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { url, description, event_types: eventTypes, include_personal_data: includePersonalData } = request.body;
      const wish = { url, description, eventTypes, includePersonalData };
      const made = await createEndpoint(deps, callerOf(request).tenantId, wish, actorOf(request));
      switch (made.kind) {
        case 'made':
          return reply.code(201).send({ ...presentEndpoint(made.endpoint), secret: made.secret });
        case 'invalid_url':
          return invalidUrl(reply, made.message);
        case 'too_many':
          return problem(reply, 409, 'too_many_endpoints', `A store has ${made.most} endpoints at most: remove one that is not needed.`);
      }
    },
  );

  app.get(
    '/api/webhook-endpoints/:id',
    {
      schema: { summary: 'Get a webhook endpoint', params: idParams, response: { 200: endpointSchema, ...problems(401, 404, 429, 503) } },
    },
    async (request, reply) => {
      const { id } = request.params;
      const endpoint = isId(id) ? await readEndpoint(deps, callerOf(request).tenantId, id) : null;
      return endpoint === null ? unknown(reply) : presentEndpoint(endpoint);
    },
  );

  app.patch(
    '/api/webhook-endpoints/:id',
    {
      schema: {
        summary: 'Change a webhook endpoint',
        description: 'Its address, what it is told, whether it is enabled. What waits is sent as it says from now on.',
        params: idParams,
        body: changeSchema,
        response: { 200: endpointSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { event_types: eventTypes, include_personal_data: includePersonalData, ...rest } = request.body;
      if (!isId(id)) return unknown(reply);
      const changed = await changeEndpoint(deps, callerOf(request).tenantId, id, { ...rest, eventTypes, includePersonalData }, actorOf(request));
      if (changed.kind === 'unknown') return unknown(reply);
      if (changed.kind === 'invalid_url') return invalidUrl(reply, changed.message);
      deps.kickRelay();
      return presentEndpoint(changed.endpoint);
    },
  );

  app.delete(
    '/api/webhook-endpoints/:id',
    {
      schema: {
        summary: 'Remove a webhook endpoint',
        description: 'Nothing is sent to it any more, and what waited for it is given up.',
        params: idParams,
        response: { 204: z.null().meta({ description: 'Removed.' }), ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const removed = isId(id) && (await removeEndpoint(deps, callerOf(request).tenantId, id, actorOf(request)));
      return removed ? reply.code(204).send(null) : unknown(reply);
    },
  );

  app.post(
    '/api/webhook-endpoints/:id/rotate-secret',
    {
      schema: {
        summary: 'Replace the secret of a webhook endpoint',
        description: 'Until the old one’s time is over, each attempt is signed with both, so that the receiver can change over without a gap.',
        params: idParams,
        body: rotateSchema,
        response: { 201: rotatedSchema, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const overlapMs = request.body.overlap_hours * 3_600_000;
      const made = isId(id) ? await rotateEndpointSecret(deps, callerOf(request).tenantId, id, overlapMs, actorOf(request)) : null;
      return made === null ? unknown(reply) : reply.code(201).send({ secret: made.secret, old_secret_until: isoTime(made.oldUntilMs) });
    },
  );

  app.post(
    '/api/webhook-endpoints/:id/test',
    {
      schema: {
        summary: 'Send a test event to a webhook endpoint',
        description: 'An event `webhook.test`, delivered like any other, whatever types the endpoint listens to. 409 `endpoint_disabled`.',
        params: idParams,
        response: { 202: askedSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const asked = isId(id) ? await testEndpoint(deps, callerOf(request).tenantId, id) : { kind: 'unknown' as const };
      if (asked.kind === 'unknown') return unknown(reply);
      return asked.kind === 'disabled' ? disabled(reply) : reply.code(202).send({ delivery_id: asked.deliveryId });
    },
  );

  app.get(
    '/api/webhook-endpoints/:id/deliveries',
    {
      schema: {
        summary: 'List what a webhook endpoint was told',
        description: 'The newest first, kept for 30 days.',
        params: idParams,
        querystring: deliveryList.query,
        response: { 200: deliveryList.answer, ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { limit, sort, cursor, since, ...search } = request.query;
      if (!isId(id)) return unknown(reply);
      const wish = { ...search, ...(since === undefined ? {} : { sinceMs: Date.parse(since) }) };
      const page = await listWebhookDeliveries(deps, callerOf(request).tenantId, id, wish, pageWanted({ limit, sort, cursor }));
      return page === null ? unknown(reply) : deliveryList.present(request.query.sort, page, presentDelivery);
    },
  );

  app.get(
    '/api/webhook-endpoints/:id/deliveries/:delivery',
    {
      schema: {
        summary: 'Get a delivery of a webhook endpoint with its attempts',
        params: deliveryParams,
        response: { 200: deliveryWithLogSchema, ...problems(401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id, delivery } = request.params;
      const found = isId(id) && isId(delivery) ? await readWebhookDelivery(deps, callerOf(request).tenantId, id, delivery) : null;
      return found === null ? unknownDelivery(reply) : { ...presentDelivery(found), log: found.log.map(presentAttempt) };
    },
  );

  app.post(
    '/api/webhook-endpoints/:id/deliveries/:delivery/redeliver',
    {
      schema: {
        summary: 'Deliver something once more to a webhook endpoint',
        description: 'Whatever became of it, with the same `webhook-id`: its schedule begins anew, at once. 409 `endpoint_disabled`.',
        params: deliveryParams,
        response: { 202: askedSchema, ...problems(401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id: endpointId, delivery: id } = request.params;
      const whose = { tenantId: callerOf(request).tenantId, actor: actorOf(request) };
      const done = isId(endpointId) && isId(id) ? await redeliver(deps, { ...whose, endpointId, id }) : { kind: 'unknown' as const };
      if (done.kind === 'unknown') return unknownDelivery(reply);
      return done.kind === 'disabled' ? disabled(reply) : reply.code(202).send({ delivery_id: id });
    },
  );

  app.post(
    '/api/webhook-endpoints/:id/redeliver',
    {
      schema: {
        summary: 'Deliver everything once more that has failed',
        description: 'The oldest first, up to 5,000 at once. 409 `endpoint_disabled`.',
        params: idParams,
        body: redeliverSchema,
        response: { 202: redeliveredSchema, ...problems(400, 401, 404, 409, 429, 503) },
      },
    },
    async (request, reply) => {
      const { id: endpointId } = request.params;
      const whose = { tenantId: callerOf(request).tenantId, actor: actorOf(request) };
      const sinceMs = Date.parse(request.body.since);
      const done = isId(endpointId) ? await redeliverFailed(deps, { ...whose, endpointId, sinceMs }) : { kind: 'unknown' as const };
      if (done.kind === 'unknown') return unknown(reply);
      if (done.kind === 'disabled') return disabled(reply);
      return reply.code(202).send({ redelivered: done.count, unfinished: done.unfinished });
    },
  );
};

export const resource: Resource = {
  tag: { name: 'webhook endpoints', description: 'Where a store is told what happens, by the Standard Webhooks specification.' },
  guard: 'tenant',
  changes: 'administer',
  routes,
};
