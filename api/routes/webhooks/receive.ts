import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { acceptDelivery, type Acceptance } from '../../../operations/accept-delivery.ts';
import type { Deps } from '../../../operations/deps.ts';
import { problem, problems } from '../../plugins/errors.ts';

const mostBytes = 1024 * 1024;

const acceptedSchema = z
  .object({
    status: z.enum(['applied', 'repeated', 'ignored', 'quarantined', 'pending']).meta({
      description: 'What became of the delivery. `pending`: stored, and applied in a moment. `quarantined`: it could not be read and is kept.',
    }),
  })
  .meta({ id: 'AcceptedDelivery' });

/** Inbound webhooks. A scope of its own: bodies arrive as raw bytes, because signatures cover bytes. */
export const webhookRoutes: FastifyPluginAsyncZod<{ deps: Deps }> = async (app, { deps }) => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: mostBytes }, (_request, body, done) => done(null, body));

  const receive = async (request: FastifyRequest, reply: FastifyReply, integration: string, connection: string | null) => {
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    // A proxy may have changed host and scheme; providers sign the address that they were given, which is the public one.
    const url = `${deps.publicUrl}${request.url}`;
    const method = request.method === 'GET' ? 'GET' : 'POST';
    const delivery = { method, url, raw, headers: request.headers, receivedAtMs: deps.clock.nowMs() } as const;
    return answer(reply, await acceptDelivery(deps, integration, connection, delivery));
  };
  const schema = {
    tags: ['webhooks'],
    summary: 'Receive a webhook',
    description:
      'Signed deliveries of a connection, as docs/webhooks.md describes them. Answered 2xx only after everything is stored and every provider call that a stop covers is over.',
    // The bytes as they came; the integration's own schema reads them after the signature was checked.
    body: z.unknown().meta({
      description: 'The integration’s event, as JSON or as a form: a `GenericEvent`, or what the platform sends by itself.',
      anyOf: [{ $ref: '#/components/schemas/GenericEvent' }, { description: 'A webhook of Shopify, as Shopify documents it.' }],
    }),
    response: { 200: acceptedSchema, ...problems(400, 401, 404, 413, 422, 503) },
  };
  const integration = z.string().meta({ examples: ['shopify', 'generic'] });

  app.post(
    '/api/webhooks/:integration/:connection',
    { bodyLimit: mostBytes, schema: { ...schema, params: z.object({ integration, connection: z.string() }) } },
    (request, reply) => receive(request, reply, request.params.integration, request.params.connection),
  );
  app.post(
    '/api/webhooks/:integration',
    {
      bodyLimit: mostBytes,
      schema: { ...schema, summary: 'Receive a webhook where only one such connection exists', params: z.object({ integration }) },
    },
    (request, reply) => receive(request, reply, request.params.integration, null),
  );

  // Some providers report by GET, in the query alone. HEAD asks for no effect and has no route.
  const { body: _body, ...bodiless } = schema;
  const byGet = {
    ...bodiless,
    summary: 'Receive a webhook of a provider that reports by GET',
    description: 'Only for integrations that say so; the others answer 405.',
    response: { 200: acceptedSchema, ...problems(400, 401, 404, 405, 422, 503) },
  };
  app.get(
    '/api/webhooks/:integration/:connection',
    { exposeHeadRoute: false, schema: { ...byGet, params: z.object({ integration, connection: z.string() }) } },
    (request, reply) => receive(request, reply, request.params.integration, request.params.connection),
  );
  app.get('/api/webhooks/:integration', { exposeHeadRoute: false, schema: { ...byGet, params: z.object({ integration }) } }, (request, reply) =>
    receive(request, reply, request.params.integration, null),
  );
};

function answer(reply: FastifyReply, acceptance: Acceptance): FastifyReply {
  switch (acceptance.kind) {
    case 'accepted':
      if (acceptance.reply === undefined) return reply.code(200).send({ status: acceptance.result });
      return raw(reply.code(200), acceptance.reply);
    case 'answered':
      return acceptance.body === null ? reply.code(acceptance.status).send() : raw(reply.code(acceptance.status), acceptance.body);
    case 'unreadable':
      return problem(
        reply,
        422,
        'unreadable',
        `The event names nobody and nothing (${acceptance.reason}). It is kept in the quarantine; correct it and send it again with the same id.`,
        { fields: acceptance.fields },
      );
    case 'busy':
      // Whether or not it was stored: a repeat finds it or stores it, and is answered when the covered calls are over.
      return problem(reply.header('retry-after', '1'), 503, 'busy', 'The event could not be answered for in time; deliver it again.');
    case 'overloaded':
      return problem(
        reply.header('retry-after', '2'),
        503,
        'overloaded',
        'Too many deliveries wait for the database; nothing was stored. Deliver it again.',
      );
    case 'refused':
      return refuse(reply, acceptance.reason);
  }
}

type Reply = NonNullable<Extract<Acceptance, { kind: 'answered' }>['body']>;

/** Sent as the provider expects it, without a response schema. */
function raw(reply: FastifyReply, { contentType, body }: Reply): FastifyReply {
  return reply
    .type(contentType)
    .serializer((text) => String(text))
    .send(body);
}

function refuse(reply: FastifyReply, reason: Extract<Acceptance, { kind: 'refused' }>['reason']): FastifyReply {
  switch (reason) {
    case 'unknown_connection':
      return problem(reply, 404, reason, 'No such connection. Use the webhook URL exactly as the connection shows it.');
    case 'method_not_allowed':
      return problem(reply.header('allow', 'POST'), 405, reason, 'This integration delivers by POST.');
    case 'missing_signature':
      return problem(reply, 401, reason, 'The delivery carries no signature.');
    case 'bad_signature':
      return problem(reply, 401, reason, 'The signature does not match: check the secret, and sign the exact bytes that are sent.');
    case 'stale':
      return problem(reply, 401, reason, 'The signed time is more than five minutes from now.');
    case 'not_json':
      return problem(reply, 400, reason, 'The body is not JSON.');
  }
}
