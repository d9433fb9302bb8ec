import { createServer, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askJson } from '../../integrations/http/ask.ts';
import { connect } from '../../integrations/http/connect.ts';
import { mayConnectTo, outboundFetch, type PrivateAddresses, restrictPrivateAddresses } from '../../integrations/http/outbound.ts';
import { createOpenAiWriter } from '../../integrations/openai/write.ts';
import { openAiConfig } from '../../integrations/openai/config.ts';
import { openSmtp } from '../../integrations/smtp/open-session.ts';
import { parseSmtpUrl } from '../../integrations/smtp/connection.ts';

// What a store has entered is called, except in the network of whoever runs the installation: docs/rules.md#rule-88

let web: Server;
let mail: TcpServer;
let connections = 0;
let port = 0;
beforeAll(async () => {
  // A connection that is kept was made when another rule held.
  web = createServer((_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' }).end('{"secret":1}'),
  );
  web.on('connection', () => connections++);
  mail = createTcpServer((socket) => {
    connections++;
    // What it does not read would keep it open.
    socket.on('error', () => undefined).resume();
    socket.end('220 hello\r\n');
  });
  for (const server of [web, mail]) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (web.address() as AddressInfo).port;
});
afterAll(async () => {
  for (const server of [web, mail]) await new Promise((done) => server.close(done));
});

let before: PrivateAddresses;
const none: PrivateAddresses = { kind: 'only', ranges: [], mailServer: null };
beforeEach(() => {
  connections = 0;
  before = restrictPrivateAddresses(none);
});
afterEach(() => void restrictPrivateAddresses(before));

test.each([
  ['127.0.0.1', false],
  ['10.1.2.3', false],
  ['172.16.0.1', false],
  ['192.168.1.1', false],
  ['169.254.169.254', false],
  ['100.64.0.1', false],
  ['0.0.0.0', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::1', false],
  ['::', false],
  ['fe80::1', false],
  ['fe80::1%eth0', false],
  ['fd12::1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:8.8.8.8', true],
  ['64:ff9b::7f00:1', false],
  ['2002:7f00:1::', false],
  ['::7f00:1', false],
  ['::127.0.0.1', false],
  ['fec0::1', false],
  ['4000::1', false],
  ['8.8.8.8', true],
  ['2606:4700:4700::1111', true],
  ['nonsense', false],
])('%s may be connected to: %s', (address, expected) => {
  expect(mayConnectTo(address)).toBe(expected);
});

test('ranges that are allowed are, and no others', () => {
  restrictPrivateAddresses({ kind: 'only', ranges: ['10.20.0.0/16', 'fd00::/8'], mailServer: null });
  expect(['10.20.3.4', '10.21.3.4', 'fd12::1', 'fe80::1', '::ffff:10.20.3.4'].map(mayConnectTo)).toEqual([true, false, true, false, true]);
});

describe.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433'])(
  'an address that leads to this machine, written %s',
  (host) => {
    const url = () => new URL(`http://${host}:${port}/`);

    test('is connected to by no way of calling', async () => {
      const model = { baseUrl: url().href, apiKey: 'a-key-of-nobody', model: 'a-model' };
      await expect(connect(url(), 2_000)).rejects.toThrow(/private network/);
      await expect(outboundFetch(url())).rejects.toMatchObject({ cause: { code: 'private_address' } });
      await expect(askJson(url(), {}, 2_000)).rejects.toThrow();
      await expect(createOpenAiWriter(openAiConfig.parse(model)).check()).rejects.toThrow();
      const smtp = parseSmtpUrl(`smtp://${host}:${(mail.address() as AddressInfo).port}`);
      await expect(openSmtp(smtp, 2_000)).rejects.toThrow(/private network/);
      expect(connections).toBe(0);
    });

    test('is called where all may be', async () => {
      restrictPrivateAddresses({ kind: 'all' });
      const opened = await connect(url(), 2_000).catch(() => null);
      opened?.destroy();
      // Not every spelling reaches a server that listens on IPv4 alone.
      if (host !== '[::ffff:127.0.0.1]') expect(await askJson(url(), {}, 2_000)).toEqual({ secret: 1 });
    });
  },
);

test('a redirect into a private network leads nowhere', async () => {
  // The public internet of this test: another address of this machine.
  restrictPrivateAddresses({ kind: 'only', ranges: ['127.0.0.2/32'], mailServer: null });
  const redirecting = createServer((_request, response) => response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end());
  await new Promise<void>((done) => redirecting.listen(0, '127.0.0.2', done));
  const from = `http://127.0.0.2:${(redirecting.address() as AddressInfo).port}/`;
  await expect(outboundFetch(from)).rejects.toMatchObject({ cause: { code: 'private_address' } });
  expect(connections).toBe(0);
  await new Promise((done) => redirecting.close(done));
});

test.each(['127.0.0.1', 'localhost'])(
  'the mail server of the installation, at %s, is reached by SMTP at its port, and by nothing else',
  async (host) => {
    const mailPort = (mail.address() as AddressInfo).port;
    const open = (at: number) => openSmtp(parseSmtpUrl(`smtp://${host}:${at}`), 2_000);
    restrictPrivateAddresses({ kind: 'only', ranges: [], mailServer: { host, port: mailPort } });
    for (const at of [port, mailPort]) {
      const url = new URL(`http://${host}:${at}/`);
      await expect(connect(url, 2_000)).rejects.toThrow(/private network/);
      await expect(outboundFetch(url)).rejects.toMatchObject({ cause: { code: 'private_address' } });
    }
    await expect(open(port)).rejects.toThrow(/private network/);
    expect(connections).toBe(0);
    // It says hello and hangs up.
    await expect(open(mailPort)).rejects.not.toThrow(/private network/);
    expect(connections).toBe(1);
  },
);

test('an answer that would fill the memory is not read to its end, however small it was made', async () => {
  restrictPrivateAddresses({ kind: 'all' });
  const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, ' '));
  const bombing = createServer((_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip', connection: 'close' }).end(bomb),
  );
  await new Promise<void>((done) => bombing.listen(0, '127.0.0.1', done));
  const url = new URL(`http://127.0.0.1:${(bombing.address() as AddressInfo).port}/`);
  await expect((await outboundFetch(url)).text()).rejects.toMatchObject({ code: 'endless_answer' });
  await expect(askJson(url, {}, 60_000)).rejects.toThrow('longer than 16 MiB');
  bombing.closeAllConnections();
  await new Promise((done) => bombing.close(done));
});
