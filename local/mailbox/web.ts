import { readFileSync } from 'node:fs';
import Fastify, { type FastifyInstance } from 'fastify';
import PostalMime from 'postal-mime';
import { asStandardsDocument } from './standards-document.ts';
import type { MailStore, MailSummary } from './mail-store.ts';
import { createMailSearch } from './search-mails.ts';

interface ListQuery {
  query?: string;
  start?: string;
  limit?: string;
}

/** The page and the part of Mailpit's API that people and tests use. */
export function buildMailboxWeb(store: MailStore): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true });
  const search = createMailSearch(store);
  const page = readFileSync(new URL('./page.html', import.meta.url), 'utf8');

  // Emails hold untrusted bytes: browsers must show them as their declared type only.
  app.addHook('onRequest', async (_request, reply) => void reply.header('x-content-type-options', 'nosniff'));
  app.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  app.get('/livez', () => ({ status: 'ok' }));
  app.get('/readyz', () => ({ status: 'ok' }));

  app.get<{ Querystring: ListQuery }>('/api/v1/messages', (request) => {
    const mails = store.list();
    return pageOf(mails, mails, request.query);
  });

  app.get<{ Querystring: ListQuery }>('/api/v1/search', async (request) => {
    const fitting = await search(request.query.query ?? '');
    return pageOf(store.list(), fitting, request.query);
  });

  app.delete('/api/v1/messages', (request, reply) => {
    const { body } = request;
    const ids: unknown = typeof body === 'object' && body !== null && 'IDs' in body ? body.IDs : [];
    store.remove(Array.isArray(ids) ? ids.map(String) : []);
    return reply.type('text/plain').send('ok');
  });

  app.get<{ Params: { id: string } }>('/api/v1/message/:id', async (request, reply) => {
    const { id } = request.params;
    const summary = store.get(id);
    const raw = await store.raw(id);
    if (summary === null || raw === null) return reply.code(404).send({ Error: 'Message not found' });
    await store.markRead(id);
    const mail = await PostalMime.parse(raw);
    const { Snippet: _snippet, Read: _read, Created, Attachments: _attachments, ...rest } = summary;
    return {
      ...rest,
      Date: Created,
      Text: mail.text ?? '',
      HTML: mail.html ?? '',
      ReturnPath: summary.From.Address,
      ListUnsubscribe: {
        Header: headerOf(mail.headers, 'list-unsubscribe'),
        HeaderPost: headerOf(mail.headers, 'list-unsubscribe-post'),
        Links: [...headerOf(mail.headers, 'list-unsubscribe').matchAll(/<([^>]+)>/g)].map((match) => match[1]),
        Errors: '',
      },
      Inline: [],
      Attachments: mail.attachments.map(({ filename, mimeType }) => ({ FileName: filename ?? '', ContentType: mimeType })),
    };
  });

  app.get<{ Params: { id: string } }>('/api/v1/message/:id/headers', async (request, reply) => {
    const raw = await store.raw(request.params.id);
    if (raw === null) return reply.code(404).send({ Error: 'Message not found' });
    // A header may be called `__proto__`.
    const headers = new Map<string, string[]>();
    for (const { originalKey, value } of (await PostalMime.parse(raw)).headers)
      headers.set(originalKey, [...(headers.get(originalKey) ?? []), value]);
    return Object.fromEntries(headers);
  });

  app.get<{ Params: { id: string } }>('/api/v1/message/:id/raw', async (request, reply) => {
    const raw = await store.raw(request.params.id);
    if (raw === null) return reply.code(404).type('text/plain').send('Message not found');
    return reply.type('text/plain; charset=utf-8').send(raw);
  });

  // Shown as a mail program would: no scripts, links open beside the page.
  app.get<{ Params: { file: string } }>('/view/:file', async (request, reply) => {
    const raw = await store.raw(request.params.file.replace(/\.html$/, ''));
    if (raw === null) return reply.code(404).type('text/plain').send('Message not found');
    const mail = await PostalMime.parse(raw);
    const body = mail.html ?? `<pre style="white-space:pre-wrap;font:15px/1.5 system-ui">${escapeHtml(mail.text ?? '')}</pre>`;
    return reply
      .header(
        'content-security-policy',
        "script-src 'none'; object-src 'none'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox",
      )
      .type('text/html; charset=utf-8')
      .send(asStandardsDocument(body));
  });

  app.get('/events', (request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    reply.raw.write(': listening\n\n');
    const stop = store.watch(() => reply.raw.write('data: changed\n\n'));
    request.raw.on('close', stop);
  });

  return app;
}

function pageOf(all: MailSummary[], fitting: MailSummary[], query: ListQuery) {
  const start = wholeNumber(query.start, 0);
  const messages = fitting.slice(start, start + wholeNumber(query.limit, 50));
  const unread = (mails: MailSummary[]) => mails.filter((mail) => !mail.Read).length;
  return {
    total: all.length,
    unread: unread(all),
    count: messages.length,
    messages_count: fitting.length,
    messages_unread: unread(fitting),
    start,
    tags: [],
    messages,
  };
}

function wholeNumber(given: string | undefined, fallback: number): number {
  const value = Number(given);
  return given !== undefined && Number.isInteger(value) && value >= 0 ? value : fallback;
}

function headerOf(headers: readonly { key: string; value: string }[], key: string): string {
  return headers.find((header) => header.key === key)?.value ?? '';
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
