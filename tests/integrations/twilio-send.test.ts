import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NoAnswerError } from '../../integrations/http/ask.ts';
import type { SendOutcome, SmsPayload } from '../../integrations/port.ts';
import { twilioConfig } from '../../integrations/twilio/config.ts';
import { twilio } from '../../integrations/twilio/index.ts';
import { callbackOf, createTwilioSender } from '../../integrations/twilio/send.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { deadlineIn } from './sender-conformance.ts';
import { aText, testConfig, twilioDialect } from './twilio/conformance.ts';
import { accountSid, messageSid } from './twilio/deliveries.ts';

let provider: StubProvider;
/** What the stand-in answers with beside the status; null: Twilio's own. */
let answer: Record<string, unknown> | null;
let seen: { path: string; authorization: string }[];
let listed: Record<string, unknown> | null;
beforeEach(async () => {
  answer = null;
  listed = null;
  seen = [];
  provider = await startStubProvider(false, {
    ...twilioDialect,
    keyOf: (request, body) => {
      seen.push({ path: request.url ?? '', authorization: String(request.headers.authorization) });
      return twilioDialect.keyOf(request, body);
    },
    bodyOf: (status) => answer ?? twilioDialect.bodyOf(status),
    tell: (accepted, request) => listed ?? twilioDialect.tell(accepted, request),
  });
});
afterEach(() => provider.stop());

async function send(payload: SmsPayload = aText('a:1'), config: object = {}, webhookUrl: string | null = null): Promise<SendOutcome> {
  const session = await createTwilioSender({ ...testConfig(provider.port), ...config }, { webhookUrl }).open();
  return session.send(payload, 'a:1', deadlineIn(5_000));
}
const sentForm = () => Object.fromEntries(new URLSearchParams(provider.accepted.at(-1)?.body));

test('a text is posted to the account, and its id is kept', async () => {
  const outcome = await send(aText('a:1'), {}, 'http://127.0.0.1:3000/api/webhooks/twilio/c');
  expect(outcome).toEqual({ kind: 'accepted', providerMessageId: messageSid, response: 'HTTP 201' });
  expect(sentForm()).toEqual({
    To: '+12025550143',
    From: '+15005550006',
    Body: aText('a:1').text,
    ValidityPeriod: '14400',
    StatusCallback: 'http://127.0.0.1:3000/api/webhooks/twilio/c',
  });
  expect(seen).toEqual([
    { path: `/2010-04-01/Accounts/${accountSid}/Messages.json`, authorization: `Basic ${btoa(`${accountSid}:an-invented-token`)}` },
  ]);
});

test('it leaves by the service, by the sender of the text, or with an API key', async () => {
  const messagingServiceSid = 'MG00000000000000000000000000000001';
  await send(aText('a:1'), { from: undefined, messagingServiceSid });
  expect(sentForm()).toMatchObject({ MessagingServiceSid: messagingServiceSid });
  expect(sentForm()).not.toHaveProperty('From');
  await send(aText('a:1', { from: 'Teahouse' }));
  expect(sentForm()).toMatchObject({ From: 'Teahouse' });
  await send(aText('a:1'), { apiKey: { sid: 'SK1', secret: 's' } });
  expect(seen.at(-1)?.authorization).toBe(`Basic ${btoa('SK1:s')}`);
});

test.for([
  [400, 21211, 'refused', 'hard'],
  [400, 21614, 'refused', 'hard'],
  [400, 21610, 'refused', 'hard'],
  [400, 21617, 'refused', 'soft'],
  [400, 21408, 'refused', 'soft'],
  [401, 20003, 'refused', 'soft'],
  [403, 20005, 'refused', 'soft'],
  [429, 20429, 'refused', 'soft'],
  [307, undefined, 'refused', 'soft'],
  [302, undefined, 'unknown', undefined],
  [408, undefined, 'unknown', undefined],
  [500, 20500, 'unknown', undefined],
  [503, 21610, 'unknown', undefined],
  [200, undefined, 'unknown', undefined],
] as const)('HTTP %i with code %s is %s %s', async ([status, code, kind, severity]) => {
  answer = { code, message: "Invalid 'To' Phone Number: +12025550143", status };
  provider.next({ act: 'answer', status });
  const outcome = await send();
  expect(outcome).toMatchObject({ kind, ...(severity === undefined ? {} : { severity }) });
  // The ledger keeps no number in the clear.
  expect(outcome.response).toBe(code === undefined ? `HTTP ${status}` : `HTTP ${status}, Twilio error ${code}`);
});

