import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { permissions } from '../../operations/access.ts';
import { classifyFailure } from '../../operations/classify-failure.ts';

/** RFC 9457 problem details: the body of every error. */
const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: 'For programs: does not change.' }),
    detail: z.string().meta({ description: 'For people: what is wrong and what to do.' }),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'What is wrong where, for `invalid_request`.' }),
    fields: z
      .array(z.object({ field: z.string(), reason: z.string() }))
      .optional()
      .meta({ description: 'What cannot be read in a webhook, for `unreadable`. It never repeats what was sent.' }),
  })
  .extend({
    enrollment: z.uuid().optional().meta({ description: 'The enrollment that stands in the way, for `already_running` and `another_running`.' }),
    permission: z.enum(permissions).optional().meta({ description: 'What is missing, for `forbidden`.' }),
    waiting: z
      .array(z.object({ step: z.string(), waiting: z.int() }))
      .optional()
      .meta({ description: 'The removed steps that enrollments wait for, for `choice_needed`.' }),
  })
  .meta({ id: 'Problem' });

/** What each status of an error says. */
export const meanings = {
  400: 'The request is not understood.',
  401: 'Who is asking is not known.',
  403: 'Who asks is known, and may not do this.',
  404: 'There is no such thing, or it is not yours.',
  409: 'Something else stands in the way: it was changed meanwhile, is taken, or a rule forbids it. `code` says which.',
  405: 'This address does not take the method; `Allow` names those that it takes.',
  410: 'It is not kept any more.',
  412: 'It was changed since you read it: `ETag` has what it is now.',
  413: 'The body is larger than 1 MiB.',
  422: 'Of an event: it names nobody and nothing; it is kept, and `fields` say what to correct. Else the `Idempotency-Key` was used for another request.',
  426: 'This is a WebSocket: `Upgrade` it.',
  429: 'Too many attempts. `Retry-After` says when to try again.',
  431: 'The head of the request, its address included, is larger than 16 KiB.',
  503: 'Not now. `Retry-After` says when to try again; nothing is lost by repeating.',
} as const;

/** The error answers of a route, for its schema. */
export function problems(...statuses: (keyof typeof meanings)[]) {
  return Object.fromEntries(
    statuses.map((status) => [status, { description: meanings[status], content: { 'application/problem+json': { schema: problemSchema } } }]),
  );
}

/** Answer with problem details. `code` is for programs, `detail` for people. */
export function problem(reply: FastifyReply, status: number, code: string, detail: string, more: Record<string, unknown> = {}): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send({ type: `https://rekindle.example/problems/${code}`, title: code.replaceAll('_', ' '), status, code, detail, ...more });
}

/** Answer 400: of these fields the request has none, or more than one. @param where - `body` or `querystring` */
export const wrongChoice = (reply: FastifyReply, where: 'body' | 'querystring', fields: readonly string[], detail: string): FastifyReply =>
  invalidRequest(
    reply,
    fields.map((field) => ({ path: `${where}/${field}`, message: detail })),
    detail,
  );

/** Answer 400: the request does not have the right shape. @param errors - what is wrong where */
export function invalidRequest(
  reply: FastifyReply,
  errors: readonly { path: string; message: string }[],
  detail = 'The request does not have the shape that this endpoint takes.',
): FastifyReply {
  return problem(reply, 400, 'invalid_request', detail, errors.length === 0 ? {} : { errors });
}

/** Fastify's own codes name its parts; these are ours for what callers meet. */
const unreadBodies: Readonly<Record<string, readonly [code: string, detail: string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: ['not_json', 'The body is not JSON, or is compressed: send it as it is, without Content-Encoding.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'This address does not take a body of this type: say Content-Type: application/json.'],
};

/** Where a fault is. zod reports unknown fields of an object together, at the object. */
function placesOf({ instancePath, keyword, params: { keys } }: NonNullable<FastifyError['validation']>[number]): string[] {
  if (keyword !== 'unrecognized_keys' || !Array.isArray(keys)) return [instancePath];
  return keys.map((key) => `${instancePath.replace(/\/$/, '')}/${String(key)}`);
}

/** The only place where errors become HTTP. Unexpected errors are logged and answered without details. */
export function handleErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (hasZodFastifySchemaValidationErrors(error)) {
      return invalidRequest(
        reply,
        error.validation.flatMap((fault) =>
          placesOf(fault).map((path) => ({ path: `${error.validationContext ?? ''}${path}`, message: fault.message ?? 'is wrong' })),
        ),
      );
    }
    const status = error.statusCode ?? 500;
    if (status === 413) return problem(reply, 413, 'too_large', 'The body is larger than 1 MiB.');
    if (status < 500) {
      const [code, detail] = unreadBodies[error.code] ?? [error.code?.toLowerCase() ?? 'bad_request', error.message];
      return problem(reply, status, code, detail);
    }
    request.log.error({ err: error }, 'request failed');
    switch (classifyFailure(error)) {
      case 'busy':
        return problem(reply.header('retry-after', '1'), 503, 'busy', 'Somebody else is changing this right now; try again.');
      case 'unavailable':
        return problem(
          reply.header('retry-after', '5'),
          503,
          'unavailable',
          'The database cannot be reached or cannot store anything right now; nothing was accepted. Try again.',
        );
      case 'unexpected':
        return problem(reply, 500, 'internal_error', 'Something went wrong on our side. The request id is in the header x-request-id.');
    }
  });
}

/**
 * In a scope of pages for shoppers, errors are pages too.
 * @param show - answers with a page that says: try again
 */
export function handleErrorsAsPages(app: FastifyInstance, show: (reply: FastifyReply, status: number) => FastifyReply): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return show(reply, status);
    request.log.error({ err: error }, 'request failed');
    return show(reply.header('retry-after', '2'), classifyFailure(error) === 'unexpected' ? 500 : 503);
  });
}
