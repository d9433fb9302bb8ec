import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop, type Shop } from '../helpers/shop.ts';

// No answer may be interpreted as another type than the declared one, on any route.
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ timeScale: 1 });
});
afterAll(() => shop.close());

test.each([
  ['GET', '/'],
  ['GET', '/healthz'],
  ['GET', '/readyz'],
  ['GET', '/metrics'],
  ['GET', '/openapi.json'],
  ['GET', '/recovery/sequences'],
  ['GET', '/o/unknown'],
  ['GET', '/c/unknown'],
  ['POST', '/u/unknown'],
  ['GET', '/nowhere'],
  ['DELETE', '/metrics'],
  ['POST', '/api/webhooks/generic'],
  ['POST', '/api/webhooks/nobody'],
  ['GET', '/%zz'],
] as const)('%s %s is answered with nosniff', async (method, url) => {
  const { headers } = await shop.app.inject({ method, url });
  expect(headers['x-content-type-options']).toBe('nosniff');
});

test.each([
  ['no HTTP', 'hello\r\n\r\n', 400],
  ['a head that is too large', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
])('%s is answered with nosniff and a problem', async (_what, bytes, status) => {
  if (!shop.app.server.listening) await shop.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = shop.app.server.address() as AddressInfo;
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toContain('x-content-type-options: nosniff');
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status });
});
