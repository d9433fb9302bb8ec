import Fastify, { type FastifyInstance } from 'fastify';
import { serveWindow, type Window } from './shop-window.ts';

/**
 * The demo shop's own pages: a counter for a person, where the links of its emails lead, and the pictures of its products. Also serves `npm run send`.
 * @param open - what the counter needs; null as long as it is not known
 */
export function buildShopSite(liveUrl: string, open: () => Window | null = () => null): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true });

  app.addHook('onRequest', async (_request, reply) => void reply.header('x-content-type-options', 'nosniff'));
  serveWindow(app, liveUrl, open);

  app.get<{ Params: { id: string } }>('/cart/:id', (request, reply) => {
    // A cart of the counter is on its page, in the browser that has it.
    if (request.params.id.startsWith('shop-')) return reply.redirect('/');
    return reply
      .type('text/html; charset=utf-8')
      .send(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Your cart</title><link rel="icon" href="data:,">
<body style="font:17px/1.5 system-ui;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#24211c;background:#f5f3ef">
<h1>Welcome back</h1><p>This is where a shop would show the cart <code>${escapeHtml(request.params.id)}</code> again, filled as it was left.</p>
<p>Buy it: <code>npm run send -- order.placed --cart ${escapeHtml(request.params.id)}</code>, and watch its sequence end on the <a href="${escapeHtml(liveUrl)}">live page</a>.</p>`);
  });

  app.get<{ Params: { file: string } }>('/pictures/:file', (request, reply) =>
    reply
      .header('cache-control', 'public, max-age=86400')
      .type('image/svg+xml')
      .send(picture(request.params.file.replace(/\.svg$/, ''))),
  );
  return app;
}

/** A still life for any product: its name decides colours and shape. */
export function picture(title: string): string {
  const hash = Buffer.from(title).reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7);
  const hue = hash % 360;
  const round = 20 + (hash % 90);
  const height = 190 + (hash % 120);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 480" width="480" height="480" role="img" aria-label="${escapeHtml(title)}">
<rect width="480" height="480" fill="hsl(${hue} 32% 90%)"/><rect y="350" width="480" height="130" fill="hsl(${hue} 24% 82%)"/>
<ellipse cx="240" cy="372" rx="140" ry="20" fill="hsl(${hue} 20% 62% / .5)"/>
<rect x="145" y="${372 - height}" width="190" height="${height}" rx="${round}" fill="hsl(${(hue + 24) % 360} 42% 52%)"/>
<rect x="163" y="${392 - height}" width="26" height="${height - 70}" rx="13" fill="#fff" opacity=".28"/></svg>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
