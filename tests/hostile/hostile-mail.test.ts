import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nodemailer from 'nodemailer';
import { pino } from 'pino';
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../api/app.ts';
import { createPrometheus } from '../../config/telemetry.ts';
import { parseSmtpUrl } from '../../integrations/smtp/connection.ts';
import { createSmtpSender } from '../../integrations/smtp/send.ts';
import { startMailbox } from '../../local/mailbox/mailbox.ts';
import { dispatch } from '../api/left-carts.ts';
import { letTimePass, openShop, type Shop, temporalClientOf } from '../helpers/shop.ts';
import { aMail } from '../integrations/a-mail.ts';
import { deadlineIn } from '../integrations/sender-conformance.ts';
import { deliver } from './hostile-shop.ts';

const browser = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36' };
const markup = `<script>alert(1)</script><img src=x onerror=alert(1)>"'><a href="javascript:alert(1)">`;
const liquid = '{{ 12345 | times: 54321 }}{% assign x = 1 %}{{ store.name }}';
const evil = {
  'line breaks': 'Tea\r\nBcc: eve@example.com\r\n\r\nNew body',
  'a bare carriage return': 'Tea\rBcc: eve@example.com',
  'unusual line breaks': 'Tea\u2028Bcc: eve@example.com\u2029\u0085\u000b\u000cBcc: eve@example.com',
  'an encoded word': '=?utf-8?B?VGVhDQpCY2M6IGV2ZUBleGFtcGxlLmNvbQ==?=',
  'an encoded word of another kind': '=?utf-8?Q?Tea=0D=0ABcc:_eve@example.com?=',
  addresses: 'Ada <eve@example.com>, bob@example.com;',
  'the end of a mail': 'Tea\r\n.\r\nMAIL FROM:<eve@example.com>',
  'a boundary': '--_boundary\r\nContent-Type: text/html\r\n\r\n<b>x</b>',
  markup,
  liquid,
  'text that runs backwards': 'Tea \u202egro.elpmaxe@eve',
  'a comment': '*/ --> ]]> <!-- <?php',
};
const headersOfAMail = ['Content-Type', 'Date', 'From', 'List-Unsubscribe', 'List-Unsubscribe-Post', 'MIME-Version', 'Message-ID', 'Subject', 'To'];

let shop: Shop;
let ordinary: Awaited<ReturnType<typeof mailAbout>>['mail'];
beforeAll(async () => {
  // The store's own texts are no safer: an agency's client writes them.
  shop = await openShop({ timeScale: 1, settings: { storeName: `Tea ${markup}`, senderName: 'Tea\r\nBcc: eve@example.com', shippingNote: markup } });
  ordinary = (await mailAbout('Tea')).mail;
});
afterAll(() => shop.close());

let count = 0;
/** A checkout whose every text is the shopper's or an attacker's, left until its first email is out. Shopify's texts are cleaned, not refused. */
async function mailAbout(text: string, link = 'https://shop.example.com/restore') {
  const [token, email] = [`hostile-${++count}`, `person-${count}@example.com`];
  const body = JSON.stringify({
    token,
    email,
    currency: 'EUR',
    total_price: '10.00',
    customer: { first_name: text, last_name: text },
    line_items: [{ title: text, variant_title: text, quantity: 1, price: '10.00', image_url: link, product_url: link }],
    abandoned_checkout_url: link,
    updated_at: new Date().toISOString(),
  });
  expect((await deliver(shop, 'shopify', { body })).body).toEqual({ status: 'applied' });
  const enrollmentId = (await shop.enrollmentOf(token))?.id ?? '';
  for (const step of ['popup_1h', 'email_2h']) {
    await letTimePass(shop, 3_601_000);
    await dispatch(shop, enrollmentId, step);
  }
  const sent = await shop.smtp.waitForMail((mail) => mail.envelope.to.includes(email));
  const raw = sent.raw.toString('latin1');
  const headers = (raw.split('\r\n\r\n')[0] ?? '').replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  return { enrollmentId, email, envelope: sent.envelope, raw, headers, mail: await PostalMime.parse(sent.raw) };
}

/** Where the elements of a page lead and load from. Text that only looks like an element has no `<` of its own there. */
function addressesIn(html = ''): string[] {
  return [...html.matchAll(/<[a-z]+\b[^>]*?\s(?:href|src)="([^"]*)"/gi)].map(([, address]) => address ?? '');
}

