import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import { resolveShortLink } from '../../../operations/short-links.ts';
import type { Limits } from '../../plugins/rate-limits.ts';
import { isMachine } from './is-machine.ts';
import { linkAnswers, linkParams, limitLink, type ReadLink, readLink, refuseLink } from './read-link.ts';
import { recordPatiently } from './record-patiently.ts';

const answers = { 302: z.null().meta({ description: 'To the subject, by `Location`; without a body.' }), ...linkAnswers };

/** Redirect to the subject. The target comes from the shop's own webhook alone: no parameter can send a shopper elsewhere. */
export const clickRoute: FastifyPluginAsyncZod<{ deps: Deps; limits: Limits }> = async (app, options) => {
  const follow = async (request: FastifyRequest, reply: FastifyReply, link: ReadLink) => {
    if (link.kind !== 'good') return refuseLink(reply, link);
    const { tenantId, messageId } = link.target;
    const to = await recordPatiently(options.deps, { tenantId, messageId, type: 'clicked', machine: isMachine(request) });
    if (to === null || !/^https?:\/\//i.test(to) || !URL.canParse(to)) return refuseLink(reply, { kind: 'bad' });
    // In ASCII: a header takes nothing else, and shops write umlauts into their links.
    return reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).redirect(new URL(to).href, 302);
  };

  app.get(
    '/c/:token',
    {
      schema: {
        tags: ['links'],
        summary: 'Back to the subject',
        description: 'Records the click, a program’s or a suspected scanner’s as such, and leads to the subject’s own link, else to the store.',
        params: linkParams,
        response: answers,
      },
    },
    async (request, reply) => follow(request, reply, await readLink(options, request, request.params.token, 'click')),
  );

  app.get(
    '/s/:token',
    {
      schema: {
        tags: ['links'],
        summary: 'Back to the subject, by the short link of a text message',
        description: 'As `/c/{token}`, with a token of 22 letters and digits.',
        params: linkParams,
        response: answers,
      },
    },
    async (request, reply) => follow(request, reply, await limitLink(options, request, await resolveShortLink(options.deps, request.params.token))),
  );
};
