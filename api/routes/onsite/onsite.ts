import { readFile } from 'node:fs/promises';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../../operations/deps.ts';
import { findSite } from '../../../operations/onsite/find-site.ts';
import { readSubscription } from '../../../operations/onsite/read-subscription.ts';
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
  subscription: z
    .object({ endpoint: z.string().max(1_500), keys: z.object({ p256dh: z.string().max(100), auth: z.string().max(50) }) })
    .nullish()
    .meta({ description: 'The browser’s `PushSubscription`, where it has allowed notifications.' }),
});

const reportSchema = z.object({ token: z.string().max(200), type: z.enum(['shown', 'closed']) });

/**
 * What the script on a store's pages asks and reports. Callers are anybody: the key is public, and what they say is believed only as far as the token of a
 * cart, or our own signature, shows it. Nothing here reads or sets a cookie.
 */
export const onsiteRoutes: FastifyPluginAsyncZod<{ deps: Deps; limits: Limits }> = async (app, { deps, limits }) => {
  const scripts = {
    'rekindle.js': {
      summary: 'The script for the store’s pages',
      description: 'Tells page views and shows the pop-up that waits. Configured by the attributes of its `script` element.',
    },
    'push-worker.js': {
      summary: 'The script for the service worker of the store’s pages',
      description: 'Shows notifications and opens what they lead to. A worker of the store’s own origin imports it.',
    },
  };
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

  for (const [file, { summary, description }] of Object.entries(scripts)) {
    const script = await readFile(new URL(file, import.meta.url), 'utf8');
    app.get(
      `/onsite/${file}`,
      {
        schema: {
          tags: ['onsite'],
          summary,
          description,
          response: { 200: { description: 'JavaScript.', content: { 'text/javascript': { schema: z.string() } } } },
        },
      },
      async (_request, reply) =>
        reply
          .headers({ 'cache-control': 'public, max-age=3600', 'cross-origin-resource-policy': 'cross-origin' })
          .type('text/javascript; charset=utf-8')
          .send(script),
    );
  }

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
        response: {
          200: z.object({
            popup: popupSchema.nullable(),
            pushKey: z
              .string()
              .nullable()
              .meta({ description: 'The key to subscribe with (`applicationServerKey`); null: the store sends no notifications.' }),
          }),
          ...problems(400, 403, 404, 413, 429, 503),
        },
      },
    },
    async (request, reply) => {
      reply.headers({ 'cache-control': 'no-store', vary: 'origin' });
      const { key, cart, proof = null, subscription = null } = request.body;
      const tooOften = await limits.pageViews(request);
      if (tooOften !== null) return problem(reply.header('retry-after', String(tooOften)), 429, 'too_often', 'Too many page views from one address.');
      const site = await findSite(deps, key);
      if (site === null) return problem(reply, 404, 'unknown_site', 'There is no site with this key, or it is disconnected.');
      const { origin } = request.headers;
      if (origin === undefined || !site.origins.includes(origin))
        return problem(reply, 403, 'foreign_origin', 'The page is not one of this site: add its origin to the connection.');
      reply.header('access-control-allow-origin', origin);
      const pushKey = site.push?.publicKey ?? null;
      if (isMachine(request)) return { popup: null, pushKey };
      // An unusable subscription (an unknown push service, a wrong shape) counts as none; the page view counts all the same.
      const taken = await viewPage(deps, site.tenantId, { cart, proof, subscription: readSubscription(subscription, site) });
      if (taken === null) return { popup: null, pushKey };
      const { channel: _channel, ...popup } = taken.popup;
      return { pushKey, popup: { token: deps.links.sign({ purpose: 'popup', tenantId: site.tenantId, messageId: taken.messageId }), ...popup } };
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
