import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { acceptDelivery, type Acceptance } from '../../../operations/accept-delivery.ts';
import type { Deps } from '../../../operations/deps.ts';
import { problem } from '../../plugins/errors.ts';

const mostBytes = 1024 * 1024;

/** Inbound webhooks. A scope of its own: bodies arrive as raw bytes, because signatures cover bytes. */
export async function webhookRoutes(app: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: mostBytes }, (_request, body, done) => done(null, body));

  type Params = { integration: string; connection?: string };
  const receive = async (request: FastifyRequest<{ Params: Params }>, reply: FastifyReply) => {
    const { integration, connection } = request.params;
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const delivery = { raw, headers: request.headers, receivedAtMs: deps.clock.nowMs() };
    return answer(reply, await acceptDelivery(deps, integration, connection ?? null, delivery));
  };
  const schema = {
    tags: ['webhooks'],
    summary: 'Receive a webhook',
    description: 'Signed deliveries of a connection. Answered 2xx only after everything is stored and every provider call that a stop covers is over.',
  };
  app.post<{ Params: Params }>('/api/webhooks/:integration/:connection', { bodyLimit: mostBytes, schema }, receive);
  app.post<{ Params: Params }>('/api/webhooks/:integration', { bodyLimit: mostBytes, schema: { ...schema, summary: 'Receive a webhook where only one such connection exists' } }, receive);
}

function answer(reply: FastifyReply, acceptance: Acceptance): FastifyReply {
  switch (acceptance.kind) {
    case 'accepted':
      return reply.code(200).send({ status: acceptance.result });
    case 'busy':
      // The stop is written, or stored for the inbox worker; the repeat finds it and is answered when the running call is over.
      return problem(reply.header('retry-after', '1'), 503, 'busy', 'A call that this event covers is still running; deliver it again.');
    case 'refused':
      return refuse(reply, acceptance.reason);
  }
}

function refuse(reply: FastifyReply, reason: Extract<Acceptance, { kind: 'refused' }>['reason']): FastifyReply {
  switch (reason) {
    case 'unknown_connection':
      return problem(reply, 404, reason, 'No such connection. Use the webhook URL exactly as the connection shows it.');
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
