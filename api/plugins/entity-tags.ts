import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../../operations/deps.ts';
import { beginEdit } from '../../operations/requests/edit-leases.ts';
import { installationId } from '../../operations/requests/keyed-requests.ts';
import { findCaller } from './authenticate.ts';
import { problem, problems } from './errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What an edit changes, as a path with the parameters of its own, where `GET` of its own path does not show it; null: nothing shows it. */
    edits?: string | null;
  }
}

const ends = new WeakMap<FastifyRequest, () => Promise<void>>();

/** A strong entity tag: equal bytes have equal tags. */
const tagOf = (payload: string | Buffer) => `"${createHash('sha256').update(payload).digest('base64url').slice(0, 27)}"`;

/** Whether a list of entity tags, as in `If-Match`, has this one. @param weak - a weak tag counts too, as for `If-None-Match` */
function names(list: string, tag: string, weak: boolean): boolean {
  return list
    .split(',')
    .map((one) => one.trim())
    .some((one) => one === '*' || one === tag || (weak && one === `W/${tag}`));
}

const isEdit = (method: string) => ['PUT', 'PATCH', 'DELETE'].includes(method);

/** Describe the headers of a route. */
export function describeEntityTags(route: RouteOptions): void {
  const methods = [route.method].flat();
  if (route.config?.edits === null) return;
  const header = methods.some(isEdit) ? 'if-match' : methods.includes('GET') ? 'if-none-match' : null;
  if (header === null) return;
  const headers = route.schema?.headers instanceof z.ZodObject ? route.schema.headers : z.object({});
  const description =
    header === 'if-match'
      ? 'The `ETag` that you have seen: where it has changed, nothing is done (412).'
      : 'The `ETag` that you have: 304 where it is still so.';
  const { response } = route.schema ?? {};
  const answers = typeof response === 'object' && response !== null ? response : {};
  const more = header === 'if-match' ? problems(400, 412, 503) : { ...problems(400), 304: z.null().meta({ description: 'It is as you have it.' }) };
  Object.assign((route.schema ??= {}), {
    headers: headers.extend({ [header]: z.string().max(1_000).optional().meta({ description }) }),
    response: { ...more, ...answers },
  });
}

/**
 * Hooks that give every answer to a GET an `ETag`, and hold edits to the one that their caller has seen. Edits of one thing come one after the other, so nothing
 * changes by another edit between the comparison and the write.
 * Source: docs/rules.md#rule-91, RFC 9110, 13.1
 */
export function entityTags(app: FastifyInstance, deps: Pick<Deps, 'db' | 'clock' | 'log'>) {
  return {
    async begin(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
      const { method, config } = request.routeOptions;
      if (!isEdit(String(method)) || config.edits === null) return undefined;
      const path = config.edits === undefined ? (request.url.split('?')[0] ?? '') : filled(config.edits, request.params);
      const tenantId = findCaller(request)?.tenantId ?? installationId;
      const end = await beginEdit(deps, tenantId, path);
      if (end === null)
        return problem(reply.header('retry-after', '1'), 503, 'busy', 'Somebody else is editing this right now; nothing was changed. Ask again.');
      ends.set(request, end);
      const asked = request.headers['if-match'];
      if (typeof asked !== 'string') return undefined;
      const current = await currentTag(app, request, path);
      if (current !== null && names(asked, current, false)) return undefined;
      const detail =
        current === null
          ? 'There is nothing to edit under this address any more.'
          : 'It was changed since you read it, and nothing was done. Read it again, and repeat your change with its ETag.';
      return problem(current === null ? reply : reply.header('etag', current), 412, 'precondition_failed', detail);
    },

    async finish(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
      const end = ends.get(request);
      if (end !== undefined) {
        ends.delete(request);
        await end().catch((err: unknown) => deps.log.warn({ err }, 'an edit was not ended; its lease ends by itself'));
        return payload;
      }
      if (request.method !== 'GET' || reply.statusCode !== 200 || !(typeof payload === 'string' || Buffer.isBuffer(payload))) return payload;
      const tag = tagOf(payload);
      reply.header('etag', tag);
      if (reply.getHeader('cache-control') === undefined) reply.header('cache-control', 'private, no-cache');
      const known = request.headers['if-none-match'];
      if (typeof known !== 'string' || !names(known, tag, true)) return payload;
      reply.code(304).removeHeader('content-type');
      return '';
    },
  };
}

/** What its own GET would answer to the same caller; null: nothing is there. */
async function currentTag(app: FastifyInstance, request: FastifyRequest, path: string): Promise<string | null> {
  const { authorization, cookie, 'x-api-key': apiKey, 'rekindle-store': store } = request.headers;
  const credentials = { authorization, cookie, 'x-api-key': apiKey, 'rekindle-store': store };
  const given = Object.entries(credentials).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []));
  const { statusCode, headers } = await app.inject({ method: 'GET', url: path, headers: Object.fromEntries(given), remoteAddress: request.ip });
  const { etag } = headers;
  return statusCode === 200 && typeof etag === 'string' ? etag : null;
}

function filled(path: string, params: unknown): string {
  const values = params as Record<string, string>;
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
}
