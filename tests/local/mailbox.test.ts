import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { MailStore } from '../../local/mailbox/mail-store.ts';
import { type Mailbox, startMailbox } from '../../local/mailbox/mailbox.ts';

let dir: string;
let mailbox: Mailbox;

const start = () => startMailbox({ dir, smtpPort: 0, httpPort: 0, host: '127.0.0.1' });

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rekindle-mailbox-'));
  mailbox = await start();
});

afterEach(async () => {
  await mailbox.stop();
  rmSync(dir, { recursive: true });
});

async function send(mail: Record<string, unknown>): Promise<void> {
  const transport = createTransport(mailbox.smtpUrl);
  await transport.sendMail({
    from: 'Foundling Shop <hello@shop.example.com>',
    to: 'Mara Sand <mara.sand@example.com>',
    subject: 'Your cart',
    ...mail,
  });
  transport.close();
}

async function get(path: string): Promise<Response> {
  const response = await fetch(`${mailbox.webUrl}${path}`);
  expect(response.status).toBe(200);
  return response;
}

const named = z.array(z.object({ Name: z.string(), Address: z.string() }));
const listShape = z.object({
  ...{ total: z.number(), unread: z.number(), count: z.number(), start: z.number() },
  messages: z.array(
    z.object({
      ...{ ID: z.string(), Subject: z.string(), Snippet: z.string(), Read: z.boolean(), Created: z.iso.datetime() },
      ...{ From: named.element, To: named, Cc: named, Bcc: named },
    }),
  ),
});

async function list(query = '') {
  return listShape.parse(await (await get(`/api/v1/messages${query}`)).json());
}

async function newestId(): Promise<string> {
  return (await list()).messages[0]?.ID ?? 'none';
}

test('an email that was accepted over SMTP is listed in the shape of Mailpit, newest first', async () => {
  await send({ subject: 'First 🧡', text: 'Still there', html: '<p>Still <b>there</b></p>' });
  await send({ subject: 'Second', to: 'Jo Finch <jo@example.com>', cc: 'sam@example.com', text: 'x' });
  const answer = await list();
  expect(answer).toMatchObject({ total: 2, unread: 2, count: 2, start: 0 });
  expect(answer.messages).toMatchObject([
    { Subject: 'Second', To: [{ Name: 'Jo Finch', Address: 'jo@example.com' }], Cc: [{ Address: 'sam@example.com' }], Bcc: [] },
    { Subject: 'First 🧡', From: { Name: 'Foundling Shop', Address: 'hello@shop.example.com' }, Snippet: 'Still there', Read: false },
  ]);
  expect(Date.parse(answer.messages[0]?.Created ?? '')).toBeGreaterThan(Date.now() - 60_000);
});

test('start and limit page through the list', async () => {
  for (const subject of ['one', 'two', 'three']) await send({ subject, text: subject });
  const page = await list('?start=1&limit=1');
  expect(page).toMatchObject({ total: 3, count: 1, start: 1, messages: [{ Subject: 'two' }] });
});

test('reading an email gives its parts, headers and source, and marks it as read', async () => {
  await send({ text: 'plain', html: '<p>rich</p>', headers: { 'List-Unsubscribe': '<https://shop.example.com/u/1>', 'X-Step': 'email_2h' } });
  const ID = await newestId();
  expect(await (await get(`/api/v1/message/${ID}`)).json()).toMatchObject({
    ID,
    Text: expect.stringContaining('plain'),
    HTML: expect.stringContaining('<p>rich</p>'),
    ListUnsubscribe: { Links: ['https://shop.example.com/u/1'] },
  });
  expect(await (await get(`/api/v1/message/${ID}/headers`)).json()).toMatchObject({ 'X-Step': ['email_2h'] });
  expect(await (await get(`/api/v1/message/${ID}/raw`)).text()).toContain('Subject: Your cart');
  expect((await list()).unread).toBe(0);
});

test('the email is shown without scripts', async () => {
  await send({ html: '<script>alert(1)</script><p>hello</p>' });
  const ID = await newestId();
  const response = await fetch(`${mailbox.webUrl}/view/${ID}.html`);
  expect(await response.text()).toContain('<p>hello</p>');
  expect(response.headers.get('content-security-policy')).toContain("script-src 'none'");
  expect(response.headers.get('content-security-policy')).toContain('sandbox');
});

test.each([
  ['a doctype of its own', '<!DOCTYPE html>\n<html lang="en"><head><title>x</title></head><body><p>hello</p></body></html>'],
  ['an old doctype', '<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.0 Transitional//EN"><html><body><p>hello</p></body></html>'],
  ['none', '<p>hello</p>'],
  ['a comment first', '<!-- made by hand --><!doctype html><html><head></head><body><p>hello</p></body></html>'],
  ['text alone', null],
])('a mail with %s is shown in standards mode, and its links open beside the page', async (_what, html) => {
  await send(html === null ? { text: 'hello' } : { html });
  const shown = await (await get(`/view/${await newestId()}.html`)).text();
  expect(shown).toMatch(/^<!doctype html>/i);
  expect(shown.match(/<!doctype/gi)).toHaveLength(1);
  expect(shown).toMatch(/^<!doctype html>(?:<!--.*?-->)?\s*(<html[^>]*>)?(<head>)?<base target="_blank">/);
  expect(shown).toContain('hello');
});

