import { request } from 'node:http';
import type { Channel } from '../../domain/channels/index.ts';
import type { Deadline, Payload, Reconciliation, Sender, SenderSession, SenderTimes, SendOutcome } from '../../integrations/port.ts';

export interface StubSenderOptions {
  kind: Reconciliation['kind'];
  /** Default: email. */
  channel?: Channel;
  /** Default: one of its own for each far end. */
  account?: string;
  times?: SenderTimes;
  keyLifeMs?: number;
  settleAfterMs?: number;
  /** For a question about a call in doubt. */
  askTimeoutMs?: number;
}

/** An adapter for the stub provider, as an HTTP provider's would be: judged by what was given out. */
export function createStubSender(port: number, options: StubSenderOptions): Sender {
  return {
    channel: options.channel ?? 'email',
    account: options.account ?? `stub:${port}`,
    times: options.times ?? { deadlineMs: 2_500, leaseMs: 3_000, deadLeaseMs: 10_000 },
    reconciliation: reconciliationOf(port, options),
    open: async () => openSession(port),
  };
}

function reconciliationOf(port: number, { kind, keyLifeMs, settleAfterMs, askTimeoutMs }: StubSenderOptions): Reconciliation {
  switch (kind) {
    case 'keys':
      return { kind: 'keys', keyLifeMs: keyLifeMs ?? 24 * 3_600_000 };
    case 'find':
      return { kind: 'find', settleAfterMs: settleAfterMs ?? 15_000, find: (key) => ask(port, key, askTimeoutMs ?? 5_000) };
    case 'none':
      return { kind: 'none' };
  }
}

function openSession(port: number): SenderSession {
  let used = false;
  const closing = new AbortController();
  return {
    async send(payload, key, deadline) {
      if (used) throw new Error('A session sends one message.');
      used = true;
      return post(port, key, bodyOf(payload), deadline, closing.signal);
    },
    close: () => closing.abort(),
  };
}

/** A replay is the same bytes, although the ledger does not keep the order of a payload's fields. */
function bodyOf(payload: Payload): string {
  return JSON.stringify(payload, (_name, value: unknown) =>
    typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
}

// Both clocks count towards the deadline, a timer follows one: look again at least this often.
const lookAgainMs = 100;

function post(port: number, key: string, text: string, deadline: Deadline, closing: AbortSignal): Promise<SendOutcome> {
  if (deadline.remainingMs() <= 0)
    return Promise.resolve({ kind: 'refused', severity: 'soft', outage: true, response: 'the deadline came before the call' });
  return new Promise((resolve) => {
    const body = Buffer.from(text);
    /** The end of the message was given out: from here on it may have been accepted. */
    let complete = false;
    // `expect`: the message is given out only to somebody who is there and asks for it.
    const headers = { 'idempotency-key': key, 'content-type': 'application/json', 'content-length': body.length, expect: '100-continue' };
    const req = request({ agent: false, host: '127.0.0.1', port, method: 'POST', headers });
    let timer: NodeJS.Timeout | undefined;
    let finished = false;
    const finish = (outcome: SendOutcome) => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      closing.removeEventListener('abort', onClose);
      // A plain close would let the kernel go on sending what it has.
      if (outcome.kind !== 'accepted') req.socket?.resetAndDestroy();
      req.destroy();
      resolve(outcome);
    };
    const fail = (reason: string) =>
      finish(complete ? { kind: 'unknown', response: reason } : { kind: 'refused', severity: 'soft', outage: true, response: reason });
    const onClose = () => fail('the session was closed');
    const watch = () => {
      const remainingMs = deadline.remainingMs();
      if (remainingMs > 0) timer = setTimeout(watch, Math.min(remainingMs, lookAgainMs));
      else fail('the deadline came before an answer');
    };
    watch();
    closing.addEventListener('abort', onClose);
    req.on('error', (error) => fail(error.message));
    req.on('continue', () => {
      // The last byte waits until the rest has left: what is still queued before it cannot delay it past the deadline.
      req.write(body.subarray(0, -1), () => {
        if (req.destroyed) return;
        if (deadline.remainingMs() <= 0) return fail('the deadline came before the end of the message');
        complete = true;
        req.end(body.subarray(-1));
      });
    });
    req.on('response', (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      // An answer that breaks off after its head still says what became of the message.
      res.on('close', () => finish(judge(res.statusCode ?? 0, Buffer.concat(chunks).toString(), complete)));
    });
  });
}

function judge(status: number, body: string, complete: boolean): SendOutcome {
  const response = `HTTP ${status} ${body}`.trim();
  if (status === 422) return { kind: 'refused', severity: 'hard', response };
  // What was not given out whole cannot have been accepted, whatever is answered.
  if (!complete) return { kind: 'refused', severity: 'soft', response };
  if (status >= 200 && status < 300) return { kind: 'accepted', providerMessageId: 'stub', response };
  const certain = status >= 400 && status < 500 && !(status === 409 && !body.includes('key_reused'));
  return certain ? { kind: 'refused', severity: 'soft', response } : { kind: 'unknown', response };
}

/** Only a clear answer is one: everything else throws, and the call stays in doubt. */
async function ask(port: number, key: string, timeoutMs: number): Promise<'accepted' | 'not_accepted'> {
  const response = await fetch(`http://127.0.0.1:${port}/?key=${encodeURIComponent(key)}`, { signal: AbortSignal.timeout(timeoutMs) });
  const answer: unknown = response.ok ? await response.json() : null;
  if (typeof answer !== 'object' || answer === null || !('found' in answer) || typeof answer.found !== 'boolean')
    throw new Error(`the provider does not say: HTTP ${response.status}`);
  return answer.found ? 'accepted' : 'not_accepted';
}
