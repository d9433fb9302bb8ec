import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import type { Limits } from '../../plugins/rate-limits.ts';
import { isMachine } from './is-machine.ts';
import { linkParams, readLink } from './read-link.ts';
import { recordPatiently } from './record-patiently.ts';

/** One transparent pixel. */
const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

/** The picture in our emails. It is always answered with a picture, so that no email shows a broken one. */
export const openRoute: FastifyPluginAsyncZod<{ deps: Deps; limits: Limits }> = async (app, options) => {
  app.get(
    '/o/:token',
    {
      schema: {
        tags: ['links'],
        summary: 'The picture that tells of an open',
        description: 'Always answers with the picture; only a good token is recorded, and a program’s request as such.',
        params: linkParams,
        response: {
          200: { description: 'A transparent pixel.', content: { 'image/gif': { schema: z.unknown().meta({ type: 'string', format: 'binary' }) } } },
        },
      },
    },
    async (request, reply) => {
      const link = await readLink(options, request, request.params.token, 'open');
      if (link.kind === 'good') {
        const { tenantId, messageId } = link.target;
        await recordPatiently(options.deps, { tenantId, messageId, type: 'opened', machine: isMachine(request) }).catch((error: unknown) =>
          request.log.warn({ err: error, messageId }, 'an open was not recorded'),
        );
      }
      return reply.headers({ 'cache-control': 'no-store, max-age=0' }).type('image/gif').send(gif);
    },
  );
};
