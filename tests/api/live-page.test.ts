import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { cameBack } from '../../api/routes/live/came-back.ts';
import { chipsOf } from '../../api/routes/live/chips.ts';
import { cart } from '../../domain/subjects/cart/index.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import type { Happening } from '../../operations/read/live-stories.ts';
import { storeLateness } from '../../operations/lateness.ts';
import { asOwner } from '../helpers/database.ts';
import { letTimePass, openShop, type Shop, temporalClientOf, until } from '../helpers/shop.ts';
import { anotherStore, leaveCart, sendFirstMail } from './left-carts.ts';

const browser = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' };
let shop: Shop;
let app: Awaited<ReturnType<typeof buildApp>>;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
  await anotherStore(shop, 'own-store');
  const links = { temporalUi: 'http://localhost:8233', mailbox: 'http://localhost:8025' };
  const silent = pino({ level: 'silent' });
  app = await buildApp({
    deps: shop.deps,
    logger: silent,
    client: temporalClientOf(shop),
    registry: createPrometheus().registry,
    links,
    livePage: true,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await app.close();
  await shop.close();
});

type Update = { kind: string; id?: string; list?: string; html: string };
const listening: AbortController[] = [];
afterEach(() => {
  for (const page of listening.splice(0)) page.abort();
});

/** Listen to the stream as the page does. */
async function listen(): Promise<{ updates: Update[]; ended: Promise<void>; stop(): void }> {
  const page = new AbortController();
  listening.push(page);
  const { port } = app.server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/live`, { signal: page.signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const updates: Update[] = [];
  const read = async () => {
    let text = '';
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes as Uint8Array).toString();
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
        if (data !== undefined) updates.push(JSON.parse(data) as Update);
        text = text.slice(end + 2);
      }
    }
  };
  return { updates, ended: read().catch(() => undefined), stop: () => page.abort() };
}
const words = (html: string) =>
  html
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

test('the page shows every store of this machine, the synthetic one as such, and names nobody', async () => {
  const id = await leaveCart(shop, 'cart-page', 'page@example.com');
  const response = await app.inject('/');
  const text = words(response.body);
  expect(response.statusCode).toBe(200);
  expect(text).toMatch(/Test Store\s+synthetic demo/);
  expect(text).toMatch(/Another Store\s+your store/);
  expect(text).toContain(`shopper ${id.slice(-4)}`);
  expect(text).toContain('€129.90');
  expect(text).toMatch(/Filling a cart\s+Abandoned\s+Email 1/);
  expect(response.body).not.toMatch(/page@example\.com|Ada/);
  expect(response.body).toContain(
    `http://localhost:8233/namespaces/default/workflows/${encodeURIComponent(`recovery/${shop.tenant.slug}/cart/${id}`)}`,
  );
  for (const place of ['http://localhost:8025', 'http://localhost:8233', '/openapi.json', '/healthz', '/metrics'])
    expect(response.body).toContain(`href="${place}"`);
});

test('what happens arrives at a page that listens, station by station', async () => {
  const page = await listen();
  await until('everything', () => page.updates[0]?.kind === 'everything');
  const id = await leaveCart(shop, 'cart-live', 'live@example.com');
  const mail = await sendFirstMail(shop, id);
  const story = (...stations: string[]) => {
    const wanted = new RegExp(stations.join('\\s+'));
    return until(stations.join(' → '), () => page.updates.find((u) => u.id === `s-${id}` && wanted.test(words(u.html))));
  };
  await story('Filling a cart', 'Abandoned', 'Email 1', 'Email 2');
  // Right after the send it would be a scanner's.
  await letTimePass(shop, 60_000);
  await app.inject({ url: `/o/${mail.open}`, headers: browser });
  await story('Email 1', 'Opened');
  await shop.post('order.placed', { order: { id: 'order-live', currency: 'EUR', total: '129.90' }, cart_id: 'cart-live' });
  await story('Abandoned', 'Email 1', 'Opened', 'Bought €129.90', 'Stopped');
  const figures = await until('figures', () => page.updates.findLast((u) => u.kind === 'part' && u.id?.startsWith('f-')));
  expect(words(figures.html)).toContain('€129.90');
  expect(JSON.stringify(page.updates)).not.toContain('live@example.com');
});

