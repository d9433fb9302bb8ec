import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { createTransport } from 'nodemailer';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { genericReceiver } from '../../integrations/generic/receive.ts';
import type { Delivery, Receiver } from '../../integrations/port.ts';
import { shopifyReceiver } from '../../integrations/shopify/receive.ts';
import { type LeadBehaviour, leadNumber } from '../../local/demo-store/lead.ts';
import { MailReader, readMail } from '../../local/demo-store/mail-reader.ts';
import { ShopEvents } from '../../local/demo-store/shop-events.ts';
import { picture } from '../../local/demo-store/shop-site.ts';
import { type Behaviour, type Shopper, shopperNumber } from '../../local/demo-store/shopper.ts';
import { inquire, visit, type VisitDeps } from '../../local/demo-store/visit.ts';
import { type Mailbox, startMailbox } from '../../local/mailbox/mailbox.ts';
import { wooCommerceReceiver } from '../../integrations/woocommerce/receive.ts';
import { aStore } from '../helpers/a-store.ts';
import { posted } from '../helpers/a-delivery.ts';

const secrets = { shopify: 'shpss_1', woocommerce: 'woo_1', generic: `whsec_${Buffer.alloc(24, 1).toString('base64')}` };
let mailbox: Mailbox;
beforeEach(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-demo-'));
  mailbox = await startMailbox({ dir, smtpPort: 0, httpPort: 0, host: '127.0.0.1' });
  onTestFinished(async () => {
    await mailbox.stop();
    rmSync(dir, { recursive: true });
  });
});

/** The far end: reads webhooks with the product's own receivers, writes an email when a cart has an owner, and notes what people do. */
async function aShopServer() {
  const seen: string[] = [];
  const app = Fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const receive = (receiver: Receiver, secret: string) => async (delivery: Delivery) => {
    const read = receiver.receive(delivery, [secret], aStore);
    if (read.kind !== 'events' || read.notes.length > 0) throw new Error(JSON.stringify(read));
    for (const event of read.events) {
      const to = 'person' in event && event.person !== null ? event.person.email : null;
      seen.push(to === null ? `${event.type} (nobody yet)` : event.type);
      if (event.type === 'lead.created' && to !== null) await sendMail(to);
      if (event.type === 'cart.updated' && to !== null && seen.filter((word) => word === 'cart.updated').length === 1) await sendMail(to);
    }
    return {};
  };
  const receivers = {
    shopify: receive(shopifyReceiver, secrets.shopify),
    generic: receive(genericReceiver, secrets.generic),
    woocommerce: receive(wooCommerceReceiver, secrets.woocommerce),
  };
  for (const name of ['shopify', 'generic', 'woocommerce'] as const)
    app.post(`/${name}`, ({ body, headers }) => receivers[name](posted({ raw: body as Buffer, headers, receivedAtMs: Date.now() })));
  app.get('/o/1.gif', ({ headers }) => seen.push(`opened by ${String(headers['user-agent']).split('/')[0]}`) && '');
  app.get('/c/1', () => seen.push('clicked') && '');
  app.post('/u/1', ({ body }) => seen.push(`unsubscribed ${String(body)}`) && '');
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());

  async function sendMail(to: string): Promise<void> {
    const transport = createTransport(mailbox.smtpUrl);
    const html = `<a href="${url}/c/1?x=1&amp;y=2">Back to your cart</a><a href="${url}/u/1">Unsubscribe</a><img alt="" src="${url}/o/1.gif">`;
    await transport.sendMail({ from: 'hello@demo.example.com', to, subject: 'Your cart', html, headers: { 'List-Unsubscribe': `<${url}/u/1>` } });
    transport.close();
  }
  return { url, seen };
}

const live = (behaviour: Behaviour, via: Shopper['via']) => story((deps) => visit({ ...shopperNumber(1, 't'), behaviour, via }, deps));
const liveAsLead = (behaviour: LeadBehaviour) => story((deps) => inquire({ ...leadNumber(1, 't'), behaviour }, deps));

async function story(tell: (deps: VisitDeps) => Promise<void>): Promise<string[]> {
  const { url, seen } = await aShopServer();
  const stopping = new AbortController();
  const { signal } = stopping;
  const mails = new MailReader(mailbox.webUrl);
  const polling = setInterval(() => void mails.poll().catch(() => {}), 50);
  onTestFinished(() => clearInterval(polling));
  const target = (name: keyof typeof secrets) => ({ url: `${url}/${name}`, secret: secrets[name] });
  const targets = { shopify: target('shopify'), generic: target('generic'), woocommerce: target('woocommerce') };
  const shop = new ShopEvents(targets, 'http://shop.example.com', signal);
  await tell({ shop, mails, hourMs: 10, publicUrl: url, apiUrl: url, signal });
  return seen;
}

