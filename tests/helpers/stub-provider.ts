import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Acceptance {
  key: string;
  /** The body as it was accepted: a replay must be the same bytes. */
  body: string;
  atMs: number;
}

/** What the far end does with the next call. `take`: the message is accepted (once per key, where the provider knows keys). */
export type Behaviour =
  /** `byteDelayMs`: the answer trickles. */
  | { act: 'accept'; byteDelayMs?: number }
  | { act: 'answer'; status: number; take?: boolean; headers?: Record<string, string> }
  /** Never answers. `take`: accepted all the same, at once or `afterMs` later, when the caller has long gone. */
  | { act: 'hang'; take?: boolean; afterMs?: number }
  /** `half`: begins an answer and says no more. */
  | { act: 'reset' | 'close' | 'half'; take?: boolean }
  /** Asks for the message and stops reading it, until `resume`. */
  | { act: 'stall' }
  /** At the head of the request already: nothing of the message has come, nor was it asked for. */
  | { atHead: 'hang' | 'close' | 'reset' | { status: number } };

/** How it answers when it is asked about a key. */
export type AnswerToQuestions = 'the_truth' | 'nonsense' | { status: number } | 'hang' | 'reset';

export interface StubProvider {
  port: number;
  /** In order; a repeat that a key suppressed is not among them. */
  accepted: Acceptance[];
  calls: number;
  /** Calls that have begun and are not over. */
  open: number;
  next(...behaviours: Behaviour[]): void;
  /** What was scripted before is forgotten: a call that never arrived leaves nothing for the one after it. */
  nextOnly(behaviour: Behaviour): void;
  always(behaviour: Behaviour): void;
  /** Called when the head of each later call has come, before anything of its message has. */
  onHead: () => void;
  whenAsked: AnswerToQuestions;
  /** What was stalled is read on. */
  resume(): void;
  stop(): Promise<void>;
}

/** How a provider's API names messages and writes its answers. */
export interface Dialect {
  /** What tells one message from another. */
  keyOf(request: IncomingMessage, body: string): string;
  taken: { status: number; body: Record<string, unknown>; headers?: Record<string, string> };
  /** The status by which it says what others say by this one; absent: the same. */
  statusOf?(status: number): number;
  /** The body of any other answer. */
  bodyOf(status: number): Record<string, unknown> | string;
  /** Of the 409 for a key that was used with another message; absent: `{ code: 'key_reused' }`. */
  keyReused?: Record<string, unknown>;
  /** Messages come by GET, and nothing can be asked. */
  sentByGet?: true;
  /** Questions that come by another method than GET; absent: none do. */
  isQuestion?(request: IncomingMessage): boolean;
  /** The truth about what is asked. */
  tell(accepted: readonly Acceptance[], request: IncomingMessage): Record<string, unknown>;
}

const plain: Dialect = {
  keyOf,
  taken: { status: 200, body: { id: 'stub' } },
  bodyOf: (status) => (status === 409 ? { code: 'in_progress' } : {}),
  tell: (accepted, request) => ({ found: accepted.some((a) => a.key === keyOf(request)) }),
};

