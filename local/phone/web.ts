import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { readKeyword } from '../../domain/people/keywords.ts';
import type { Line, Text, TextStore } from './text-store.ts';
import { sendInbound, sendReceipt } from './webhooks.ts';

// Twilio's own test numbers and what it answers for them.
const testNumbers: ReadonlyMap<string, number> = new Map([
  ['+15005550001', 21211],
  ['+15005550004', 21610],
  ['+15005550009', 21614],
]);

/** The part of the Messages API that the product uses, and a page with the texts. */
export function buildPhoneWeb(store: TextStore): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true, bodyLimit: 64 * 1024 });
  const page = readFileSync(new URL('./page.html', import.meta.url), 'utf8');
  app.addHook('onRequest', async (_request, reply) => void reply.header('x-content-type-options', 'nosniff'));
  app.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  app.get('/livez', () => ({ status: 'ok' }));

  const closing = new AbortController();
  const reports = new Set<Promise<void>>();
  app.addHook('onClose', async () => {
    closing.abort();
    await Promise.all(reports);
  });
  // In a scope of its own, because only the API takes forms.
  void app.register(async (scope) =>
    messagesApi(scope, store, (line, text) => {
      const report = reportDelivered(store, line, text, closing.signal).finally(() => reports.delete(report));
      reports.add(report);
    }),
  );

  app.get('/api/texts', () => ({ texts: store.list() }));
  app.delete('/api/texts', (_request, reply) => {
    store.clear();
    return reply.code(204).send();
  });

  // JSON, so that no other page in the browser can post here without asking first.
  app.post<{ Body: { number?: unknown; text?: unknown } | null }>('/api/replies', async (request, reply) => {
    const { number, text } = request.body ?? {};
    if (typeof number !== 'string' || typeof text !== 'string' || text.trim() === '' || text.length > 1_600)
      return reply.code(400).send({ error: 'A reply has a number and a text of at most 1,600 characters.' });
    const line = store.lineOf(number);
    if (line === null) return reply.code(404).send({ error: 'No text that can be answered was sent to this number.' });
    const sent: Text = { sid: newSid(), direction: 'inbound', from: number, to: line.from, body: text, status: 'received', atMs: Date.now() };
    store.add(sent);
    noteKeyword(store, number, text);
    try {
      await sendInbound(line, sent, closing.signal);
      return await reply.code(201).send({ sid: sent.sid });
    } catch (error) {
      store.setStatus(sent.sid, 'not delivered');
      return reply.code(502).send({ error: `The webhook did not take it: ${error instanceof Error ? error.message : String(error)}` });
    }
  });

  app.get('/events', (request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    reply.raw.write(': listening\n\n');
    request.raw.on(
      'close',
      store.watch(() => reply.raw.write('data: changed\n\n')),
    );
  });

  return app;
}

function messagesApi(app: FastifyInstance, store: TextStore, report: (line: Line, text: Text) => void): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );

  app.post<{ Params: { account: string }; Body: Record<string, string> }>('/2010-04-01/Accounts/:account/Messages.json', (request, reply) => {
    const login = loginOf(request.headers.authorization);
    if (login === null || login.user !== request.params.account) return refuse(reply, 401, 20003, 'Authenticate');
    const form = request.body ?? {};
    const fault = faultOf(store, form);
    if (fault !== null) return refuse(reply, 400, ...fault);
    const { To: to = '', From, MessagingServiceSid, Body: body = '', StatusCallback: webhookUrl } = form;
    const text: Text = {
      sid: newSid(),
      direction: 'outbound-api',
      from: From ?? MessagingServiceSid ?? '',
      to,
      body,
      status: 'queued',
      atMs: Date.now(),
    };
    store.add(text);
    if (webhookUrl !== undefined) {
      const line: Line = { accountSid: login.user, authToken: login.password, webhookUrl, from: text.from };
      store.setLine(to, line);
      report(line, text);
    }
    return reply.code(201).send(resourceOf(text, login.user));
  });

  app.get<{ Params: { account: string }; Querystring: { To?: string } }>('/2010-04-01/Accounts/:account/Messages.json', (request, reply) => {
    if (loginOf(request.headers.authorization)?.user !== request.params.account) return refuse(reply, 401, 20003, 'Authenticate');
    const { To } = request.query;
    const fitting = store.list().filter(({ to }) => To === undefined || to === To);
    return { messages: fitting.toReversed().map((text) => resourceOf(text, request.params.account)), next_page_uri: null };
  });
}

function loginOf(authorization: string | undefined): { user: string; password: string } | null {
  const [, encoded] = /^Basic (\S+)$/.exec(authorization ?? '') ?? [];
  const [, user, password] = /^([^:]+):(.+)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? [];
  return user === undefined || password === undefined ? null : { user, password };
}

/** As Twilio does by itself: after STOP it accepts nothing more for the number, until START. */
function noteKeyword(store: TextStore, number: string, text: string): void {
  const keyword = readKeyword(text);
  if (keyword === 'opt_out' || keyword === 'stop_all') store.setOptedOut(number, true);
  if (keyword === 'opt_in') store.setOptedOut(number, false);
}

function faultOf(
  store: TextStore,
  { To = '', From, MessagingServiceSid, Body = '' }: Record<string, string>,
): [code: number, message: string] | null {
  if (!/^\+[1-9]\d{6,14}$/.test(To)) return [21211, "Invalid 'To' Phone Number"];
  const test = testNumbers.get(To);
  if (test !== undefined) return [test, "A test number of Twilio's"];
  if (From === undefined && MessagingServiceSid === undefined) return [21603, "A 'From' phone number is required"];
  if (Body === '') return [21602, 'Message body is required'];
  if (Body.length > 1_600) return [21617, 'The message body exceeds the 1600 character limit'];
  return store.isOptedOut(To) ? [21610, 'Attempt to send to unsubscribed recipient'] : null;
}

function refuse(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
  return reply.code(status).send({ code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status });
}

function resourceOf({ sid, direction, from, to, body, status, atMs }: Text, accountSid: string) {
  return { sid, account_sid: accountSid, direction, from, to, body, status, error_code: null, date_created: new Date(atMs).toUTCString() };
}

function newSid(): string {
  return `SM${randomBytes(16).toString('hex')}`;
}

async function reportDelivered(store: TextStore, line: Line, text: Text, closing: AbortSignal): Promise<void> {
  try {
    for (const status of ['sent', 'delivered']) {
      await sendReceipt(line, text, status, closing);
      store.setStatus(text.sid, status);
    }
  } catch {
    if (closing.aborted) return;
    // The text was delivered all the same, and Twilio does not repeat receipts either.
    store.setStatus(text.sid, 'delivered, receipt not taken');
  }
}
