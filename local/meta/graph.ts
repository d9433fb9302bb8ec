import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An answer of a form, as the Graph API has it. */
export interface GraphAnswer {
  name: string;
  values: string[];
}

/** What the server does with a request instead of answering. */
export type GraphFault =
  | { act: 'error'; code: number; subcode?: number; transient?: true }
  | { act: 'status'; status: number; headers?: Record<string, string>; body?: string }
  | { act: 'hang' }
  /** The line breaks in the middle of the answer. */
  | { act: 'break' };

export interface GraphRequest {
  version: string;
  id: string;
  fields: string[];
}

/** A stand-in for Meta's Graph API, as far as lead ads need it. Its people are invented. */
export interface GraphStandIn {
  /** Answers a request whose path begins with the version, `/v26.0/{id}`. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** The latest thousand. */
  requests: GraphRequest[];
  /** A lead by its id; null: it was deleted. Of an id that nobody has put there, somebody is made up where `inventsLeads`. */
  put(id: string, lead: { answers: GraphAnswer[]; createdAtMs?: number; more?: Record<string, unknown> } | null): void;
  /** What it does with the next requests, in order; afterwards it answers as usual. */
  next(...faults: GraphFault[]): void;
  /** The one token that it accepts from now on. */
  acceptToken(token: string): void;
}

/** The stand-in with a server of its own. */
export interface LocalGraph extends GraphStandIn {
  /** For `baseUrl`. */
  url: string;
  close(): Promise<void>;
}

export interface LocalGraphOptions {
  port?: number;
  /** null: any proof of the app is accepted, because several apps share the stand-in. */
  appSecret: string | null;
  token: string;
  inventsLeads?: boolean;
}

const sentences: Readonly<Record<number, string>> = {
  100: 'Unsupported get request. The object does not exist, cannot be loaded due to missing permissions, or does not support this operation.',
  190: 'Error validating access token: Session has expired',
  80005: '(#80005) There have been too many leadgen api calls from this Page account.',
};

const mostRequests = 1_000;
/** Meta keeps leads for 90 days; the stand-in keeps the latest of these. */
const mostLeads = 10_000;

/** Its answers have the shape of developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving. */
export function createGraph({ appSecret, token: firstToken, inventsLeads = false }: Omit<LocalGraphOptions, 'port'>): GraphStandIn {
  let token = firstToken;
  const requests: GraphRequest[] = [];
  const script: GraphFault[] = [];
  const leads = new Map<string, Record<string, unknown> | null>();

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://graph');
    const [, version = '', id = ''] = url.pathname.split('/');
    const given = url.searchParams.get('access_token') ?? request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    requests.push({ version, id, fields: (url.searchParams.get('fields') ?? '').split(',') });
    if (requests.length > mostRequests) requests.shift();
    const fault = script.shift();
    if (fault !== undefined) return misbehave(response, fault);
    if (request.method !== 'GET' || !/^v\d+\.\d+$/.test(version)) return fail(response, { code: 2500 });
    const proof = url.searchParams.get('appsecret_proof');
    if (given !== token) return fail(response, { code: 190, subcode: 463 });
    if (appSecret !== null && proof !== null && proof !== createHmac('sha256', appSecret).update(given).digest('hex'))
      return fail(response, { code: 100 });
    const lead = leads.get(id) ?? (leads.has(id) || !inventsLeads || !/^\d+$/.test(id) ? null : invented(id));
    if (lead === null) return fail(response, { code: 100, subcode: 33 });
    const wanted = new Set(['id', ...(url.searchParams.get('fields') ?? 'id,created_time,field_data').split(',')]);
    answer(response, 200, Object.fromEntries(Object.entries(lead).filter(([name]) => wanted.has(name))));
  }
  return {
    handle,
    requests,
    put(id, lead) {
      leads.set(id, lead === null ? null : leadOf(id, lead.answers, lead.createdAtMs ?? Date.now(), lead.more));
      for (const oldest of [...leads.keys()].slice(0, Math.max(0, leads.size - mostLeads))) leads.delete(oldest);
    },
    next: (...faults) => void script.push(...faults),
    acceptToken(next) {
      token = next;
    },
  };
}

/** Start it on a port of its own. */
export async function startLocalGraph({ port = 0, ...options }: LocalGraphOptions): Promise<LocalGraph> {
  const graph = createGraph(options);
  const server = createServer((request, response) => graph.handle(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    ...graph,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function leadOf(id: string, answers: GraphAnswer[], createdAtMs: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  const created = new Date(createdAtMs).toISOString().replace(/\.\d+Z$/, '+0000');
  return { id, created_time: created, form_id: '200000000000001', is_organic: false, platform: 'fb', field_data: answers, ...more };
}

const names = ['Ana', 'Bruno', 'Chiara', 'Dmitri', 'Elif', 'Farid'];

/** Somebody for an id: the same one each time. */
function invented(id: string): Record<string, unknown> {
  const first = names[Number(id.slice(-6)) % names.length] ?? 'Ana';
  const answers = [
    { name: 'full_name', values: [`${first} Example`] },
    { name: 'email', values: [`${first.toLowerCase()}.${id.slice(-6)}@example.com`] },
    { name: 'which_district?', values: ['Marina'] },
  ];
  return leadOf(id, answers, Date.now());
}

function misbehave(response: ServerResponse, fault: GraphFault): void {
  switch (fault.act) {
    case 'error':
      return fail(response, fault);
    case 'status':
      response.writeHead(fault.status, { 'content-type': 'text/html', ...fault.headers }).end(fault.body ?? '<html></html>');
      return;
    case 'hang':
      return;
    case 'break':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('{"id":"9');
      setImmediate(() => response.destroy());
  }
}

/** Nearly all errors of the Graph API come with HTTP 400. */
function fail(response: ServerResponse, { code, subcode, transient }: { code: number; subcode?: number; transient?: true }): void {
  const error = { message: sentences[code] ?? 'An unexpected error has occurred. Please retry your request later.', type: 'OAuthException', code };
  const extra = { ...(subcode === undefined ? {} : { error_subcode: subcode }), ...(transient === true ? { is_transient: true } : {}) };
  answer(response, 400, { error: { ...error, ...extra, fbtrace_id: 'A0000000000' } });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body));
}
