import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderTrouble } from './faults.ts';
import type { Accepted } from './mail-record.ts';
import type { RunClock } from './run-clock.ts';
import { leadLine } from './stores.ts';

/** A call that the provider took, and would place. */
export interface PlacedCall {
  id: string;
  number: string;
  /** As it came: reports carry it back. */
  metadata: unknown;
}

export interface ProviderRecord {
  url: string;
  accepted: Accepted[];
  trouble(what: ProviderTrouble): void;
  behave(): void;
  close(): Promise<void>;
}

/** What a provider keeps of a message, for questions. */
interface Kept {
  to: string;
  resource: Record<string, unknown>;
}

const textsPath = `/2010-04-01/Accounts/${leadLine.accountSid}/Messages.json`;
const login = `Basic ${Buffer.from(`${leadLine.accountSid}:${leadLine.authToken}`).toString('base64')}`;
const slowMs = 900;

/**
 * The providers of texts (as Twilio) and calls (as VAPI) on real HTTP. Their record is the observer's: what they took counts, also where their answer got
 * lost; and they answer questions about it, as both do.
 * @param onCall - called for each call that was taken
 */
export async function startProviderRecord(clock: RunClock, onCall: (call: PlacedCall) => void): Promise<ProviderRecord> {
  const accepted: Accepted[] = [];
  const texts: Kept[] = [];
  const calls: Kept[] = [];
  let trouble: ProviderTrouble | null = null;

  /** @param take - keeps the message, and returns how the provider answers that it has it */
  async function judge(res: ServerResponse, take: () => Record<string, unknown>): Promise<void> {
    const takes = trouble !== 'answers 503' && trouble !== 'hangs without taking';
    const body = takes ? take() : {};
    switch (trouble) {
      case 'answers 503':
        return answer(res, 503, { code: 20503, message: 'Service unavailable', status: 503 });
      case 'hangs without taking':
      case 'takes and hangs':
        return;
      case 'takes and resets':
        res.socket?.resetAndDestroy();
        return;
      case 'answers slowly':
        await sleep(slowMs);
        return answer(res, 201, body);
      case null:
        answer(res, 201, body);
    }
  }

  const takeText = (form: URLSearchParams, atMs: number): Record<string, unknown> => {
    const [to, body] = [form.get('To') ?? '', form.get('Body') ?? ''];
    const sid = `SM${randomUUID().replaceAll('-', '')}`;
    const resource = { sid, direction: 'outbound-api', from: form.get('From'), to, body, status: 'queued', error_code: null };
    texts.push({ to, resource });
    const store = form.get('From') === leadLine.from ? 'leads' : null;
    accepted.push({ channel: 'sms', subject: subjectIn(body), store, step: stepOfText(body), enrollmentId: null, to, atMs });
    return resource;
  };
  const takeCall = (body: CallBody, atMs: number): Record<string, unknown> => {
    const { name = '', customer, assistantOverrides } = body;
    const { firstMessage = '', metadata = {} } = assistantOverrides ?? {};
    const { rekindle_key: key = '' } = metadata;
    const to = customer?.number ?? '';
    const resource = { id: randomUUID(), name, status: 'queued', customer: { number: to }, assistantOverrides: { metadata } };
    calls.push({ to, resource });
    const [enrollmentId = null, step = 'no step'] = key.split(':');
    accepted.push({ channel: 'call', subject: subjectIn(firstMessage), store: 'leads', step, enrollmentId, to, atMs });
    onCall({ id: resource.id, number: to, metadata });
    return resource;
  };

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://far-end');
    const isText = url.pathname === textsPath;
    const isKnown = req.headers.authorization === (isText ? login : `Bearer ${leadLine.callKey}`);
    if (!isKnown) return answer(res, 401, { code: 20003, message: 'Authenticate', status: 401 });
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    // The message has been read to its end: from here on it counts where it is taken.
    const atMs = clock.nowMs();
    const raw = Buffer.concat(chunks).toString('utf8');
    if (req.method === 'POST')
      return judge(res, () => (isText ? takeText(new URLSearchParams(raw), atMs) : takeCall(JSON.parse(raw) as CallBody, atMs)));
    const number = url.searchParams.get('To');
    if (!isText)
      return answer(
        res,
        200,
        calls.map(({ resource }) => resource),
      );
    const messages = texts.flatMap(({ to, resource }) => (number === null || to === number ? [resource] : []));
    return answer(res, 200, { messages, next_page_uri: null });
  }

  const server = createServer((req, res) => {
    // A caller that went away needs no answer.
    serve(req, res).catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accepted,
    trouble: (what) => void (trouble = what),
    behave: () => void (trouble = null),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface CallBody {
  name?: string;
  customer?: { number?: string };
  assistantOverrides?: { firstMessage?: string; metadata?: { rekindle_key?: string } };
}

function answer(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** What leads ask about says whose it is. */
const subjectIn = (text: string): string => /\(((?:cart|lead)-\d+-[ab])\)/.exec(text)?.[1] ?? 'nobody';

/** The texts of `lead-nurture` by what only they say, in the languages of the leads. */
const phrases = { sms_12h: /any questions\?|Haben Sie Fragen/, sms_5d: /still thinking about|last text|letzte/ } as const;

/** A text that fits none of them counts for no step, so that the observer misses the step that it should have been. */
const stepOfText = (text: string): string => Object.entries(phrases).find(([, phrase]) => phrase.test(text))?.[0] ?? 'no step';
