import { randomBytes } from 'node:crypto';
import Fastify from 'fastify';

/** A text as the stand-in took it. */
interface Text {
  sid: string;
  to: string;
  from: string;
  body: string;
  at: string;
}

export interface Phone {
  /** What a Twilio connection names as its `baseUrl`. */
  url: string;
  stop(): Promise<void>;
}

/** Left running for a week it must not fill the memory. */
const mostKept = 500;

/**
 * Stands in for Twilio and everybody's telephone on this machine: takes texts by the Messages API, answers look-ups, and shows what came. Nothing
 * leaves the machine.
 * @param port - 0: any
 */
export async function startPhone({ port, host }: { port: number; host: string }): Promise<Phone> {
  const texts: Text[] = [];
  const app = Fastify({ forceCloseConnections: true });
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(body.toString()))),
  );
  app.addHook('onRequest', async (_request, reply) => void reply.header('x-content-type-options', 'nosniff'));

  app.post<{ Params: { account: string }; Body: Record<string, string> }>('/2010-04-01/Accounts/:account/Messages.json', async (request, reply) => {
    const { To: to, Body: body, From: from, MessagingServiceSid: service } = request.body;
    if (to === undefined || body === undefined) return reply.code(400).send({ code: 21604, message: 'A text needs To and Body', status: 400 });
    const text = { sid: `SM${randomBytes(16).toString('hex')}`, to, from: from ?? service ?? '', body, at: new Date().toISOString() };
    texts.unshift(text);
    texts.splice(mostKept);
    return reply.code(201).send({ sid: text.sid, account_sid: request.params.account, status: 'queued', to, from: text.from, body });
  });

  app.get<{ Querystring: { To?: string } }>('/2010-04-01/Accounts/:account/Messages.json', async ({ query: { To: to } }) => ({
    messages: texts.filter((text) => to === undefined || text.to === to).map((text) => ({ ...text, direction: 'outbound-api', status: 'delivered' })),
    next_page_uri: null,
  }));

  app.get('/', async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .send(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Texts</title><link rel="icon" href="data:,"><meta http-equiv="refresh" content="5">
<body style="font:16px/1.5 system-ui;max-width:38rem;margin:6vh auto;padding:0 1rem;color:#24211c;background:#f5f3ef">
<h1>Texts</h1><p>What was sent by text on this machine, the newest first. No telephone has received any of it.</p>
${texts.length === 0 ? '<p>None yet.</p>' : texts.map(textHtml).join('\n')}`),
  );

  await app.listen({ port, host });
  const address = app.server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return { url: `http://localhost:${bound}`, stop: () => app.close() };
}

const textHtml = ({ to, body, at }: Text) =>
  `<article style="margin:1.2rem 0"><div style="color:#6b655c;font-size:.85rem">${escapeHtml(to)} · ${at.slice(11, 19)} UTC</div>
<p style="margin:.3rem 0 0;padding:.7rem 1rem;border-radius:1rem;background:#fff;white-space:pre-wrap;overflow-wrap:anywhere">${escapeHtml(body)}</p></article>`;

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
