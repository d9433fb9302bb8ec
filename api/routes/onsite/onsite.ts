import { readFile } from 'node:fs/promises';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import { findSite } from '../../../operations/onsite/find-site.ts';
import { reportPopup } from '../../../operations/onsite/report-popup.ts';
import { viewPage } from '../../../operations/onsite/view-page.ts';
import { problem, problems } from '../../plugins/errors.ts';
import type { Limits } from '../../plugins/rate-limits.ts';
import { isMachine } from '../links/is-machine.ts';

const popupSchema = z
  .object({
    token: z.string().meta({ description: 'For reports about this pop-up.' }),
    language: z.string(),
    direction: z.enum(['ltr', 'rtl']),
    heading: z.string(),
    text: z.string(),
    cta: z.string(),
    url: z.string().meta({ description: 'Back to the cart; the click is counted.' }),
    close: z.string(),
    label: z.string().nullable(),
  })
  .meta({ id: 'Popup' });

const viewSchema = z.object({
  key: z.string().max(100).meta({ description: 'The public key of the site: the id of its connection.' }),
  cart: z.string().min(1).max(1_000).meta({ description: 'The cart’s token, as the shop’s own page knows it.' }),
  proof: z
    .string()
    .max(200)
    .nullish()
    .meta({ description: 'Where a cart’s id can be guessed: what the shop’s server made of it with its webhook secret.' }),
});

const reportSchema = z.object({ token: z.string().max(200), type: z.enum(['shown', 'closed']) });

/**
 * What the script on a store's pages asks and reports. Callers are anybody: the key is public, and what they say is believed only as far as the token of a
 * cart, or our own signature, shows it. Nothing here reads or sets a cookie.
 */
export const onsiteRoutes: FastifyPluginAsyncZod<{ deps: Deps; limits: Limits }> = async (app, { deps, limits }) => {
  const script = await readFile(new URL('rekindle.js', import.meta.url), 'utf8');
  // Sent as plain text, so that browsers need not ask first.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: 4_096 }, (_request, body, done) => {
    try {
      done(null, JSON.parse(body.toString()));
    } catch {
      // Whatever it is, it has not the shape of a request.
      done(null, null);
    }
  });

  app.get(
    '/onsite/rekindle.js',
    {
      schema: {
        tags: ['onsite'],
        summary: 'The script for the store’s pages',
        description: 'Tells page views and shows the pop-up that waits. Configured by the attributes of its `script` element.',
        response: { 200: { description: 'JavaScript.', content: { 'text/javascript': { schema: z.string() } } } },
      },
    },
    async (_request, reply) =>
      reply
        .headers({ 'cache-control': 'public, max-age=3600', 'cross-origin-resource-policy': 'cross-origin' })
        .type('text/javascript; charset=utf-8')
        .send(script),
  );

  app.post(
    '/onsite/views',
    {
      schema: {
        tags: ['onsite'],
        summary: 'A page was viewed',
        description:
          'Counts as a sign of life of whoever left the cart, and hands out the pop-up that waits for it, once. A cart that is not known, or not proven, changes nothing and is answered like one without a pop-up.',
        consumes: ['text/plain'],
        body: viewSchema,
        response: { 200: z.object({ popup: popupSchema.nullable() }), ...problems(400, 403, 404, 413, 429, 503) },
      },
    },
    async (request, reply) => {
      reply.headers({ 'cache-control': 'no-store', vary: 'origin' });
      const { key, cart, proof = null } = request.body;
      const tooOften = await limits.pageViews(request);
      if (tooOften !== null) return problem(reply.header('retry-after', String(tooOften)), 429, 'too_often', 'Too many page views from one address.');
      const site = await findSite(deps, key);
      if (site === null) return problem(reply, 404, 'unknown_site', 'There is no site with this key, or it is disconnected.');
      const { origin } = request.headers;
      if (origin === undefined || !site.origins.includes(origin))
        return problem(reply, 403, 'foreign_origin', 'The page is not one of this site: add its origin to the connection.');
      reply.header('access-control-allow-origin', origin);
      if (isMachine(request)) return { popup: null };
      const taken = await viewPage(deps, site.tenantId, { cart, proof });
      if (taken === null) return { popup: null };
      const { channel: _channel, ...popup } = taken.popup;
      return { popup: { token: deps.links.sign({ purpose: 'popup', tenantId: site.tenantId, messageId: taken.messageId }), ...popup } };
    },
  );

  app.post(
    '/onsite/reports',
    {
      schema: {
        tags: ['onsite'],
        summary: 'What became of a pop-up',
        description: 'The page that was given it reports that it was shown, and that it was closed. Each counts once.',
        consumes: ['text/plain'],
        body: reportSchema,
        response: { 204: z.null().meta({ description: 'Recorded.' }), ...problems(400, 404, 413, 429, 503) },
      },
    },
    async (request, reply) => {
      const { token, type } = request.body;
      const target = deps.links.read(token, 'popup');
      const tooOften = target === null ? await limits.badToken(request) : await limits.link(request, `popup ${target.tenantId} ${target.messageId}`);
      if (tooOften !== null) return problem(reply.header('retry-after', String(tooOften)), 429, 'too_often', 'Reported too often.');
      const known = target !== null && (await reportPopup(deps, { ...target, type }));
      return known ? reply.code(204).send(null) : problem(reply, 404, 'unknown_popup', 'We did not sign this token, or what it was about is gone.');
    },
  );
};
