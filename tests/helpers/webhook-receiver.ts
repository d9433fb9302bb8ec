import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedWebhook {
  id: string;
  headers: IncomingHttpHeaders;
  body: string;
  json: { type: string; timestamp: string; data: Record<string, unknown> };
}

/** What the receiver does with a request. `drop`: ends the connection without an answer. */
export type Behaviour = { status: number; headers?: Record<string, string>; body?: string } | 'drop' | Promise<{ status: number }>;

/** A receiver of outgoing webhooks on this machine. `behave` may be replaced at any time. */
export interface WebhookReceiver {
  url: string;
  received: ReceivedWebhook[];
  /** Requests that are being answered now, and the most there ever were at once. */
  open: { now: number; most: number };
  behave: (request: ReceivedWebhook) => Behaviour;
  close(): Promise<void>;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      receiver.open.now += 1;
      receiver.open.most = Math.max(receiver.open.most, receiver.open.now);
      response.on('close', () => (receiver.open.now -= 1));
      const body = Buffer.concat(parts).toString();
      const got = { id: String(request.headers['webhook-id']), headers: request.headers, body, json: JSON.parse(body) as ReceivedWebhook['json'] };
      receiver.received.push(got);
      void Promise.resolve(receiver.behave(got)).then((done) => {
        if (done === 'drop') return request.socket.destroy();
        const { status, headers = {}, body: answer = '' } = { headers: undefined, body: undefined, ...done };
        return response.writeHead(status, headers ?? {}).end(answer);
      });
    });
  });
  const receiver: WebhookReceiver = {
    url: '',
    received: [],
    open: { now: 0, most: 0 },
    behave: () => ({ status: 204 }),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
  return receiver;
}
