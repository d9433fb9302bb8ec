import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BuiltDeps } from '../../../operations/create-deps.ts';
import { listQuarantine } from '../../../operations/read/quarantine.ts';
import { previewStep } from '../../../operations/preview-step.ts';
import { html } from '../../html.ts';
import { pageAnswer, sendFramedEmail, sendPage } from '../../plugins/html-page.ts';
import { dashboardPath } from '../dashboard/dashboard.ts';
import type { WorkflowLinks } from '../workflow-links.ts';
import { createFeed } from './feed.ts';
import { linksPage, livePage, type Place, sidePage } from './page.ts';
import { inTheme, previewHtml } from './preview-html.ts';
import { quarantineHtml } from './quarantine-html.ts';
import { stream } from './stream.ts';

export interface StartOptions {
  deps: BuiltDeps;
  links: { temporalUi: string | null; mailbox: string | null };
  workflows: WorkflowLinks;
  /** See `AppOptions.livePage`. */
  live: boolean;
}

const own: readonly Place[] = [
  { href: dashboardPath, name: 'Dashboard', what: 'for everybody who has been invited' },
  { href: '/openapi.json', name: 'API', what: 'every route, as OpenAPI' },
  { href: '/healthz', name: 'Health', what: 'how every part is doing' },
];

/** The data of one event, which tells the page what markup to put where. */
const eventData = z.toJSONSchema(
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('everything'), html: z.string() }),
    z.object({ kind: z.literal('story'), list: z.string(), id: z.string(), html: z.string() }),
    z.object({ kind: z.literal('figures'), id: z.string(), html: z.string() }),
  ]),
);

/** `/`: what happens in the stores of this machine, as it happens; elsewhere a page of links. */
export const startRoutes: FastifyPluginAsyncZod<StartOptions> = async (app, { deps, links, workflows, live }) => {
  const schema = { tags: ['health'], summary: 'The start page', response: { 200: pageAnswer('A page.') } };
  if (!live) {
    app.get('/', { schema }, async (_request, reply) => sendPage(reply, 200, (nonce) => linksPage(nonce, own)));
    return;
  }
  const places: Place[] = [
    ...(links.mailbox === null ? [] : [{ href: links.mailbox, name: 'Mailbox', what: 'the emails, as shoppers see them' }]),
    ...(links.temporalUi === null ? [] : [{ href: links.temporalUi, name: 'Temporal', what: 'the sleeping workflows' }]),
    ...own,
    { href: '/metrics', name: 'Metrics', what: 'figures for Prometheus' },
  ];
  const feed = createFeed(deps, workflows);
  // Open streams would keep the server from closing.
  app.addHook('preClose', async () => feed.close());

  app.get('/', { schema }, async (_request, reply) => {
    const stores = await feed.everything();
    return sendPage(reply, 200, (nonce) => livePage(nonce, places, stores));
  });
  app.get('/quarantine', { schema: { ...schema, summary: 'The deliveries that could not be read, as a page' } }, async (_request, reply) => {
    const stores = await readQuarantines(deps);
    return sendPage(reply, 200, (nonce) => sidePage(nonce, 'Deliveries that could not be read', quarantineHtml(stores)));
  });
  const previewed = { params: z.object({ slug: z.string(), step: z.string() }), querystring: previewQuery };
  app.get(
    '/preview/:slug/:step',
    { schema: { ...schema, ...previewed, summary: 'A step as somebody would get it, as a page' } },
    async (request, reply) => {
      const preview = await previewOf(deps, request.params, request.query);
      const { slug, step } = request.params;
      if (preview === null)
        return sendPage(reply, 200, (nonce) => sidePage(nonce, `${slug}: ${step}`, html`<p>There is no such step, contact or sample.</p>`));
      const query = new URLSearchParams();
      for (const name of ['store', 'contact', 'sample', 'locale'] as const)
        if (request.query[name] !== undefined) query.set(name, request.query[name]);
      const frame = `/preview/${encodeURIComponent(slug)}/${encodeURIComponent(step)}/email?${query.toString()}`;
      return sendPage(reply, 200, (nonce) => sidePage(nonce, `${slug}: ${step}`, previewHtml(preview, frame)), 'own');
    },
  );
  app.get('/preview/:slug/:step/email', { schema: { ...schema, ...previewed, summary: 'The email of that page' } }, async (request, reply) => {
    const preview = await previewOf(deps, request.params, request.query);
    return sendFramedEmail(reply, inTheme(preview?.html ?? '', request.query.theme));
  });
  app.get(
    '/live',
    {
      schema: {
        tags: ['health'],
        summary: 'What happens, as it happens',
        description: 'Server-sent events for the live page, on one’s own machine only.',
        response: {
          200: {
            description: 'Events without end. The first has everything, also after a reconnect; the data of each is a JSON object.',
            content: { 'text/event-stream': { schema: z.string().meta({ contentMediaType: 'text/event-stream', 'x-event-data': eventData }) } },
          },
        },
      },
    },
    (_request, reply) => stream(reply, feed),
  );
};

const previewQuery = z.object({
  store: z.string().optional().meta({ description: 'The slug of the store; left out, the first.' }),
  contact: z.string().optional(),
  sample: z.string().optional(),
  locale: z.string().optional(),
  theme: z.enum(['light', 'dark']).default('light'),
});

async function previewOf(deps: BuiltDeps, { slug, step }: { slug: string; step: string }, query: z.output<typeof previewQuery>) {
  const stores = await deps.db.listTenants();
  const store = query.store === undefined ? stores[0] : stores.find((one) => one.slug === query.store);
  if (store === undefined) return null;
  const { contact = null, sample = null, locale = null } = query;
  const done = await previewStep(deps, { tenantId: store.id, slug, stepId: step, contact, sample, locale });
  return done.kind === 'previewed' ? done.preview : null;
}

const mostShown = 100;

async function readQuarantines(deps: BuiltDeps) {
  const stores = [];
  for (const { id, name } of await deps.db.listTenants()) {
    const { items, next } = await listQuarantine(deps, id, { state: 'open', limit: mostShown, after: null });
    stores.push({ name, deliveries: items, more: next !== null });
  }
  return stores;
}
