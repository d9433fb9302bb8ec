import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Deps } from '../../../operations/deps.ts';
import { handleErrorsAsPages } from '../../plugins/errors.ts';
import { sendPage } from '../../plugins/html-page.ts';
import type { Limits } from '../../plugins/rate-limits.ts';
import { clickRoute } from './click.ts';
import { openRoute } from './open.ts';
import { tryAgainPage } from './pages.ts';
import { taskRoutes } from './task.ts';
import { unsubscribeRoutes } from './unsubscribe.ts';

/** The links in our messages. Their token is the credential: signed, bound to its purpose, and it names ids only. */
export const linkRoutes: FastifyPluginAsyncZod<{ deps: Deps; limits: Limits }> = async (app, options) => {
  // RFC 8058 allows urlencoded and multipart forms. The body is not needed: the POST itself is the request.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 16 * 1024 }, (_request, body, done) => done(null, body));
  handleErrorsAsPages(app, (reply, status) => sendPage(reply, status, tryAgainPage));
  await app.register(openRoute, options);
  await app.register(clickRoute, options);
  await app.register(unsubscribeRoutes, options);
  await app.register(taskRoutes, options);
};