test('revenue is shown in the currency of most orders, with the others below it', () => {
  const sum = (currency: string, netMinor: number, orders: number) => ({
    currency,
    netMinor,
    grossMinor: netMinor,
    refundedMinor: 0,
    orders,
    cancelledOrders: 0,
  });
  const euros = { ...sum('EUR', 14_840, 1), grossMinor: 15_840, refundedMinor: 1_000 };
  expect(cameBack({ revenue: [euros, sum('GBP', 35_730, 3), sum('JPY', 64_112, 2)], ordersOfUnknownValue: 1 })).toEqual({
    value: '£357.30',
    note: 'and ¥64,112, €148.40; of €158.40 ordered, €10.00 refunded; 1 order of unknown value',
  });
  expect(cameBack({ revenue: [], ordersOfUnknownValue: 0 })).toEqual({ value: '–', note: 'orders credited to a sequence' });
});

test('a machine that runs late says so on the page, as long as it does', async () => {
  const page = await listen();
  await until('everything', () => page.updates[0]?.kind === 'everything');
  expect(words(page.updates[0]?.html ?? '')).not.toContain('running late');
  shop.deps.lateness.note(shop.tenant.tenantId, 150_000);
  await storeLateness(shop.deps);
  const notice = await until('the notice', () => page.updates.find((u) => u.id === 'lateness'));
  expect(words(notice.html)).toContain('One step of the last minute went out after the time, by up to 3 min');
  expect(words((await app.inject('/')).body)).toContain('running late');
  await asOwner(shop.database.url, `update lateness set at = at - interval '2 minutes'`);
  await until('its end', () => page.updates.find((u) => u.id === 'lateness' && u.html === ''));
  page.stop();
});

test('the database is polled only while a page is open', async () => {
  const { listTenants } = shop.deps.db;
  let asked = 0;
  shop.deps.db.listTenants = () => {
    asked += 1;
    return listTenants();
  };
  const page = await listen();
  const other = await listen();
  // One poller serves both.
  await until('three looks', () => asked >= 5);
  page.stop();
  other.stop();
  await Promise.all([page.ended, other.ended]);
  // Nothing for longer than the time between two polls.
  let last = { asked, atMs: Date.now() };
  await until('quiet', () => {
    if (last.asked !== asked) last = { asked, atMs: Date.now() };
    return Date.now() - last.atMs > 2_500;
  });
  shop.deps.db.listTenants = listTenants;
});