test.each(['shopify', 'generic', 'woocommerce'] as const)('a shopper opens the mail, clicks, comes back and buys (%s)', async (via) => {
  expect(await live({ kind: 'buys', onMail: 1 }, via)).toEqual([
    ...['cart.updated (nobody yet)', 'cart.updated', 'opened by Mozilla', 'clicked', 'cart.updated', 'order.placed'],
    // WooCommerce says in the same delivery that the order holds.
    ...(via === 'woocommerce' ? ['order.updated (nobody yet)'] : []),
  ]);
});

test('a shopper who replies does so after reading', async () => {
  expect((await live({ kind: 'replies', onMail: 1, text: 'Is it washable?' }, 'shopify')).slice(2)).toEqual([
    'opened by Mozilla',
    'message.received',
  ]);
});

test('a shopper who unsubscribes uses the one click of RFC 8058, and clicks nothing else', async () => {
  expect((await live({ kind: 'unsubscribes', onMail: 1 }, 'generic')).slice(2)).toEqual([
    'opened by Mozilla',
    'unsubscribed List-Unsubscribe=One-Click',
  ]);
});

test('a shopper who buys before any email reads none', async () => {
  expect(await live({ kind: 'buys_before_any_mail' }, 'generic')).toEqual(['cart.updated (nobody yet)', 'cart.updated', 'order.placed']);
});

test.each<[LeadBehaviour, string[]]>([
  [{ kind: 'replies', onMail: 1, text: 'Tuesday?' }, ['opened by Mozilla', 'message.received']],
  [{ kind: 'is_contacted', afterHours: 1, by: 'Wren' }, ['lead.contacted']],
  [{ kind: 'buys', onMail: 1 }, ['opened by Mozilla', 'clicked', 'order.placed']],
  [{ kind: 'ignores' }, []],
])('somebody fills in the form, and then: %j', async (behaviour, then) => {
  const seen = await liveAsLead(behaviour);
  expect([seen[0], ...seen.slice(1).map((word) => word.replace(' (nobody yet)', ''))]).toEqual(['lead.created', ...then]);
});

test('the first leads show the whole range, and nobody has a number that could be real', () => {
  const leads = Array.from({ length: 200 }, (_, number) => leadNumber(number, 'x'));
  expect(new Set(leads.slice(0, 4).map(({ behaviour }) => behaviour.kind)).size).toBe(4);
  expect(new Set(leads.map(({ email }) => email)).size).toBe(200);
  for (const { phone } of leads) expect(phone).toMatch(/^\+120255501\d{2}$/);
});

test('shoppers are the same at every start, but their addresses are new', () => {
  const { email, ...person } = shopperNumber(7, 'a');
  const { email: other, ...same } = shopperNumber(7, 'b');
  expect(same).toEqual(person);
  expect(other).not.toBe(email);
  expect(email).toMatch(/@example\.com$/);
});

test('the first shoppers show the whole range, and every cart adds up', () => {
  const shoppers = Array.from({ length: 300 }, (_, number) => shopperNumber(number, 'x'));
  expect(new Set(shoppers.slice(0, 6).map(({ behaviour }) => behaviour.kind)).size).toBeGreaterThanOrEqual(5);
  expect(new Set(shoppers.slice(0, 6).map(({ via }) => via)).size).toBe(3);
  expect(new Set(shoppers.map(({ email }) => email)).size).toBe(300);
  for (const { items, total, currency } of shoppers) {
    const sum = items.reduce((minor, { price, quantity }) => minor + Math.round(Number(price) * 100) * quantity, 0);
    expect(Math.round(Number(total) * 100)).toBe(sum);
    if (currency === 'JPY') expect(total).toMatch(/^\d+$/);
  }
});

test('links are read as a mail program reads them', async () => {
  const html =
    '<a class="x" href="http://a.example.com/c/1?p=1&amp;q=2">x</a><a href="mailto:x@example.com">m</a><img src="data:x"><img src="http://a.example.com/o.gif">';
  const mail = await readMail(
    `Subject: Hi\r\nContent-Type: text/html\r\nList-Unsubscribe: <mailto:u@example.com>, <https://a.example.com/u/t>\r\n\r\n${html}`,
  );
  expect(mail).toEqual({
    subject: 'Hi',
    links: ['http://a.example.com/c/1?p=1&q=2'],
    pictures: ['http://a.example.com/o.gif'],
    unsubscribe: 'https://a.example.com/u/t',
  });
});

test('a product’s name cannot break out of its picture', () => {
  expect(picture('"><script>')).not.toContain('<script>');
  expect(picture('Mug')).toBe(picture('Mug'));
});
