import type { FastifyInstance } from 'fastify';

const hstsSeconds = 365 * 24 * 3_600;

/**
 * Headers by which browsers do nothing with an answer but what it is for. Pages have a policy of their own, which stays.
 * @param publicUrl - with https, TLS is in front: browsers are asked to use nothing else (HSTS)
 */
export function sendSecurityHeaders(app: FastifyInstance, publicUrl: string): void {
  const always: Record<string, string> = {
    'x-content-type-options': 'nosniff',
    'x-permitted-cross-domain-policies': 'none',
    ...(publicUrl.startsWith('https://') ? { 'strict-transport-security': `max-age=${hstsSeconds}` } : {}),
  };
  const unlessSet = {
    'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
  };
  app.addHook('onRequest', async (_request, reply) => void reply.headers(always));
  app.addHook('onSend', async (_request, reply) => {
    for (const [name, value] of Object.entries(unlessSet)) if (reply.getHeader(name) === undefined) reply.header(name, value);
  });
}
