import { createHash } from 'node:crypto';
import webPush from 'web-push';
import { readPushAddress } from '../../domain/people/push-subscription.ts';
import { connect, HttpOpenError, type OpenHttp } from '../http/connect.ts';
import { fencedRequest, type HttpMessage } from '../http/fenced-request.ts';
import { type HttpAnswer, judgeStatus } from '../http/judge.ts';
import type { PushPayload, Sender, SenderSession, SendOutcome } from '../port.ts';
import { isKnownHost, type WebPushConfig } from './config.ts';

/**
 * Notifications by Web Push. Push services know no idempotency keys and cannot be asked: a call in doubt stays `unknown`.
 * Source: RFC 8030, section 5; RFC 8291; RFC 8292
 * @param deps - times of the connection; tests shorten them
 */
export function createWebPushSender(config: WebPushConfig, deps: { openTimeoutMs?: number; continueMs?: number } = {}): Sender<'push'> {
  const { publicKey, privateKey } = config;
  if (publicKey === undefined || privateKey === undefined) throw new Error('A connection of web-push has a pair of keys.');
  const times = { openTimeoutMs: deps.openTimeoutMs ?? 1_500, continueMs: deps.continueMs ?? 500 };
  return {
    channel: 'push',
    account: accountOf(publicKey),
    times: { deadlineMs: 4_000, leaseMs: 4_500, deadLeaseMs: 10_000 },
    reconciliation: { kind: 'none' },
    open: () => Promise.resolve(openSession({ ...config, publicKey, privateKey }, times)),
  };
}

/** Names the keys in the ledger: subscriptions count for no others. */
export const accountOf = (publicKey: string): string => `web-push:${createHash('sha256').update(publicKey).digest('base64url').slice(0, 16)}`;

type Keyed = WebPushConfig & { publicKey: string; privateKey: string };

/** Each subscription names its own server, so the connection is made when the message is known. */
function openSession(config: Keyed, { openTimeoutMs, continueMs }: { openTimeoutMs: number; continueMs: number }): SenderSession<'push'> {
  const closing = new AbortController();
  let connection: OpenHttp | null = null;
  let used = false;
  return {
    async send(payload, sendKey, deadline, begun) {
      if (used) throw new Error('A session sends one message.');
      used = true;
      const message = toMessage(config, payload, sendKey);
      if (message === null) return refused('the subscription is of no push service that the connection knows', false);
      const waitMs = Math.min(openTimeoutMs, deadline.remainingMs());
      if (waitMs <= 0) return refused('the deadline came before the call', true);
      try {
        connection = await connect(message.url, waitMs);
      } catch (error) {
        if (error instanceof HttpOpenError) return refused(`no connection to ${message.url.host}`, true);
        throw error;
      }
      if (closing.signal.aborted) return closedEarly(connection);
      return fencedRequest(connection, message, deadline, closing.signal, continueMs, begun);
    },
    close() {
      closing.abort();
      connection?.destroy();
    },
  };
}

function closedEarly(connection: OpenHttp): SendOutcome {
  connection.destroy();
  return refused('the session was closed', true);
}

const refused = (response: string, outage: boolean): SendOutcome => ({
  kind: 'refused',
  severity: 'soft',
  ...(outage ? { outage: true } : {}),
  response,
});

/** What the worker on the store's pages reads (`api/routes/onsite/push-worker.js`). `tag`: a notification that comes twice is shown once. */
const contentOf = ({ title, text, url, language, direction }: PushPayload, tag: string): string =>
  JSON.stringify({ title, text, url, language, direction, tag });

/** @returns null: its push service is not one that we send to */
export function toMessage(config: Keyed, payload: PushPayload, sendKey: string): HttpMessage | null {
  const { endpoint, p256dh, auth } = readPushAddress(payload.to);
  if (!isKnownHost(endpoint, config.hosts)) return null;
  // Of a message in doubt, at most one waits for a device that is off. Source: RFC 8030, section 5.4
  const topic = createHash('sha256').update(sendKey).digest('base64url').slice(0, 32);
  const { headers, body } = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, contentOf(payload, topic), {
    vapidDetails: { subject: config.contact, publicKey: config.publicKey, privateKey: config.privateKey },
    TTL: config.ttlSeconds,
    topic,
    urgency: 'normal',
  });
  const { 'Content-Length': _length, ...sent } = headers;
  const own = new URL(endpoint);
  const url = config.baseUrl === undefined ? own : new URL(`${own.pathname}${own.search}`, config.baseUrl);
  return {
    url,
    headers: Object.fromEntries(Object.entries(sent).map(([name, value]) => [name.toLowerCase(), String(value)])),
    body: body ?? Buffer.alloc(0),
    judge: judgePush,
  };
}

/** What an answer to a message that was sent whole means. Source: RFC 8030, sections 5 and 7.3 */
export function judgePush({ status, headers }: HttpAnswer): SendOutcome {
  const response = `HTTP ${status}`;
  // The browser has given the subscription up.
  if (status === 404 || status === 410) return { kind: 'refused', severity: 'hard', response };
  if (status === 429) return tooMany(response, headers['retry-after']);
  const location = headers['location'];
  // A refusal of our keys may be about this subscription alone, which was made with others: it stands for no other message.
  return judgeStatus(status, response, typeof location === 'string' ? location.slice(-200) : null);
}

const longestWaitMs = 3_600_000;

/** The push service limits the store, whoever the message is for, and may say for how long, in seconds or as a date. Source: RFC 9110, section 10.2.3 */
function tooMany(response: string, retryAfter: string | string[] | undefined): SendOutcome {
  const asked = typeof retryAfter === 'string' ? retryAfter.trim() : '';
  const waitMs = /^\d{1,9}$/.test(asked) ? Number(asked) * 1_000 : asked.endsWith(' GMT') ? Date.parse(asked) - Date.now() : Number.NaN;
  if (!Number.isFinite(waitMs)) return { kind: 'refused', severity: 'soft', response };
  return { kind: 'refused', severity: 'soft', outage: true, retryAfterMs: Math.min(longestWaitMs, Math.max(0, waitMs)), response };
}
