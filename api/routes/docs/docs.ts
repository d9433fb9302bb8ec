import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { problem, problems } from '../../plugins/errors.ts';
import { html } from '../../html.ts';
import { pageAnswer } from '../../plugins/html-page.ts';

/** The page's own policy: its script, style and requests come from this server, and nothing else runs or loads. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rekindle: API reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/start.js" defer></script>
</head>
<body>
<div id="reference"></div>
<noscript>The reference needs JavaScript. Its source is <a href="/openapi.json">/openapi.json</a>.</noscript>
</body>
</html>`;

const start = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  docExpansion: 'none',
  filter: true,
  // Types are shown with the operations that use them.
  defaultModelsExpandDepth: -1,
});
`;

const script = 'text/javascript; charset=utf-8';
const files = {
  'swagger-ui.css': { type: 'text/css; charset=utf-8', read: () => ofPackage(import.meta.resolve('swagger-ui-dist/swagger-ui.css')) },
  'swagger-ui-bundle.js': { type: script, read: () => ofPackage(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js')) },
  'start.js': { type: script, read: () => Promise.resolve(Buffer.from(start)) },
} as const;
type FileName = keyof typeof files;
const fileNames: readonly FileName[] = ['swagger-ui.css', 'swagger-ui-bundle.js', 'start.js'];

const ofPackage = (url: string) => readFile(fileURLToPath(url));

/** Sent as bytes. */
const text = z.unknown().meta({ type: 'string' });

interface Kept {
  plain: Buffer;
  zipped: Buffer;
  tag: string;
}

/** Read and compressed at the first request, and kept. */
async function keep(read: () => Promise<Buffer>): Promise<Kept> {
  const plain = await read();
  const zipped = await promisify(gzip)(plain);
  return { plain, zipped, tag: `"${createHash('sha256').update(plain).digest('base64url')}"` };
}

/** The reference of the API: a page over `/openapi.json`. Source: docs/adr/0080-the-reference-is-swagger-ui.md */
export const docsRoutes: FastifyPluginAsyncZod = async (app) => {
  app.get(
    '/docs',
    { schema: { tags: ['health'], summary: 'The reference of this API, to browse', response: { 200: pageAnswer('A page.') } } },
    async (_request, reply) =>
      reply
        .headers({ 'content-security-policy': policy, 'cross-origin-opener-policy': 'same-origin', 'x-frame-options': 'DENY' })
        .type('text/html; charset=utf-8')
        .send(page.text),
  );

  const kept = new Map<FileName, Promise<Kept>>();
  app.get(
    '/docs/:file',
    {
      schema: {
        tags: ['health'],
        summary: 'A file of the page of the reference',
        params: z.object({ file: z.string().meta({ enum: Object.keys(files) }) }),
        response: {
          200: { description: 'A script or a style.', content: { 'text/javascript': { schema: text }, 'text/css': { schema: text } } },
          304: z.null().meta({ description: 'As it was.' }),
          ...problems(404),
        },
      },
    },
    async (request, reply) => {
      const name = fileNames.find((known) => known === request.params.file);
      if (name === undefined) return problem(reply, 404, 'not_found', 'The reference has no such file: /docs is its page.');
      const known = kept.get(name) ?? keep(files[name].read);
      kept.set(name, known);
      const { plain, zipped, tag } = await known;
      reply.headers({ etag: tag, 'cache-control': 'public, max-age=3600', vary: 'accept-encoding' });
      if (request.headers['if-none-match'] === tag) return reply.code(304).send(null);
      const takesGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
      return reply
        .type(files[name].type)
        .headers(takesGzip ? { 'content-encoding': 'gzip' } : {})
        .send(takesGzip ? zipped : plain);
    },
  );
};