test('a server that knows no 100-continue gets the message all the same', async () => {
  const { createServer } = await import('node:net');
  const got: string[] = [];
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      got.push(chunk.toString());
      if (got.join('').endsWith('ValidityPeriod=14400&From=%2B15005550006'))
        socket.end('HTTP/1.1 201 Created\r\ncontent-length: 44\r\n\r\n{"sid":"SM00000000000000000000000000000001"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const session = await createTwilioSender(
    testConfig(typeof address === 'object' ? (address?.port ?? 0) : 0),
    { webhookUrl: null },
    { continueMs: 20 },
  ).open();
  expect(await session.send(aText('a:1'), 'a:1', deadlineIn(5_000))).toMatchObject({ kind: 'accepted', providerMessageId: messageSid });
  server.close();
});

describe('a question about a text', () => {
  const find = (payload = aText('a:1')) => {
    const { reconciliation } = createTwilioSender(testConfig(provider.port), { webhookUrl: null });
    if (reconciliation.kind !== 'find') throw new Error('cannot ask');
    return reconciliation.find('a:1', payload);
  };
  const message = (body: string | null, direction = 'outbound-api') => ({ body, direction });

  test('finds it by its own link, and not by one that begins alike', async () => {
    const { shortUrl } = aText('a:1');
    listed = { messages: [message(`See ${shortUrl}x`), message(`See ${shortUrl}-2`)], next_page_uri: null };
    expect(await find()).toBe('not_accepted');
    listed = { messages: [message(`See ${shortUrl}x`), message(`Here: ${shortUrl}. Bye`)], next_page_uri: null };
    expect(await find()).toBe('accepted');
  });

  test('has no answer where the list is not whole, texts are redacted, or the text has no link', async () => {
    listed = { messages: [message('hello')], next_page_uri: '/2010-04-01/…' };
    await expect(find()).rejects.toThrow(NoAnswerError);
    listed = { messages: [message('')], next_page_uri: null };
    await expect(find()).rejects.toThrow(NoAnswerError);
    listed = { messages: [message('', 'inbound')], next_page_uri: null };
    expect(await find()).toBe('not_accepted');
    await expect(find(aText('a:1', { shortUrl: null }))).rejects.toThrow(NoAnswerError);
  });
});

describe('the configuration', () => {
  const valid = { accountSid, authToken: 't', from: '+15005550006' };

  test("leads to Twilio unless it says otherwise, and holds the webhooks' secret", () => {
    expect(twilioConfig.parse(valid).baseUrl).toBe('https://api.twilio.com');
    expect(twilio.webhookSecrets?.(valid)).toEqual(['t']);
    expect(twilio.sender?.(valid, { webhookUrl: null }).account).toBe(`twilio:${accountSid}`);
  });

  test.for([
    { ...valid, messagingServiceSid: 'MG00000000000000000000000000000001' },
    { accountSid, authToken: 't' },
    { ...valid, accountSid: 'AC1' },
    { ...valid, authToken: '' },
    { ...valid, from: '12025550143 or so, call me' },
    { ...valid, baseUrl: 'ftp://api.twilio.com' },
    { ...valid, surprise: true },
  ])('that cannot be used is refused: %j', (config) => {
    expect(twilioConfig.safeParse(config).success).toBe(false);
  });

  test.for([
    ['https://api.twilio.com', 'https://shop.example/w', 'https://shop.example/w'],
    ['https://api.twilio.com', 'http://localhost:3000/w', null],
    ['https://api.twilio.com', 'http://127.0.0.1:3000/w', null],
    ['http://127.0.0.1:4000', 'http://localhost:3000/w', 'http://localhost:3000/w'],
    ['https://api.twilio.com', null, null],
  ] as const)('leads to %s: receipts for %s are asked for at %s', ([baseUrl, webhookUrl, callback]) => {
    expect(callbackOf({ baseUrl }, { webhookUrl })).toBe(callback);
  });
});
