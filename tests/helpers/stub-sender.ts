import type { Channel } from '../../domain/channels/index.ts';
import { connect } from '../../integrations/http/connect.ts';
import { fencedRequest } from '../../integrations/http/fenced-request.ts';
import { type HttpAnswer, judgeStatus } from '../../integrations/http/judge.ts';
import type { Payload, Reconciliation, Sender, SenderSession, SenderTimes, SendOutcome } from '../../integrations/port.ts';

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
    async send(payload, key, deadline, begun) {
      if (used) throw new Error('A session sends one message.');
      used = true;
      const url = new URL(`http://127.0.0.1:${port}/`);
      if (deadline.remainingMs() <= 0) return awayFor('the deadline came before the call');
      // An adapter of the product connects before the claim; this one meets a far end that is away in the call itself.
      const connection = await connect(url, deadline.remainingMs()).catch((error: unknown) => String(error));
      if (typeof connection === 'string') return awayFor(connection);
      const headers = { 'idempotency-key': key, 'content-type': 'application/json' };
      const message = { url, headers, body: Buffer.from(bodyOf(payload)), judge };
      // The far end gives out `100 Continue`, or means to hang before the message.
      return fencedRequest(connection, message, deadline, closing.signal, 60_000, begun);
    },
    close: () => closing.abort(),
  };
}

function awayFor(response: string): SendOutcome {
  return { kind: 'refused', severity: 'soft', outage: true, response };
}

/** A replay is the same bytes, although the ledger does not keep the order of a payload's fields. */
function bodyOf(payload: Payload): string {
  return JSON.stringify(payload, (_name, value: unknown) =>
    typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
}

function judge({ status, body }: HttpAnswer): SendOutcome {
  const response = `HTTP ${status} ${body}`.trim();
  if (status === 422) return { kind: 'refused', severity: 'hard', response };
  if (status === 409 && body.includes('key_reused')) return { kind: 'refused', severity: 'soft', response };
  return judgeStatus(status, response, 'stub');
}

/** Only a clear answer is one: everything else throws, and the call stays in doubt. */
async function ask(port: number, key: string, timeoutMs: number): Promise<'accepted' | 'not_accepted'> {
  const response = await fetch(`http://127.0.0.1:${port}/?key=${encodeURIComponent(key)}`, { signal: AbortSignal.timeout(timeoutMs) });
  const answer: unknown = response.ok ? await response.json() : null;
  if (typeof answer !== 'object' || answer === null || !('found' in answer) || typeof answer.found !== 'boolean')
    throw new Error(`the provider does not say: HTTP ${response.status}`);
  return answer.found ? 'accepted' : 'not_accepted';
}
