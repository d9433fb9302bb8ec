import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type SampleText, sampleText } from './sample-texts.ts';

/** What the server does with a call. */
export type ModelFault =
  | { act: 'answer'; text: string }
  | { act: 'status'; status: number; code?: string; headers?: Record<string, string> }
  /** Never answers, or only after so long. */
  | { act: 'hang' }
  | { act: 'slow'; ms: number }
  | { act: 'refuse' }
  /** `finish_reason: length`. */
  | { act: 'cut' }
  /** The line breaks in the middle of the answer. */
  | { act: 'break' }
  /** The answer ends without a reason, as a proxy ends it. */
  | { act: 'end_early' }
  | { act: 'nonsense' }
  | { act: 'no_usage' };

export interface ModelCall {
  authorization: string;
  /** The body as it came: what a model would have learnt. */
  body: string;
  messages: { role: string; content: string }[];
  streamed: boolean;
}

/** A stand-in for a language model. It speaks the chat-completions protocol, and no model is behind it. */
export interface LocalModel {
  /** For `baseUrl`. */
  url: string;
  /** The latest thousand. */
  calls: ModelCall[];
  /** What it does with the next calls, in order; afterwards it answers as usual. */
  next(...faults: ModelFault[]): void;
  always(fault: ModelFault | null): void;
  /** What it does with every call that contains a text. */
  when(contained: string, fault: ModelFault): void;
  /** Answers that it gives where a request contains a text: a model that obeys what it was only to read. */
  obey(contained: string, answer: SampleText | string): void;
  close(): Promise<void>;
}

export interface LocalModelOptions {
  port?: number;
  /** The same seed gives the same answers to the same questions. */
  seed?: string;
  /** Any key but this is refused; null: every key is welcome. */
  apiKey?: string | null;
}

/** Said in every answer's `system_fingerprint` and `model`, and the one model in its list. */
export const localModelName = 'rekindle-local-stand-in';
/** Of the calls that it remembers. */
const mostCalls = 1_000;

export async function startLocalModel({ port = 0, seed = 'rekindle', apiKey = null }: LocalModelOptions = {}): Promise<LocalModel> {
  const calls: ModelCall[] = [];
  const script: ModelFault[] = [];
  const obeyed: { contained: string; answer: SampleText | string }[] = [];
  const faults: { contained: string; fault: ModelFault }[] = [];
  let usual: ModelFault | null = null;
  let answers = 0;
  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const authorization = request.headers.authorization ?? '';
    if (apiKey !== null && authorization !== `Bearer ${apiKey}`) return refuse(response, 401, 'invalid_api_key');
    if (request.method === 'GET' && request.url?.endsWith('/models'))
      return json(response, 200, { object: 'list', data: [{ id: localModelName, object: 'model' }] });
    if (request.method !== 'POST' || request.url?.endsWith('/chat/completions') !== true) return refuse(response, 404, 'not_found');
    const asked = JSON.parse(body) as { messages: { role: string; content: string }[]; stream?: boolean; model: string };
    if (calls.length === mostCalls) calls.shift();
    calls.push({ authorization, body, messages: asked.messages, streamed: asked.stream === true });
    const fault = script.shift() ?? faults.find(({ contained }) => body.includes(contained))?.fault ?? usual;
    if (fault?.act === 'hang') return;
    if (fault?.act === 'slow') await new Promise((later) => setTimeout(later, fault.ms));
    if (fault?.act === 'status') return refuse(response, fault.status, fault.code ?? 'fault', fault.headers);
    const text = fault?.act === 'answer' ? fault.text : fault?.act === 'nonsense' ? 'Certainly! Here is something else.' : answerTo(asked.messages);
    const usage = { prompt_tokens: Math.ceil(body.length / 4), completion_tokens: Math.ceil(text.length / 4) };
    const finish = fault?.act === 'cut' ? 'length' : 'stop';
    const refusal = fault?.act === 'refuse' ? 'I cannot help with that.' : null;
    const withUsage = fault?.act === 'no_usage' ? {} : { usage: { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens } };
    const head = { id: `local-${++answers}`, created: 0, model: `${localModelName}:${asked.model}`, system_fingerprint: localModelName };
    if (asked.stream !== true) {
      if (fault?.act === 'break' || fault?.act === 'end_early') {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
        response.write('{"id":"local');
        return void setImmediate(() => response.destroy());
      }
      const message = { role: 'assistant', content: refusal === null ? text : null, refusal };
      return json(response, 200, { ...head, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: finish }], ...withUsage });
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = (choices: unknown[], more: Record<string, unknown> = {}) =>
      response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`);
    const pieces = refusal === null ? (text.match(/[\s\S]{1,40}/g) ?? []) : [];
    for (const [at, content] of pieces.entries()) {
      if (at >= pieces.length / 2 && fault?.act === 'break') return void response.destroy();
      if (at >= pieces.length / 2 && fault?.act === 'end_early') return void response.end();
      send([{ index: 0, delta: { content }, finish_reason: null }]);
      // A turn of the event loop, so that pieces arrive one by one.
      await new Promise((later) => setImmediate(later));
    }
    if (refusal !== null) send([{ index: 0, delta: { refusal }, finish_reason: null }]);
    send([{ index: 0, delta: {}, finish_reason: finish }]);
    if (fault?.act !== 'no_usage') send([], withUsage);
    response.end('data: [DONE]\n\n');
  }

  function answerTo(messages: readonly { content: string }[]): string {
    const whole = messages.map(({ content }) => content).join('\n');
    const obeys = obeyed.find(({ contained }) => whole.includes(contained) || whole.includes(JSON.stringify(contained).slice(1, -1)));
    if (typeof obeys?.answer === 'string') return obeys.answer;
    const { subject, body, cta } = obeys?.answer ?? usualAnswer(whole, seed);
    return JSON.stringify({ subject, body, cta_text: cta });
  }

  await new Promise<void>((ready) => server.listen(port, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    next: (...faults) => void script.push(...faults),
    always: (fault) => {
      usual = fault;
    },
    when: (contained, fault) => void faults.push({ contained, fault }),
    obey: (contained, answer) => void obeyed.push({ contained, answer }),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

/** Writes about the first title among the facts, in their language. */
function usualAnswer(prompt: string, seed: string): SampleText {
  const facts = factsIn(prompt);
  const choice = createHash('sha256')
    .update(`${seed}\n${JSON.stringify(facts)}`)
    .digest()
    .readUInt16BE(0);
  const { language = 'en', channel, subject } = facts;
  const text = sampleText(language, titleIn(subject), choice);
  return channel === 'sms' ? { subject: '', body: text.subject, cta: '' } : text;
}

function factsIn(prompt: string): { language?: string; channel?: string; subject?: unknown } {
  const [, data] = /<facts>\n([\s\S]*?)\n<\/facts>/.exec(prompt) ?? [];
  return data === undefined ? {} : (JSON.parse(data) as { language?: string; channel?: string; subject?: unknown });
}

function titleIn(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, inner] of Object.entries(value)) {
    if (['leadTitle', 'title', 'interest'].includes(name) && typeof inner === 'string') return inner;
    const found = titleIn(inner);
    if (found !== null) return found;
  }
  return null;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const refuse = (response: ServerResponse, status: number, code: string, headers?: Record<string, string>): void =>
  json(response, status, { error: { message: `The local stand-in answers ${status}.`, type: code, code } }, headers);
