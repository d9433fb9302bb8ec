import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { classifyFailure } from '../../../operations/classify-failure.ts';
import type { Deps } from '../../../operations/deps.ts';
import type { LinkTarget } from '../../../operations/link-tokens.ts';
import { readStoreOfMessage } from '../../../operations/read/store-of-message.ts';
import { type Engagement, recordEngagement } from '../../../operations/record-engagement.ts';
import { unsubscribe } from '../../../operations/stop-one.ts';
import { pageAnswer, sendPage } from '../../plugins/html-page.ts';
import type { Limits } from '../../plugins/rate-limits.ts';
import { isMachine } from './is-machine.ts';
import { confirmPage, donePage, notYetPage, tryAgainPage, unknownLinkPage } from './pages.ts';

/** One transparent pixel. */
const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const noStore = { 'cache-control': 'no-store, max-age=0', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex' };

/** The links in our mails. Their token is the credential: signed, bound to its purpose, and it names ids only. */
export const linkRoutes: FastifyPluginAsyncZod<{ deps: Deps; limits: Limits }> = async (app, { deps, limits }) => {
  // RFC 8058 lets the form come as urlencoded or multipart. That it comes is all we need to know.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 16 * 1024 }, (_request, body, done) => done(null, body));
  const params = z.object({ token: z.string().max(200) });
  const tags = ['links'];

  /** @returns the target of a good token that is not overused, else null; `waitSeconds` where it was asked too often */
  const readLink = async (request: FastifyRequest, token: string, purpose: LinkTarget['purpose']) => {
    const target = deps.links.read(token, purpose);
    return { target, waitSeconds: await (target === null ? limits.badToken : limits.link)(request) };
  };

  app.get(
    '/o/:token',
    {
      schema: {
        tags,
        summary: 'The picture that tells of an open',
        description: 'Always answers with the picture; only a good token is recorded.',
        params,
        response: { 200: { description: 'A transparent pixel.', content: { 'image/gif': { schema: z.string() } } } },
      },
    },
    async (request, reply) => {
      const { target, waitSeconds } = await readLink(request, request.params.token, 'open');
      if (target !== null && waitSeconds === null) {
        const opened: Engagement = { ...target, type: 'opened', machine: isMachine(request) };
        // A reader's mail shows no broken picture because our database is away.
        await recordPatiently(deps, opened).catch((error: unknown) => request.log.warn({ err: error, messageId: target.messageId }, 'an open was not recorded'));
      }
      return reply.headers(noStore).type('image/gif').send(gif);
    },
  );

  app.get(
    '/c/:token',
    {
      schema: {
        tags,
        summary: 'Back to the cart',
        description: 'Records the click and leads to the cart’s restore link.',
        params,
        response: {
          302: { description: 'To the cart.', content: { 'text/plain': { schema: z.string() } } },
          404: pageAnswer('The link is not ours, or what it was about is gone.'),
          429: pageAnswer('Asked too often.'),
          503: pageAnswer('Not now.'),
        },
      },
    },
    async (request, reply) => {
      const { target, waitSeconds } = await readLink(request, request.params.token, 'click');
      if (waitSeconds !== null) return sendPage(reply.header('retry-after', String(waitSeconds)), 429, tryAgainPage);
      if (target === null) return sendPage(reply, 404, unknownLinkPage);
      const clicked: Engagement = { ...target, type: 'clicked', machine: isMachine(request) };
      const to = await orTryAgain(request, reply, () => recordPatiently(deps, clicked));
      if (to === reply) return reply;
      return typeof to === 'string' && /^https?:\/\//i.test(to) ? reply.headers(noStore).redirect(to, 302) : sendPage(reply, 404, unknownLinkPage);
    },
  );

  app.get(
    '/u/:token',
    {
      schema: {
        tags,
        summary: 'Ask before unsubscribing',
        description: 'Shows a page with a button and does nothing by itself: scanners follow links.',
        params,
        response: { 200: pageAnswer('A page with a button.'), 404: pageAnswer('The link is not ours.'), 429: pageAnswer('Asked too often.'), 503: pageAnswer('Not now.') },
      },
    },
    async (request, reply) => {
      const { target, waitSeconds } = await readLink(request, request.params.token, 'unsubscribe');
      if (waitSeconds !== null) return sendPage(reply.header('retry-after', String(waitSeconds)), 429, tryAgainPage);
      if (target === null) return sendPage(reply, 404, unknownLinkPage);
      const store = await orTryAgain(request, reply, () => readStoreOfMessage(deps, target));
      if (store === reply) return reply;
      return isStore(store) ? sendPage(reply, 200, (nonce) => confirmPage(nonce, store)) : sendPage(reply, 404, unknownLinkPage);
    },
  );
};
