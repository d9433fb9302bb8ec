import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { isLockFailure, postgresCode } from '../../db/client.ts';

/** RFC 9457 problem details. `code` is for programs, `detail` for people. */
export function problem(reply: FastifyReply, status: number, code: string, detail: string, more: Record<string, unknown> = {}): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ type: `https://rekindle.example/problems/${code}`, title: code.replaceAll('_', ' '), status, code, detail, ...more });
}

/** The only place where errors become HTTP. What is not ours to explain is logged and answered without details. */
export function handleErrors(app: FastifyInstance): void {
  app.setNotFoundHandler((_request, reply) => problem(reply, 404, 'not_found', 'There is nothing at this address.'));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (hasZodFastifySchemaValidationErrors(error)) {
      const errors = error.validation.map((v) => ({ path: `${error.validationContext ?? ''}${v.instancePath}`, message: v.message }));
      return problem(reply, 400, 'invalid_request', 'The request does not have the shape that this endpoint takes.', { errors });
    }
    const status = error.statusCode ?? 500;
    if (status === 413) return problem(reply, 413, 'too_large', 'The body is larger than 1 MiB.');
    if (status < 500) return problem(reply, status, error.code?.toLowerCase() ?? 'bad_request', error.message);
    request.log.error({ err: error }, 'request failed');
    if (isLockFailure(error)) return problem(reply.header('retry-after', '1'), 503, 'busy', 'Somebody else is changing this right now; try again.');
    if (isUnavailable(error)) return problem(reply.header('retry-after', '5'), 503, 'unavailable', 'The database cannot be reached or cannot store anything right now; nothing was accepted. Try again.');
    return problem(reply, 500, 'internal_error', 'Something went wrong on our side. The request id is in the header x-request-id.');
  });
}

/** Postgres is away, restarting, read-only, or its disk or its connections are used up. */
function isUnavailable(error: unknown): boolean {
  const code = postgresCode(error);
  if (code !== null && /^(08|53|57|25006|58)/.test(code)) return true;
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'].includes('code' in e ? String(e.code) : '')) return true;
    if (/timeout exceeded when trying to connect|Connection terminated|the fate of a COMMIT/.test(e.message)) return true;
  }
  return false;
}
