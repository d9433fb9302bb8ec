import { setMaxListeners } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunClock } from './run-clock.ts';
import type { PlannedDelivery } from './shopper.ts';
import type { LeadAccess, Store, StoreAccess } from './stores.ts';
import { webhookOf } from './webhook.ts';

/** What became of one webhook, as the shop that sent it knows. Times on the run's clock. */
export interface DeliveryRecord {
  planned: PlannedDelivery;
  /** When its first byte was sent; null: never. */
  sentMs: number | null;
  /** When its first 2xx had arrived; null: none has. */
  answeredMs: number | null;
  /** When it was known to be applied, and not only stored; null: no answer said so. */
  appliedMs: number | null;
  /** Attempts by what came of them: a status, or the code of a lost connection. */
  attempts: Record<string, number>;
  /** Answers that the contract does not know, with their bodies. */
  surprises: string[];
}

/** One click on the unsubscribe link of an email. Times on the run's clock. */
export interface UnsubscribeRecord {
  shopper: string;
  email: string;
  sentMs: number;
  answeredMs: number | null;
  attempts: Record<string, number>;
}

export interface Shop {
  deliveries: DeliveryRecord[];
  unsubscribes: UnsubscribeRecord[];
  /** Deliver until it is answered 2xx, and again where that is planned. */
  deliver(planned: PlannedDelivery): Promise<void>;
  /** POST the link until it is answered 2xx. */
  unsubscribe(shopper: string, email: string, url: string): Promise<void>;
  /** No further attempts. */
  close(): void;
}

// Shops give up an answer after 5 s and come again; a real one waits longer between attempts.
const patienceMs = 5_000;
const pausesMs = [250, 500, 1_000, 2_000, 4_000, 6_000, 8_000];

/**
 * The shop's side: signed webhooks over real HTTP, repeated with the same id until a 2xx, as docs/webhooks.md asks of senders.
 * @param ports - of the API processes; attempts take turns, as behind a load balancer
 */
export function openShop(options: { ports: readonly number[]; access: Record<Store, StoreAccess>; leads: LeadAccess; clock: RunClock }): Shop {
  const { ports, access, leads, clock } = options;
  const closing = new AbortController();
  // Every delivery that waits listens to it.
  setMaxListeners(0, closing.signal);
  const deliveries: DeliveryRecord[] = [];
  const unsubscribes: UnsubscribeRecord[] = [];
  let turn = 0;
  const nextPort = () => ports[turn++ % ports.length] ?? 0;

  async function untilAnswered(record: { attempts: Record<string, number> }, attempt: () => Promise<Answer>): Promise<Answer | null> {
    for (let n = 0; !closing.signal.aborted; n++) {
      const answer = await attempt();
      record.attempts[answer.result] = (record.attempts[answer.result] ?? 0) + 1;
      if (answer.status !== null && answer.status >= 200 && answer.status < 300) return answer;
      await pause(pausesMs[Math.min(n, pausesMs.length - 1)] ?? 0);
    }
    return null;
  }
  const pause = (ms: number) => sleep(ms, undefined, { signal: closing.signal }).catch(() => undefined);

  return {
    deliveries,
    unsubscribes,
    async deliver(planned) {
      const record: DeliveryRecord = { planned, sentMs: null, answeredMs: null, appliedMs: null, attempts: {}, surprises: [] };
      deliveries.push(record);
      const { method, path, payload, sign } = webhookOf(planned, access[planned.store], leads, clock.toWallMs(planned.happenedAtMs));
      const once = async () => {
        record.sentMs ??= clock.nowMs();
        const answer = await send(clock, nextPort(), { method, path, payload, headers: sign(Date.now()) });
        if (answer.status === 200) record.answeredMs ??= answer.atMs;
        if (answer.status === 200 && !answer.body.includes('"pending"')) record.appliedMs ??= answer.atMs;
        // What a sender is told to expect while something is away: 503, or no answer at all.
        if (answer.status !== null && answer.status !== 200 && answer.status !== 503)
          record.surprises.push(`${answer.status} ${answer.body.slice(0, 300)}`);
        if (answer.status === 200 && /quarantined|ignored/.test(answer.body)) record.surprises.push(answer.body);
        return answer;
      };
      await untilAnswered(record, once);
      if (planned.againAfterMs === null) return;
      await pause(planned.againAfterMs);
      await untilAnswered(record, once);
    },
    async unsubscribe(shopper, email, url) {
      const record: UnsubscribeRecord = { shopper, email, sentMs: clock.nowMs(), answeredMs: null, attempts: {} };
      unsubscribes.push(record);
      const answer = await untilAnswered(record, () =>
        send(clock, nextPort(), {
          method: 'POST',
          path: new URL(url).pathname,
          payload: 'List-Unsubscribe=One-Click',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        }),
      );
      record.answeredMs = answer?.atMs ?? null;
    },
    close: () => closing.abort(),
  };
}

interface Answer {
  /** null: none came. */
  status: number | null;
  body: string;
  /** When the status had arrived. */
  atMs: number;
  /** The status, or how the attempt failed. */
  result: string;
}

interface Attempt {
  method: 'GET' | 'POST';
  path: string;
  payload: string;
  headers: Record<string, string>;
}

function send(clock: RunClock, port: number, { method, path, payload, headers }: Attempt): Promise<Answer> {
  return new Promise((resolve) => {
    const req = request({ agent: false, host: '127.0.0.1', port, path, method, headers }, (res) => {
      // The earliest moment at which the shop may rely on it.
      const atMs = clock.nowMs();
      const status = res.statusCode ?? null;
      let body = '';
      const finish = () => resolve({ status, body, atMs, result: String(status) });
      res.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      res.on('end', finish);
      // The status counts, whatever becomes of the body.
      res.on('error', finish);
      res.on('close', finish);
    });
    const timer = setTimeout(() => req.destroy(new Error('no answer in time')), patienceMs);
    req.on('close', () => clearTimeout(timer));
    req.on('error', (error) => {
      const code = 'code' in error ? String(error.code) : error.message;
      resolve({ status: null, body: '', atMs: clock.nowMs(), result: code });
    });
    req.end(payload);
  });
}
