import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problem } from './errors.ts';

/**
 * Answer requests for unknown routes: 405 with `Allow` where the address exists for other methods, else 404. At once, without reading the body.
 * Source: RFC 9110, 15.5.6
 */
export function refuseUnknownAddresses(app: FastifyInstance): void {
  const served = new Map<string, { fits: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = served.get(url) ?? { fits: patternOf(url), methods: new Set() };
    for (const one of [method].flat()) known.methods.add(one);
    served.set(url, known);
  });
  const refuse = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = request.url.split('?')[0] ?? '';
    const methods = (served.get(path) ?? [...served.values()].find(({ fits }) => fits.test(path)))?.methods;
    if (methods === undefined) return problem(reply, 404, 'not_found', 'There is nothing at this address.');
    const allowed = [...methods].toSorted().join(', ');
    return problem(reply.header('allow', allowed), 405, 'method_not_allowed', `This address takes ${allowed}.`);
  };
  // Hooks run for unknown routes only if there is a handler.
  app.setNotFoundHandler(refuse);
  app.addHook('onRequest', async (request, reply) => {
    // `GET /things/replay` is no thing of the id "replay" where `POST /things/replay` exists.
    // What browsers ask beforehand is answered for every address by the plugin for other origins.
    const named = request.method === 'OPTIONS' ? undefined : served.get(request.url.split('?')[0] ?? '')?.methods;
    return request.is404 || named?.has(request.method) === false ? refuse(request, reply) : undefined;
  });
}

/** `/c/:token` as a regular expression. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[^\w-]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}
