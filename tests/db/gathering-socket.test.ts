import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GatheringSocket } from '../../db/gathering-socket.ts';

let server: Server;
let received = '';
beforeAll(async () => {
  server = createServer((socket) => socket.on('data', (data) => (received += data.toString())));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(() => void server.close());

/** Counts what is handed to the system. */
class CountingSocket extends GatheringSocket {
  handedOver = 0;
  override _write(...args: never[]): void {
    this.handedOver += 1;
    Reflect.apply(super._write, this, args);
  }
  override _writev(...args: never[]): void {
    this.handedOver += 1;
    Reflect.apply(super._writev ?? super._write, this, args);
  }
}

test('what is written in one turn is handed over once, also where the driver corks around each statement', async () => {
  const socket = new CountingSocket();
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('begin ');
  socket.cork();
  socket.write('parse ');
  socket.write('execute ');
  socket.uncork();
  socket.cork();
  socket.write('execute ');
  socket.uncork();
  socket.write('commit');
  await expect.poll(() => received).toBe('begin parse execute execute commit');
  expect(socket.handedOver).toBe(1);
  socket.write(', and the next turn');
  await expect.poll(() => received).toContain('next turn');
  expect(socket.handedOver).toBe(2);
  socket.destroy();
});
