import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type CloseReason, listenOver, type ListeningSocket } from '../../api/resources/live/socket.ts';
import { openListeners, tellAll } from '../../bench/listeners.ts';
import type { LiveEvent } from '../../operations/live/read-events.ts';
import { openShop, type Shop, until } from '../helpers/shop.ts';

// A listener who is slow costs its process a bounded amount of memory, and nothing is lost to it. Many listeners are told what one is told.

let server: WebSocketServer;
beforeAll(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((done) => server.once('listening', done));
});
afterAll(() => server.close());

const anEvent = (n: number, bytes: number): LiveEvent => {
  const body = JSON.stringify({ type: 'task.opened', timestamp: '', data: { text: 'x'.repeat(bytes) } });
  return { id: `msg_${n}`, type: 'task.opened', atMs: 0, txid: '1', cursor: `c${n}`, body: { plain: body, personal: null } };
};

async function connected(): Promise<{
  listener: ListeningSocket;
  client: WebSocket;
  messages: Record<string, unknown>[];
  ended: CloseReason[];
  buffered(): number;
}> {
  const ended: CloseReason[] = [];
  const accepted = new Promise<WebSocket>((done) => server.once('connection', done));
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const messages: Record<string, unknown>[] = [];
  client.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Record<string, unknown>));
  const socket = await accepted;
  await until('it is open', () => client.readyState === client.OPEN);
  const listener = listenOver(socket, { tenantId: 't', withPersonalData: false, types: null }, (reason) => ended.push(reason));
  return { listener, client, messages, ended, buffered: () => socket.bufferedAmount };
}

test('whoever does not read is let go with the cursor of what it was sent last, and buffers little', async () => {
  const { listener, client, messages, ended, buffered } = await connected();
  client.pause();
  let sent = 0;
  // The system's own buffers hold some megabytes before ours grow.
  while (ended.length === 0 && sent < 5_000) {
    listener.tell(anEvent(++sent, 20_000));
    if (sent % 20 === 0) await new Promise(setImmediate);
  }
  expect(ended).toEqual(['too_slow']);
  expect(buffered()).toBeLessThan(1_000_000);
  listener.tell(anEvent(++sent, 10));
  client.resume();
  const end = await until('it reads to the end', () => messages.find(({ kind }) => kind === 'end'));
  const last = messages.findLast(({ kind }) => kind === 'event');
  expect(end).toMatchObject({ reason: 'too_slow', resume: last?.['cursor'] });
  await until('it is closed', () => client.readyState === client.CLOSED);
  expect(messages.at(-1)).toBe(end);
});

test('whoever reads on is told everything, in order', async () => {
  const { listener, messages, ended } = await connected();
  for (let n = 0; n < 300; n++) {
    listener.tell(anEvent(n, 5_000));
    await listener.drained();
  }
  await until('all are told', () => messages.length === 300);
  expect(messages.map(({ id }) => id)).toEqual(Array.from({ length: 300 }, (_, n) => `msg_${n}`));
  expect(ended).toEqual([]);
});

test('the load command tells each of its listeners every event', async () => {
  const shop: Shop = await openShop({ timeScale: 1 });
  await shop.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = shop.app.server.address() as AddressInfo;
  const listeners = await openListeners(`ws://127.0.0.1:${port}/api/live`, 30, { authorization: `Bearer ${shop.tenant.apiKey}` });
  expect(await tellAll(shop.database.url, shop.tenant.tenantId, listeners, 5)).toHaveLength(150);
  listeners.close();
  await shop.close();
});
