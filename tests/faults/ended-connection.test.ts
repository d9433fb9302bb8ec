import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../db/client.ts';
import { classifyFailure } from '../../operations/classify-failure.ts';

// A Postgres that goes down while a connection is being made: ready for queries, and at once ended, in one packet.

let server: Server;
let db: Database;
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(Buffer.concat([authenticated, ready, ended])));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  db = openDatabase({ url: `postgres://nobody:nothing@127.0.0.1:${port}/none` });
});
afterAll(async () => {
  await db.close();
  server.close();
});

const message = (type: string, body: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
};
const authenticated = message('R', Buffer.alloc(4));
const ready = message('Z', Buffer.from('I'));
const ended = message('E', Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0'));

// An error event that nobody listens to ends the process; here it fails the run.
test.each<[string, () => Promise<unknown>]>([
  ['a transaction', () => db.withTenant(randomUUID(), async () => 1)],
  ['a settling', () => db.settling(randomUUID(), async () => 1)],
  ['a question', () => db.ping()],
])('%s on a connection that is ended the moment it opens fails, may be tried again, and ends no process', async (_what, work) => {
  const error: unknown = await work().then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(Error);
  expect(classifyFailure(error)).toBe('unavailable');
});
