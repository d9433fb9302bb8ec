import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Deadline, Reconciliation, Sender, SenderTimes, SendOutcome } from '../../integrations/port.ts';

export interface Acceptance {
  key: string;
  /** The body as it was accepted: a replay must be the same bytes. */
  body: string;
  atMs: number;
}

/** What the far end does with the next call. `take`: the message is accepted (once per key, where the provider knows keys). */
export type Behaviour =
  | { act: 'accept' }
  | { act: 'answer'; status: number; take?: boolean }
  /** Never answers. `take`: accepted all the same, at once or `afterMs` later, when the caller has long gone. */
  | { act: 'hang'; take?: boolean; afterMs?: number }
  | { act: 'reset'; take?: boolean };

export interface StubProvider {
  port: number;
  /** In order; a repeat that a key suppressed is not among them. */
  accepted: Acceptance[];
  calls: number;
  /** Calls that have begun and are not over. */
  open: number;
  next(...behaviours: Behaviour[]): void;
  always(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

/** A provider's far end on real HTTP. `knowsKeys`: a key is accepted once. */
export async function startStubProvider(knowsKeys: boolean): Promise<StubProvider> {
  const scripted: Behaviour[] = [];
  let standing: Behaviour = { act: 'accept' };
  const timers = new Set<NodeJS.Timeout>();
  const stub: Omit<StubProvider, 'port' | 'stop'> = {
    accepted: [],
    calls: 0,
    open: 0,
    next: (...behaviours) => void scripted.push(...behaviours),
    always: (behaviour) => void (standing = behaviour),
  };
  const take = (key: string, body: string) => {
    if (knowsKeys && stub.accepted.some((a) => a.key === key)) return;
    stub.accepted.push({ key, body, atMs: Date.now() });
  };
  const server = createServer((req, res) => {
    const key = String(req.headers['idempotency-key'] ?? new URL(req.url ?? '/', 'http://x').searchParams.get('key'));
    if (req.method === 'GET') {
      res.end(JSON.stringify({ found: stub.accepted.some((a) => a.key === key) }));
      return;
    }
    const chunks: Buffer[] = [];
    stub.calls += 1;
    stub.open += 1;
    res.on('close', () => (stub.open -= 1));
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => behave(scripted.shift() ?? standing, key, Buffer.concat(chunks).toString(), res));
  });
  const behave = (behaviour: Behaviour, key: string, body: string, res: ServerResponse) => {
    switch (behaviour.act) {
      case 'accept':
        take(key, body);
        res.end('{"id":"stub"}');
        return;
      case 'answer':
        if (behaviour.take === true) take(key, body);
        res.writeHead(behaviour.status).end('{}');
        return;
      case 'hang':
        if (behaviour.take === true) {
          if (behaviour.afterMs === undefined) take(key, body);
          else timers.add(setTimeout(() => take(key, body), behaviour.afterMs));
        }
        return;
      case 'reset':
        if (behaviour.take === true) take(key, body);
        res.destroy();
    }
  };
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return Object.assign(stub, {
    port: (server.address() as AddressInfo).port,
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  });
}

export interface StubSenderOptions {
  kind: Reconciliation['kind'];
  times?: SenderTimes;
  keyLifeMs?: number;
  settleAfterMs?: number;
}

/** An adapter for the stub, as an HTTP provider's would be: judged by what was written. */
export function createStubSender(port: number, options: StubSenderOptions): Sender {
  const reconciliation: Reconciliation =
    options.kind === 'keys'
      ? { kind: 'keys', keyLifeMs: options.keyLifeMs ?? 24 * 3_600_000 }
      : options.kind === 'find'
        ? { kind: 'find', settleAfterMs: options.settleAfterMs ?? 15_000, find: (key) => ask(port, key) }
        : { kind: 'none' };
  return {
    channel: 'email',
    account: `stub:${port}`,
    times: options.times ?? { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation,
    reportsOpens: false,
    open: async () => ({ send: (payload, key, deadline) => post(port, key, JSON.stringify(payload), deadline), close() {} }),
  };
}

function post(port: number, key: string, body: string, deadline: Deadline): Promise<SendOutcome> {
  return new Promise((resolve) => {
    if (deadline.remainingMs() <= 0)
      return resolve({ kind: 'refused', severity: 'soft', outage: true, response: 'the deadline came before the call' });
    let written = false;
    const req = request({
      agent: false,
      host: '127.0.0.1',
      port,
      method: 'POST',
      headers: { 'idempotency-key': key, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    const timer = setTimeout(() => req.destroy(new Error('deadline')), deadline.remainingMs());
    const finish = (outcome: SendOutcome) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    req.on('socket', (socket) => {
      socket.once('connect', () => {
        // The last byte goes out only after this look.
        if (deadline.remainingMs() <= 0) return req.destroy(new Error('deadline'));
        written = true;
        req.end(body);
      });
    });
    req.on('response', (res) => {
      res.resume();
      const status = res.statusCode ?? 0;
      const response = `HTTP ${status}`;
      if (status < 300) finish({ kind: 'accepted', providerMessageId: 'stub', response });
      else if (status === 429) finish({ kind: 'refused', severity: 'soft', response });
      else if (status >= 400 && status < 500 && status !== 409) finish({ kind: 'refused', severity: 'hard', response });
      else finish({ kind: 'unknown', response });
    });
    req.on('error', (error) =>
      finish(written ? { kind: 'unknown', response: error.message } : { kind: 'refused', severity: 'soft', outage: true, response: error.message }),
    );
  });
}

async function ask(port: number, key: string): Promise<'accepted' | 'not_accepted'> {
  const response = await fetch(`http://127.0.0.1:${port}/?key=${encodeURIComponent(key)}`);
  const { found } = (await response.json()) as { found: boolean };
  return found ? 'accepted' : 'not_accepted';
}
