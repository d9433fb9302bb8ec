import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import type { Limits } from '../../plugins/rate-limits.ts';
import { isMachine } from './is-machine.ts';
import { linkAnswers, linkParams, readLink, refuseLink } from './read-link.ts';
import { recordPatiently } from './record-patiently.ts';

/** The way back to the cart. It leads only where the shop's own webhook said: no parameter can send a shopper elsewhere. */
export const clickRoute: FastifyPluginAsyncZod<{ deps: Deps; limits: Limits }> = async (app, options) => {
  app.get(
    '/c/:token',
    {
      schema: {
        tags: ['links'],
        summary: 'Back to the cart',
        description: 'Records the click, a program’s or a suspected scanner’s as such, and leads to the cart’s restore link, else to the store.',
        params: linkParams,
        response: { 302: z.null().meta({ description: 'To the cart, by `Location`; without a body.' }), ...linkAnswers },
      },
    },
    async (request, reply) => {
      const link = await readLink(options, request, request.params.token, 'click');
      if (link.kind !== 'good') return refuseLink(reply, link);
      const { tenantId, messageId } = link.target;
      const to = await recordPatiently(options.deps, { tenantId, messageId, type: 'clicked', machine: isMachine(request) });
      if (to === null || !/^https?:\/\//i.test(to) || !URL.canParse(to)) return refuseLink(reply, { kind: 'bad' });
      // In ASCII: a header takes nothing else, and shops write umlauts into their links.
      return reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).redirect(new URL(to).href, 302);
    },
  );
};
