import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { proofOf } from '../../operations/onsite/proof.ts';
import { post, signGeneric, type WebhookTarget } from '../webhook.ts';
import { catalogue } from './shopper.ts';

/** What the shop needs to report carts and to show pop-ups. */
export interface Window {
  apiUrl: string;
  /** The public key of its pages. */
  key: string;
  target: WebhookTarget;
}

interface OpenCart {
  id: string;
  email: string | null;
  items: Map<string, number>;
}

const currency = 'EUR';
const mostCarts = 500;
/** Twenty-four of the demo's minutes: a visitor who stays on the page looks around. */
const lookAroundMs = 400;

const css = `
:root { color-scheme: light dark; --rekindle-accent: #31583f; }
body { font: 17px/1.55 system-ui, sans-serif; max-width: 56rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; color: #24211c; background: #f5f3ef; }
h1 { margin: 0 0 .25rem; font-size: 2rem; } h2 { margin: 2rem 0 .75rem; font-size: 1.2rem; } p { margin: 0 0 1rem; }
.goods { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1.25rem; padding: 0; list-style: none; }
.goods li { background: #fff; border: 1px solid #e2ddd3; border-radius: 12px; padding: .75rem; } .goods img { width: 100%; height: auto; border-radius: 8px; display: block; }
.goods p { margin: .5rem 0; } button, input { font: inherit; padding: .45rem .8rem; border-radius: 8px; border: 1px solid #b9b2a4; background: #fff; color: inherit; }
button { cursor: pointer; background: #31583f; border-color: #31583f; color: #fff; } .cart { background: #fff; border: 1px solid #e2ddd3; border-radius: 12px; padding: 1rem 1.25rem; }
form { display: inline-flex; gap: .5rem; margin: 0 .75rem .5rem 0; flex-wrap: wrap; } .note { color: #5d584e; font-size: .93rem; }
@media (prefers-color-scheme: dark) { body { background: #171a18; color: #eeece6; } .goods li, .cart { background: #202422; border-color: #343a36; }
  input { background: #171a18; border-color: #4a514c; } .note { color: #b4b1a8; } a { color: #9fd3b4; } }`;

/** The page is looked at for as long as it is in front: each look is a page view. */
const script = `setInterval(() => { if (document.visibilityState === 'visible' && window.rekindle) window.rekindle.view(); }, ${lookAroundMs});`;

/**
 * A counter at which a person can leave a cart by hand, and see the pop-up. Its pages have the strict content security policy that a careful shop has.
 * @param open - null until the rest of the installation is there
 */
