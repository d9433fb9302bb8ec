import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { sql } from 'drizzle-orm';
import { signStandardWebhook } from '../../integrations/standard-webhooks.ts';
import { signShopify } from '../../integrations/shopify/sign.ts';
import type { Shop } from '../helpers/shop.ts';

export type Provider = 'generic' | 'shopify';

export interface Webhook {
  body: string | Buffer;
  /** Default: what belongs to the body. */
  headers?: Record<string, string>;
  id?: string;
  topic?: string;
  secret?: string;
  /** Of the signature; Unix seconds. */
  seconds?: number;
  path?: string;
}

/** The headers under which a provider delivers a body. */
export function signed(shop: Shop, provider: Provider, { body, id = randomUUID(), topic = 'checkouts/update', secret, seconds }: Webhook) {
  const key = secret ?? shop.tenant.webhooks[provider].secret;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (provider === 'shopify')
    return { ...headers, 'x-shopify-topic': topic, 'x-shopify-webhook-id': id, 'x-shopify-hmac-sha256': signShopify(key, body) };
  const time = seconds ?? Math.floor(Date.now() / 1_000);
  return { ...headers, 'webhook-id': id, 'webhook-timestamp': String(time), 'webhook-signature': signStandardWebhook(key, id, time, body) };
}

/** Deliver, signed unless the headers say otherwise. */
export async function deliver(shop: Shop, provider: Provider, webhook: Webhook) {
  const response = await shop.app.inject({
    method: 'POST',
    url: webhook.path ?? shop.tenant.webhooks[provider].path,
    headers: { ...signed(shop, provider, webhook), ...webhook.headers },
    payload: webhook.body,
  });
  return { status: response.statusCode, type: String(response.headers['content-type']), body: response.json<Record<string, unknown>>() };
}

/** An event of the generic integration as text, `data` being JSON already where it is no ordinary value. */
export const genericEvent = (type: string, data: unknown): string =>
  `{"type":"${type}","timestamp":"${new Date().toISOString()}","data":${typeof data === 'string' ? data : JSON.stringify(data)}}`;

/** Everything that a tenant has, counted: what was refused leaves it as it is, but for the note that somebody signs with another secret. */
export async function everythingStored(shop: Shop): Promise<Record<string, unknown> | undefined> {
  const { rows } = await shop.deps.db.withTenant(shop.tenant.tenantId, (tx) =>
    tx.execute(sql`select (select count(*) from inbox) as inbox, (select count(*) from quarantine) as quarantine,
      (select count(*) from contacts) as contacts, (select count(*) from subjects) as subjects, (select count(*) from enrollments) as enrollments,
      (select count(*) from enrollments where ended_at is null) as running, (select count(*) from suppressions) as suppressions,
      (select count(*) from message_events) as reports, (select count(*) from outbox) as outbox, (select count(*) from audit_log) as audited,
      (select md5(string_agg((to_jsonb(c) - 'missigned_at')::text, '' order by id)) from connections c) as connections`),
  );
  return rows[0];
}

/** The shop on a real port, for what only bytes on a socket can say. */
export async function listen(shop: Shop): Promise<number> {
  await shop.app.listen({ port: 0, host: '127.0.0.1' });
  return (shop.app.server.address() as AddressInfo).port;
}

/** The head of a request as it goes over the wire. */
export function requestHead(path: string, headers: Record<string, string>): string {
  const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/**
 * Write what `write` gives, then end as told, and collect what comes back until the connection is over.
 * @returns the bytes that were answered, as text; empty where there was no answer
 */
export function talk(port: number, pieces: Iterable<string | Buffer>, end: 'half-close' | 'reset' | 'wait'): Promise<{ answer: string; ms: number }> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    const left = pieces[Symbol.iterator]();
    const go = (): void => {
      for (;;) {
        if (socket.destroyed) return;
        const next = left.next();
        if (next.done === true) {
          if (end === 'half-close') socket.end();
          if (end === 'reset') socket.resetAndDestroy();
          return;
        }
        if (!socket.write(next.value)) return void socket.once('drain', go);
      }
    };
    socket.on('connect', go);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    // A server that has answered may reset what it does not want to read.
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => resolve({ answer, ms: performance.now() - startedMs }));
  });
}