/** A provider's far end on real HTTP, on loopback. `knowsKeys`: a key is accepted once, with one body, by one call at a time. `port`: 0 for any. */
export async function startStubProvider(knowsKeys: boolean, dialect: Dialect = plain, port = 0): Promise<StubProvider> {
  const scripted: Behaviour[] = [];
  let standing: Behaviour = { act: 'accept' };
  const timers = new Set<NodeJS.Timeout>();
  const stalled: (() => void)[] = [];
  const busyKeys = new Set<string>();
  const stub: Omit<StubProvider, 'port' | 'stop'> = {
    accepted: [],
    calls: 0,
    open: 0,
    onHead: () => undefined,
    whenAsked: 'the_truth',
    next: (...behaviours) => void scripted.push(...behaviours),
    nextOnly: (behaviour) => void scripted.splice(0, scripted.length, behaviour),
    always: (behaviour) => void (standing = behaviour),
    resume: () => {
      for (const readOn of stalled) readOn();
    },
  };
  const take = (key: string, body: string) => {
    if (knowsKeys && stub.accepted.some((a) => a.key === key)) return;
    stub.accepted.push({ key, body, atMs: Date.now() });
  };

  const behave = (behaviour: Exclude<Behaviour, { atHead: unknown }>, key: string, body: string, res: ServerResponse): void => {
    const known = knowsKeys ? stub.accepted.find((a) => a.key === key) : undefined;
    if (known !== undefined && known.body !== body) return answer(res, 409, dialect.keyReused ?? { code: 'key_reused' });
    if ('take' in behaviour && behaviour.take === true) {
      if (!('afterMs' in behaviour)) take(key, body);
      else timers.add(setTimeout(() => take(key, body), behaviour.afterMs));
    }
    switch (behaviour.act) {
      case 'accept':
        // An earlier call with this key has not ended.
        if (busyKeys.has(key)) return answer(res, 409, { code: 'in_progress' });
        take(key, body);
        if (behaviour.byteDelayMs === undefined) answer(res, dialect.taken.status, dialect.taken.body, dialect.taken.headers);
        else trickle(res, dialect.taken, behaviour.byteDelayMs, timers);
        return;
      case 'answer':
        answer(res, dialect.statusOf?.(behaviour.status) ?? behaviour.status, dialect.bodyOf(behaviour.status), behaviour.headers);
        return;
      case 'hang':
        if (!knowsKeys) return;
        busyKeys.add(key);
        res.on('close', () => busyKeys.delete(key));
        return;
      case 'half':
        res.socket?.write('HTTP/1.1 2');
        return;
      case 'close':
        res.socket?.end();
        return;
      case 'stall':
        take(key, body);
        answer(res, dialect.taken.status, dialect.taken.body, dialect.taken.headers);
        return;
      case 'reset':
        res.socket?.resetAndDestroy();
    }
  };

  const server = createServer((req, res) => {
    if ((req.method === 'GET' && dialect.sentByGet !== true) || dialect.isQuestion?.(req) === true) answerQuestion(stub, dialect, req, res);
    else receive(req, res);
  });
  server.on('checkContinue', receive);
  function receive(req: IncomingMessage, res: ServerResponse): void {
    stub.calls += 1;
    stub.open += 1;
    res.on('close', () => (stub.open -= 1));
    stub.onHead();
    const behaviour = scripted.shift() ?? standing;
    if ('atHead' in behaviour) {
      if (typeof behaviour.atHead === 'object') answer(res, behaviour.atHead.status, dialect.bodyOf(behaviour.atHead.status));
      else if (behaviour.atHead !== 'hang') res.socket?.[behaviour.atHead === 'close' ? 'end' : 'resetAndDestroy']();
      return;
    }
    if (req.method !== 'GET') res.writeContinue();
    const chunks: Buffer[] = [];
    const read = () => {
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        behave(behaviour, dialect.keyOf(req, body), body, res);
      });
    };
    if (behaviour.act === 'stall') stalled.push(read);
    else read();
  }

  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return Object.assign(stub, {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  });
}

function keyOf(req: IncomingMessage): string {
  return String(req.headers['idempotency-key'] ?? new URL(req.url ?? '/', 'http://x').searchParams.get('key'));
}

function answer(res: ServerResponse, status: number, body: Record<string, unknown> | string, headers: Record<string, string> = {}): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  res.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/html' : 'application/json', ...headers }).end(text);
}

function answerQuestion(stub: Pick<StubProvider, 'accepted' | 'whenAsked'>, dialect: Dialect, req: IncomingMessage, res: ServerResponse): void {
  const { whenAsked } = stub;
  if (whenAsked === 'hang') return;
  if (whenAsked === 'reset') res.socket?.resetAndDestroy();
  else if (whenAsked === 'nonsense') answer(res, 200, { maintenance: true });
  else if (whenAsked === 'the_truth') answer(res, 200, dialect.tell(stub.accepted, req));
  else answer(res, whenAsked.status, {});
}

function trickle(res: ServerResponse, { status, body, headers = {} }: Dialect['taken'], byteDelayMs: number, timers: Set<NodeJS.Timeout>): void {
  const text = JSON.stringify(body);
  const left = `HTTP/1.1 ${status} OK\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}content-length: ${text.length}\r\n\r\n${text}`.split('');
  const timer = setInterval(() => {
    const byte = left.shift();
    if (byte === undefined || res.socket === null) clearInterval(timer);
    else res.socket.write(byte);
  }, byteDelayMs);
  timers.add(timer);
}