test('the page carries its script and style under a nonce of its own, and no handlers in its markup', async () => {
  const [one, two] = [await app.inject('/'), await app.inject('/')];
  const policy = String(one.headers['content-security-policy']);
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
  expect(policy).not.toContain('unsafe-inline');
  expect([...one.body.matchAll(/<(?:script|style) nonce="([^"]+)"/g)].map(([, n]) => n)).toEqual([nonce, nonce]);
  expect(one.body.match(/<script|<style/g)).toHaveLength(2);
  expect(one.body).not.toMatch(/<[^>]+\s(on\w+|style)=/i);
  expect(two.body).not.toContain(nonce);
});

test('a step is shown as a page, its email in frames that run nothing', async () => {
  const page = await app.inject('/preview/cart/email_24h?locale=de');
  expect(page.statusCode).toBe(200);
  expect(page.headers['content-security-policy']).toMatch(/default-src 'none'.*frame-src 'self'.*frame-ancestors 'none'/);
  expect(page.body).toContain('Was andere über Merino Crew Sweater sagen');
  expect(page.body).toMatch(/<td>stock<\/td><td>yes<\/td>/);
  const frames = [...page.body.matchAll(/<iframe title="[^"]+" sandbox="" src="([^"]+)"/g)].map(([, src = '']) => src.replaceAll('&amp;', '&'));
  expect(frames).toHaveLength(2);
  const [light, dark] = await Promise.all(frames.map((url) => app.inject(url)));
  for (const framed of [light, dark]) {
    expect(framed?.headers['content-security-policy']).toMatch(/^sandbox; default-src 'none'/);
    expect(framed?.body).not.toContain('prefers-color-scheme: dark');
  }
  expect(light?.body).toContain('@media not all');
  expect(dark?.body).toContain('@media all');
  expect((await app.inject('/preview/cart/nothing')).body).toContain('There is no such step');
  expect((await shop.app.inject('/preview/cart/email_24h')).statusCode).toBe(404);
});

test('closing the server ends the pages that listen, and does not wait for connections on which nothing was asked', async () => {
  const links = { temporalUi: null, mailbox: null };
  const second = await buildApp({
    deps: shop.deps,
    logger: pino({ level: 'silent' }),
    client: temporalClientOf(shop),
    registry: createPrometheus().registry,
    links,
    livePage: true,
  });
  await second.listen({ host: '127.0.0.1', port: 0 });
  const { port } = second.server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/live`);
  const body = response.text();
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  const ended = once(silent, 'close');
  await second.close();
  await ended;
  await expect(body).resolves.toContain('retry:');
});

test('an installation that others can reach shows links and no data', async () => {
  const { body, statusCode } = await shop.app.inject('/');
  expect(statusCode).toBe(200);
  expect(body).toContain('href="/openapi.json"');
  expect(body).not.toMatch(/shopper [0-9a-f]{4}|Test Store|<script/);
  expect((await shop.app.inject('/live')).statusCode).toBe(404);
});

describe('a story line', () => {
  const line = (...types: (string | Partial<Happening>)[]) =>
    chipsOf({
      words: cart.words,
      happenings: types.map((t, n) => ({
        atMs: n,
        type: '',
        stepId: null,
        channel: null,
        reason: null,
        amount: null,
        sentence: '',
        ...(typeof t === 'string' ? { type: t } : t),
      })),
    }).map((chip) => `${chip.label}${chip.times > 1 ? ` ×${chip.times}` : ''}`);
  const stopped = (reason: string) => ({ type: 'stopped', reason });

  test.each([
    [
      'bought',
      ['abandoned', 'message.sent', { type: 'recovered', amount: '€1.00' }, stopped('purchased')],
      ['Abandoned', 'Email 1', 'Bought €1.00', 'Stopped'],
    ],
    ['unsubscribed', ['abandoned', 'message.sent', stopped('opted_out')], ['Abandoned', 'Email 1', 'Opted out', 'Stopped']],
    ['bought in time', ['enrolled', stopped('not_abandoned')], ['Filling a cart', 'Bought without an email', 'Stopped']],
    ['stopped by hand', ['abandoned', stopped('manual')], ['Abandoned', 'Stopped by hand']],
    ['busy before it was left', ['enrolled', 'cart.updated', 'cart.updated', 'abandoned'], ['Filling a cart', 'Abandoned']],
    ['back in the shop', ['abandoned', 'cart.updated', 'cart.updated', 'message.sent'], ['Abandoned', 'Active again ×2', 'Email 1']],
    [
      'with an outage',
      ['abandoned', 'provider.unreachable', 'provider.unreachable', 'message.sent', 'message.sent'],
      ['Abandoned', 'Provider unreachable ×2', 'Email 1', 'Email 2'],
    ],
    ['a pop-up that is not connected', ['abandoned', { type: 'step.skipped', reason: 'not_connected', stepId: 'popup_1h' }], ['Abandoned']],
    ['a step that came too late', ['abandoned', { type: 'step.skipped', reason: 'too_old', stepId: 'email_2h' }], ['Abandoned', 'Email 2h not sent']],
  ] as const)('%s', (_what, happenings, stations) => {
    expect(line(...happenings)).toEqual(stations);
  });
});