describe('on the wire', () => {
  test.each(Object.entries(evil))('%s in names, titles and variants write no header, reach nobody else, and stay text', async (_what, text) => {
    const { email, envelope, raw, headers, mail } = await mailAbout(text);
    expect(headers.map((line) => line.split(':')[0] ?? '').toSorted()).toEqual(headersOfAMail);
    expect(envelope).toEqual({ from: 'hello@shop.example.com', to: [email] });
    expect(mail.to).toEqual([{ address: email, name: expect.any(String) as unknown }]);
    expect(mail.from?.address).toBe('hello@shop.example.com');
    expect([mail.cc, mail.bcc, mail.replyTo]).toEqual([undefined, undefined, undefined]);
    expect(raw).toMatch(/^[\x20-\x7e\r\n]*$/);
    expect(raw.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    // Two parts, as always, and nothing attached.
    expect(raw.replaceAll('=\r\n', '').match(/^Content-Type: text\/(plain|html)/gm)).toHaveLength(2);
    expect(mail.attachments).toEqual([]);

    // And what it says is text: no markup, no code, no template.
    const html = mail.html ?? '';
    expect(html).not.toMatch(/<script|<img src="?x|<\?php/i);
    expect(html.match(/<!--/g)?.length).toBe(ordinary.html?.match(/<!--/g)?.length);
    // A title may stand in an attribute; what is in quotes there is text.
    expect(
      html
        .replace(/(<[a-z]+ )([^<>]*)/gi, (_tag, name: string, rest: string) => name + rest.replace(/"[^"]*"/g, '""'))
        .match(/<[a-z]+ [^>]*\bon\w+=/gi),
    ).toBeNull();
    for (const address of addressesIn(html)) expect(address).toMatch(/^https?:\/\//);
    expect(`${html}${mail.text}${mail.subject}`).not.toContain('670592745');
    if (text === liquid) for (const part of [html, mail.text ?? '']) expect(part).toContain('{{ 12345 | times: 54321 }}');
    if (text === markup) expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).not.toContain('\u202e');
  });
});

describe('a link of the cart', () => {
  const click = async (raw: string) => {
    const token = /\/c\/([\w-]{64})/.exec(raw.replaceAll('=\r\n', ''))?.[1] ?? '';
    return shop.app.inject({ url: `/c/${token}`, headers: browser });
  };

  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,<script>1</script>',
    'vbscript:x',
    'file:///etc/passwd',
    ' java\nscript:alert(1)',
  ])('%j is none: neither mail nor redirect leads there, but to the store', async (link) => {
    const { raw, mail } = await mailAbout('Tea', link);
    expect(addressesIn(mail.html).filter((address) => !/^http:\/\/rekindle\.example\.com\/|^https:\/\/shop\.example\.com\//.test(address))).toEqual(
      [],
    );
    expect(`${mail.html}${mail.text}`).not.toMatch(/evil\.example\.com|vbscript|etc\/passwd/);
    // Without a way back to the cart there is nothing to click through: the button leads to the store itself.
    expect(raw.replaceAll('=\r\n', '')).not.toContain('/c/');
    expect(addressesIn(mail.html)).toContain('https://shop.example.com/');
  });

  test.each([
    ['https://shop.example.com/größe/🫖?x=ü', 'https://shop.example.com/gr%C3%B6%C3%9Fe/%F0%9F%AB%96?x=%C3%BC'],
    ['https://bücher.example.com/"><script>', 'https://xn--bcher-kva.example.com/%22%3E%3Cscript%3E'],
    ['https://shop.example.com/a b', 'https://shop.example.com/a%20b'],
    ['https://shop.example.com/%0d%0aSet-Cookie:%20a=b', 'https://shop.example.com/%0d%0aSet-Cookie:%20a=b'],
  ])('%j leads there, written in ASCII', async (link, location) => {
    const response = await click((await mailAbout('Tea', link)).raw);
    expect([response.statusCode, response.headers.location]).toEqual([302, location]);
    expect(response.headers['set-cookie']).toBeUndefined();
  });
});

test('pages and explanations show it as text, or not at all', async () => {
  const live = await buildApp({
    deps: shop.deps,
    logger: pino({ level: 'silent' }),
    client: temporalClientOf(shop),
    registry: createPrometheus().registry,
    links: { temporalUi: 'http://localhost:8233', mailbox: null },
    livePage: true,
  });
  await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) => tx.execute(`update tenants set name = '<script>alert(1)</script>{{ 7 }}'`));
  const { enrollmentId, raw } = await mailAbout(markup);
  const key = { authorization: `Bearer ${shop.tenant.apiKey}` };
  const reason = encodeURIComponent(`by hand ${markup} ${liquid}`);
  expect((await live.inject({ method: 'POST', url: `/recovery/sequences/${enrollmentId}/stop?reason=${reason}`, headers: key })).statusCode).toBe(
    200,
  );

  const page = (await live.inject('/')).body;
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 }}');
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).not.toMatch(/<[^>]+\son\w+=|href="javascript/i);

  const token = /\/u\/([\w-]{64})/.exec(raw.replaceAll('=\r\n', ''))?.[1] ?? '';
  const unsubscribe = (await live.inject(`/u/${token}`)).body;
  expect(unsubscribe).toContain('Tea &lt;script&gt;');
  expect(unsubscribe).not.toMatch(/<script|<img/);

  // JSON as JSON: a browser that is led there shows no page.
  for (const url of [`/api/enrollments/${enrollmentId}/explain`, '/recovery/sequences']) {
    const answer = await live.inject({ url, headers: key });
    expect(answer.headers['content-type']).toContain('application/json');
  }
  const explained = (await live.inject({ url: `/api/enrollments/${enrollmentId}/explain`, headers: key })).json<{
    entries: { sentence: string }[];
  }>();
  for (const { sentence } of explained.entries) expect(sentence).not.toMatch(/<script|onerror|\{\{/);
  await live.close();
});

test('the mailbox shows an email without running it, and reads any header', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rekindle-hostile-'));
  const mailbox = await startMailbox({ dir, smtpPort: 0, httpPort: 0, host: '127.0.0.1' });
  const session = await createSmtpSender(parseSmtpUrl(mailbox.smtpUrl)).open();
  const mail = aMail({ subject: markup, from: { name: markup, address: 'hello@shop.example.com' }, html: `<p>${markup}</p>`, text: markup });
  expect(await session.send(mail, 'enrollment:step', deadlineIn(5_000))).toMatchObject({ kind: 'accepted' });
  session.close();

  const page = await (await fetch(mailbox.webUrl)).text();
  expect(page).not.toContain('alert(1)');
  expect(page).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|srcdoc/);
  const list = (await (await fetch(`${mailbox.webUrl}/api/v1/messages`)).json()) as { messages: { ID: string; Subject: string }[] };
  expect(list.messages[0]?.Subject).toBe(markup);
  const view = await fetch(`${mailbox.webUrl}/view/${list.messages[0]?.ID}.html`);
  expect(view.headers.get('content-security-policy')).toMatch(/script-src 'none'.*sandbox allow-popups(?! allow-scripts)/);
  for (const id of ['..%2f..%2fetc%2fpasswd', '__proto__', 'constructor', '%00'])
    for (const path of [`/api/v1/message/${id}`, `/api/v1/message/${id}/raw`, `/view/${id}.html`]) {
      const response = await fetch(mailbox.webUrl + path);
      expect(response.status, path).toBe(404);
    }

  const raw = '__proto__: a\r\nconstructor: b\r\nX: 1\r\nX: 2\r\nSubject: odd headers\r\n\r\nbody';
  await nodemailer.createTransport(mailbox.smtpUrl).sendMail({ envelope: { from: 'a@example.com', to: ['b@example.com'] }, raw });
  const newest = (await (await fetch(`${mailbox.webUrl}/api/v1/messages`)).json()) as typeof list;
  const headers = await fetch(`${mailbox.webUrl}/api/v1/message/${newest.messages[0]?.ID}/headers`);
  expect(JSON.parse((await headers.text()).replace('"__proto__"', '"proto"'))).toMatchObject({ proto: ['a'], constructor: ['b'], X: ['1', '2'] });
  await mailbox.stop();
  rmSync(dir, { recursive: true, force: true });
});
