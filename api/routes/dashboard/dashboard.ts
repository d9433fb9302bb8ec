import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { html } from '../../html.ts';
import { sendPage } from '../../plugins/html-page.ts';
import { problem } from '../../plugins/errors.ts';
import { smallPage } from '../../small-page.ts';

/** Where the dashboard is: its addresses begin with this. */
export const dashboardPath = '/app';

/** One file of the dashboard, as it is and compressed. */
interface Asset {
  type: string;
  plain: Buffer;
  br: Buffer | null;
  gzip: Buffer | null;
}

interface Built {
  /** `index.html`. */
  page: Buffer;
  /** By their path below `/app/`. */
  assets: ReadonlyMap<string, Asset>;
}

const types: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

// Beside the code, in a checkout and in dist/.
const builtInto = join(import.meta.dirname, '../../../web/dist');

/**
 * The dashboard: one page for all addresses below `/app`, which asks the API for everything as whoever is signed in, and its files.
 * They are read once, so a build that follows is served after the next start.
 */
export const dashboardRoutes: FastifyPluginAsyncZod<{ dir?: string }> = async (app, { dir = builtInto }) => {
  const built = readBuilt(dir);
  // Not part of the API.
  const schema = { hide: true };
  const page = (_request: FastifyRequest, reply: FastifyReply) => (built === null ? sendNotBuilt(reply) : sendDashboard(reply, built.page));
  app.get(dashboardPath, { schema }, page);
  app.get(`${dashboardPath}/assets/email-frame.html`, { schema }, (_request, reply) => sendEmailFrame(reply));
  app.get<{ Params: { '*': string } }>(`${dashboardPath}/*`, { schema }, (request, reply) => {
    const path = request.params['*'];
    const asset = built?.assets.get(path);
    if (asset !== undefined) return sendAsset(request, reply, path, asset);
    // A file of an earlier build is gone. The page, sent in its place, would be run as a script.
    if (path.startsWith('assets/'))
      return problem(reply, 404, 'not_found', 'This file belongs to another version of the dashboard: load the page again.');
    return page(request, reply);
  });
};

function readBuilt(dir: string): Built | null {
  const current = join(dir, 'current');
  if (!existsSync(current)) return null;
  const folder = join(dir, readFileSync(current, 'utf8').trim());
  const optional = (path: string) => (existsSync(path) ? readFileSync(path) : null);
  const assets = new Map<string, Asset>();
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = types[extname(file)];
    const path = join(folder, file);
    if (type !== undefined)
      assets.set(file.replaceAll('\\', '/'), { type, plain: readFileSync(path), br: optional(`${path}.br`), gzip: optional(`${path}.gz`) });
  }
  return { page: readFileSync(join(folder, 'index.html')), assets };
}

/** Nothing inline runs, no style is inline, and nothing is loaded from elsewhere. What the page sets on elements while it runs is no inline style. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const sendDashboard = (reply: FastifyReply, page: Buffer): FastifyReply =>
  reply
    .headers({
      'content-security-policy': policy,
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
      'x-robots-tag': 'noindex',
      // It names the files of this build.
      'cache-control': 'no-cache',
    })
    .type('text/html; charset=utf-8')
    .send(page);

/**
 * The empty page in which the dashboard shows an email as it looks. It stands in a frame of nobody's origin, takes its content as a message, and lets in
 * what emails are made of: inline styles, and images from anywhere. Of scripts it runs its own alone, and no link leads out.
 */
const emailFrame =
  "const tell=()=>parent.postMessage({height:document.body.scrollHeight},'*');addEventListener('message',({data})=>{if(typeof data?.html!=='string')return;const page=new DOMParser().parseFromString(data.html,'text/html');document.head.replaceChildren(...page.head.childNodes);document.body.replaceWith(page.body);tell()});addEventListener('click',(event)=>event.preventDefault(),true);addEventListener('resize',tell);addEventListener('load',tell,true);parent.postMessage({ready:true},'*')";
const framePolicy = `default-src 'none'; script-src 'sha256-${createHash('sha256').update(emailFrame).digest('base64')}'; style-src 'unsafe-inline'; img-src https: http: data:; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-scripts`;

const sendEmailFrame = (reply: FastifyReply): FastifyReply =>
  reply
    .headers({
      'content-security-policy': framePolicy,
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'SAMEORIGIN',
      'x-robots-tag': 'noindex',
      'cache-control': 'no-cache',
    })
    .type('text/html; charset=utf-8')
    .send(`<!doctype html><html lang="en"><head><title>Email</title></head><body><script>${emailFrame}</script></body></html>`);

function sendAsset({ headers }: FastifyRequest, reply: FastifyReply, path: string, { type, plain, br, gzip }: Asset): FastifyReply {
  const accepted = headers['accept-encoding'] ?? '';
  const [encoding, content] =
    br !== null && /\bbr\b/.test(accepted) ? ['br', br] : gzip !== null && /\bgzip\b/.test(accepted) ? ['gzip', gzip] : [null, plain];
  if (encoding !== null) void reply.header('content-encoding', encoding);
  return reply
    .headers({
      // The name of a file in assets/ has the hash of its content.
      'cache-control': path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'public, max-age=3600',
      vary: 'accept-encoding',
    })
    .type(type)
    .send(content);
}

const sendNotBuilt = (reply: FastifyReply) =>
  sendPage(reply, 503, (nonce) =>
    smallPage({
      ...{ nonce, title: 'The dashboard is not built', name: 'Rekindle' },
      body: html`<p>Run <code>npm run build:dashboard</code> and start the API again. <code>npm start</code> and <code>npm run build</code> do it by themselves.</p>`,
    }),
  );