test('a search finds names, addresses, subjects and texts, by all of its words, without case and accents', async () => {
  const longText = `${'Words and words. '.repeat(40)}The blue teapot.`;
  await send({ subject: 'Your cart at Gärtnerei Öttl', text: longText });
  await send({ subject: 'Second', to: 'Jo Finch <jo@example.com>', bcc: 'hidden@example.com', html: '<style>.teapot{}</style><p>Only a cup</p>' });
  const found = async (query: string) =>
    listShape.parse(await (await get(`/api/v1/search?query=${encodeURIComponent(query)}`)).json()).messages.map(({ Subject }) => Subject);
  const [first, second] = ['Your cart at Gärtnerei Öttl', 'Second'];
  expect(await found('gartnerei')).toEqual([first]);
  expect(await found('TEAPOT öttl')).toEqual([first]);
  expect(await found('"blue teapot"')).toEqual([first]);
  expect(await found('"teapot blue"')).toEqual([]);
  expect(await found('jo@example.com')).toEqual([second]);
  expect(await found('finch cup')).toEqual([second]);
  expect(await found('hidden')).toEqual([second]);
  expect(await found('  ')).toEqual([second, first]);
  expect(await found('nobody')).toEqual([]);
  expect(await found('[.*(')).toEqual([]);
  const page = listShape.parse(await (await get('/api/v1/search?query=example.com&start=1&limit=1')).json());
  expect(page).toMatchObject({ total: 2, count: 1, start: 1, messages: [{ Subject: first }] });
  await fetch(`${mailbox.webUrl}/api/v1/messages`, { method: 'DELETE' });
  expect(await found('teapot')).toEqual([]);
});

test('emails and what was read survive a restart', async () => {
  await send({ subject: 'kept', text: 'x' });
  await send({ subject: 'read', text: 'x' });
  await get(`/api/v1/message/${await newestId()}`);
  await mailbox.stop();
  mailbox = await start();
  expect((await list()).messages).toMatchObject([
    { Subject: 'read', Read: true },
    { Subject: 'kept', Read: false },
  ]);
});

test('deleting takes the named emails, or all', async () => {
  for (const subject of ['one', 'two', 'three']) await send({ subject, text: subject });
  const remove = (body: unknown) =>
    fetch(`${mailbox.webUrl}/api/v1/messages`, { method: 'DELETE', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  await remove({ IDs: [await newestId()] });
  expect((await list()).messages.map((mail) => mail.Subject)).toEqual(['two', 'one']);
  await fetch(`${mailbox.webUrl}/api/v1/messages`, { method: 'DELETE' });
  expect((await list()).total).toBe(0);
});

test('an email over 10 MiB is refused, the next one is taken', async () => {
  await expect(send({ text: 'x'.repeat(11 * 2 ** 20) })).rejects.toMatchObject({ responseCode: 552 });
  await send({ subject: 'small', text: 'x' });
  expect((await list()).messages).toMatchObject([{ Subject: 'small' }]);
}, 120_000);

test('the page is notified when an email arrives', async () => {
  const response = await fetch(`${mailbox.webUrl}/events`);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toContain('listening');
  await send({ text: 'x' });
  expect((await reader?.read())?.value).toContain('data: changed');
});

test('the oldest emails go when the store is full', async () => {
  const store = new MailStore(join(dir, 'small'), 2);
  for (const subject of ['one', 'two', 'three']) {
    await store.add(Buffer.from(`Subject: ${subject}\r\n\r\nx`), { from: 'a@example.com', to: ['b@example.com'] });
  }
  const subjects = (mails: MailStore) => mails.list().map((mail) => mail.Subject);
  expect(subjects(store)).toEqual(['three', 'two']);
  expect(subjects(new MailStore(join(dir, 'small'), 2))).toEqual(['three', 'two']);
});

test('an envelope recipient whom the headers do not name is a blind copy', async () => {
  await send({ bcc: 'hidden@example.com', text: 'x' });
  expect((await list()).messages[0]?.Bcc).toEqual([{ Name: '', Address: 'hidden@example.com' }]);
});

test('no answer may be taken for something else than what it is declared to be', async () => {
  await send({ subject: 'sniffed', html: '<p>x</p>' });
  const { messages } = (await (await get('/api/v1/messages')).json()) as { messages: { ID: string }[] };
  const [{ ID: id }] = messages as [{ ID: string }];
  const paths = [
    '/',
    '/readyz',
    '/api/v1/messages',
    ...['', '/headers', '/raw'].map((part) => `/api/v1/message/${id}${part}`),
    `/view/${id}.html`,
    '/nowhere',
    '/view/nobody',
  ];
  for (const path of paths) expect((await fetch(`${mailbox.webUrl}${path}`)).headers.get('x-content-type-options'), path).toBe('nosniff');
  const events = await fetch(`${mailbox.webUrl}/events`);
  expect(events.headers.get('x-content-type-options')).toBe('nosniff');
  await events.body?.cancel();
});
