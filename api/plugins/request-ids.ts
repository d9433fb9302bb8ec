import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isRequestId, renameRequest, withRequestId } from '../../operations/request-context.ts';

/**
 * Every request has an id, which is answered in `X-Request-Id` and stands in each log line, in the audit log, and in Temporal with what the request started.
 * The body is read outside of the context that the first hook opened, so the last hook before the handler opens it again.
 */
export function keepRequestIds(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    withRequestId(request.id, done);
  });
  app.addHook('preValidation', (request, _reply, done) => withRequestId(request.id, done));
}

/** A caller with a valid key may choose the id, so that their log and ours match. Anybody else's text must not reach our log. */
export function takeRequestId(request: FastifyRequest, reply: FastifyReply): void {
  const given = request.headers['x-request-id'];
  if (!isRequestId(given)) return;
  request.id = given;
  void reply.header('x-request-id', given);
  renameRequest(given);
}