export function serveWindow(app: FastifyInstance, liveUrl: string, open: () => Window | null): void {
  const carts = new Map<string, OpenCart>();
  const cartOf = (request: FastifyRequest) => carts.get(/(?:^|;\s*)cart=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '');
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 4_096 }, (_request, body, done) =>
    done(null, new URLSearchParams(body.toString())),
  );
  const field = (request: FastifyRequest, name: string) => (request.body instanceof URLSearchParams ? (request.body.get(name) ?? '') : '');

  async function tell(cart: OpenCart, shopUrl: string): Promise<void> {
    const window = open();
    if (window === null) return;
    const items = [...cart.items].flatMap(([title, quantity]) => {
      const product = catalogue.find((one) => one.title === title);
      const image_url = `${shopUrl}/pictures/${encodeURIComponent(title)}.svg`;
      return product === undefined ? [] : [{ title, quantity, price: product.price.toFixed(2), image_url, product_url: `${shopUrl}/` }];
    });
    const data = {
      cart: { id: cart.id, currency, total: totalOf(cart).toFixed(2), items, restore_url: `${shopUrl}/cart/${cart.id}` },
      ...(cart.email === null ? {} : { contact: { email: cart.email } }),
    };
    await post(signGeneric(window.target, { type: 'cart.updated', data }, Date.now()));
  }

  const back = (reply: FastifyReply) => reply.redirect('/', 303);
  const shopUrlOf = (request: FastifyRequest) => `http://${request.headers.host ?? 'localhost'}`;

  app.get('/', (request, reply) => {
    const window = open();
    const cart = cartOf(request);
    const from = window === null ? '' : ` ${window.apiUrl}`;
    const policy = `default-src 'none'; script-src 'self'${from}; connect-src 'self'${from}; img-src 'self' data:; style-src 'self'; form-action 'self'; base-uri 'none'`;
    return reply
      .header('content-security-policy', policy)
      .type('text/html; charset=utf-8')
      .send(pageOf(cart ?? null, window, liveUrl));
  });
  app.get('/shop.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(css));
  app.get('/shop.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(script));

  app.post('/add', async (request, reply) => {
    const title = field(request, 'title');
    if (!catalogue.some((product) => product.title === title)) return back(reply);
    const cart = cartOf(request) ?? { id: `shop-${randomUUID()}`, email: null, items: new Map<string, number>() };
    cart.items.set(title, (cart.items.get(title) ?? 0) + 1);
    carts.set(cart.id, cart);
    for (const oldest of [...carts.keys()].slice(0, Math.max(0, carts.size - mostCarts))) carts.delete(oldest);
    await tell(cart, shopUrlOf(request));
    return back(reply.header('set-cookie', `cart=${cart.id}; HttpOnly; SameSite=Lax; Path=/`));
  });

  app.post('/email', async (request, reply) => {
    const cart = cartOf(request);
    if (cart !== undefined) {
      cart.email = field(request, 'email') || null;
      await tell(cart, shopUrlOf(request));
    }
    return back(reply);
  });

  app.post('/buy', async (request, reply) => {
    const cart = cartOf(request);
    const window = open();
    if (cart === undefined || window === null) return back(reply);
    const order = { id: `order-${cart.id}`, currency, total: totalOf(cart).toFixed(2) };
    const data = { order, cart_id: cart.id, ...(cart.email === null ? {} : { contact: { email: cart.email } }) };
    await post(signGeneric(window.target, { type: 'order.placed', data }, Date.now()));
    carts.delete(cart.id);
    return back(reply.header('set-cookie', 'cart=; Max-Age=0; Path=/'));
  });
}

const totalOf = ({ items }: OpenCart) =>
  [...items].reduce((sum, [title, quantity]) => sum + (catalogue.find((one) => one.title === title)?.price ?? 0) * quantity, 0);

const euros = (amount: number) => `€${amount.toFixed(2)}`;

function pageOf(cart: OpenCart | null, window: Window | null, liveUrl: string): string {
  const goods = catalogue
    .map(
      ({
        title,
        price,
      }) => `<li><img src="/pictures/${encodeURIComponent(title)}.svg" alt="" width="480" height="480"><p>${escapeHtml(title)}<br>${euros(price)}</p>
<form method="post" action="/add"><input type="hidden" name="title" value="${escapeHtml(title)}"><button>Add to cart</button></form></li>`,
    )
    .join('\n');
  const onSite =
    window === null || cart === null
      ? ''
      : `<script async src="${escapeHtml(window.apiUrl)}/onsite/rekindle.js" data-key="${escapeHtml(window.key)}" data-cart="${escapeHtml(cart.id)}" data-proof="${proofOf(window.target.secret, cart.id)}"></script>
<script async src="/shop.js"></script>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Hearth &amp; Moss, a demo shop</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/shop.css">${onSite}</head><body>
<header><h1>Hearth &amp; Moss</h1><p class="note">A demo shop, where an hour passes in a second. Put something in the cart and look around: soon a pop-up reminds you of it.
Leave an email address too, and go to another tab: the emails come. All of it is on the <a href="${escapeHtml(liveUrl)}">live page</a>.</p></header>
<main>${cart === null ? '' : cartOfPage(cart)}<h2>Things for the house</h2><ul class="goods">${goods}</ul></main></body></html>`;
}

function cartOfPage(cart: OpenCart): string {
  const lines = [...cart.items].map(([title, quantity]) => `<li>${quantity} × ${escapeHtml(title)}</li>`).join('');
  return `<section class="cart" aria-labelledby="cart"><h2 id="cart">Your cart, ${euros(totalOf(cart))}</h2><ul>${lines}</ul>
<form method="post" action="/email"><input type="email" name="email" aria-label="Your email address" placeholder="you@example.com" value="${escapeHtml(cart.email ?? '')}"><button>Leave an address</button></form>
<form method="post" action="/buy"><button>Buy it</button></form></section>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
