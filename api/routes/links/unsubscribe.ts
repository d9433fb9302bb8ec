import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import { readStoreOfMessage } from '../../../operations/read/store-of-message.ts';
import { unsubscribe } from '../../../operations/stop-one.ts';
import { pageAnswer, sendPage } from '../../plugins/html-page.ts';
import type { Limits } from '../../plugins/rate-limits.ts';
import { isMachine } from './is-machine.ts';
import { confirmPage, donePage, notYetPage } from './pages.ts';
import { linkAnswers, linkParams, readLink, refuseLink } from './read-link.ts';
import { recordPatiently } from './record-patiently.ts';

/** One-click unsubscribe. Source: RFC 8058 */
export const unsubscribeRoutes: FastifyPluginAsyncZod<{ deps: Deps; limits: Limits }> = async (app, options) => {
  const { deps } = options;

  app.get(
    '/u/:token',
    {
      schema: {
        tags: ['links'],
        summary: 'Ask before unsubscribing',
        description: 'Shows a page with a button and changes nothing by itself: scanners follow links.',
        params: linkParams,
        response: { 200: pageAnswer('A page with a button.'), ...linkAnswers },
      },
    },
    async (request, reply) => {
      const link = await readLink(options, request, request.params.token, 'unsubscribe');
      if (link.kind !== 'good') return refuseLink(reply, link);
      const store = await readStoreOfMessage(deps, link.target);
      if (store === null) return refuseLink(reply, { kind: 'bad' });
      // Scanners follow this link beside the others, which identifies them. The page is shown even if the visit cannot be recorded.
      const { tenantId, messageId } = link.target;
      await recordPatiently(deps, { tenantId, messageId, type: 'unsubscribe_opened', machine: isMachine(request) }).catch((error: unknown) =>
        request.log.warn({ err: error, messageId }, 'a look at the unsubscribe page was not recorded'),
      );
      return sendPage(reply, 200, (nonce) => confirmPage(nonce, store));
    },
  );

  app.post(
    '/u/:token',
    {
      schema: {
        tags: ['links'],
        summary: 'Unsubscribe with one click',
        description: 'Needs no cookie and no login. Answered only when no covered message can go out any more; doing it again changes nothing.',
        params: linkParams,
        consumes: ['application/x-www-form-urlencoded', 'multipart/form-data'],
        // The body is ignored: a POST to a signed link is the request.
        body: z.unknown().meta({ description: '`List-Unsubscribe=One-Click`' }),
        response: { 200: pageAnswer('It is done.'), ...linkAnswers },
      },
    },
    async (request, reply) => {
      const link = await readLink(options, request, request.params.token, 'unsubscribe');
      if (link.kind !== 'good') return refuseLink(reply, link);
      const result = await unsubscribe(deps, link.target);
      if (result === 'not_found') return refuseLink(reply, { kind: 'bad' });
      // The stop counts; without the store's name the page is shown all the same.
      const store = await readStoreOfMessage(deps, link.target).catch(() => null);
      if (result === 'busy') return sendPage(reply.header('retry-after', '1'), 503, (nonce) => notYetPage(nonce, store));
      return sendPage(reply, 200, (nonce) => donePage(nonce, store));
    },
  );
};
