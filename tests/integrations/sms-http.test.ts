import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { smsHttpConfig } from '../../integrations/sms-http/config.ts';
import { smsHttpReceiver } from '../../integrations/sms-http/receive.ts';
import { createSmsHttpSender } from '../../integrations/sms-http/send.ts';
import type { Delivery, SmsPayload } from '../../integrations/port.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { deadlineIn } from './sender-conformance.ts';
import { aText, report, retailConfig, retailDialect, telecomConfig, telecomDialect, theirText } from './sms-http/conformance.ts';

let provider: StubProvider;
let answer: Record<string, unknown> | string | null = null;
let seen: { method: string; url: string; headers: Record<string, unknown> }[] = [];
beforeEach(() => {
  answer = null;
  seen = [];
});
afterEach(() => provider.stop());

async function start(kind: 'retail' | 'telecom') {
  const dialect = kind === 'retail' ? retailDialect : telecomDialect;
  provider = await startStubProvider(false, {
    ...dialect,
    keyOf: (request, body) => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
      return dialect.keyOf(request, body);
    },
    bodyOf: (status) => answer ?? dialect.bodyOf(status),
  });
}
async function send(config: object, payload: SmsPayload = aText('a:1'), webhookUrl: string | null = null) {
  const session = await createSmsHttpSender(smsHttpConfig.parse(config), { webhookUrl }).open();
  try {
    return await session.send(payload, 'a:1', deadlineIn(5_000));
  } finally {
    session.close();
  }
}
const spec = providerSpec('sms-http/openapi-alaris-and-sms-retail.json');

describe('a text by SMS-Retail', () => {
  beforeEach(() => start('retail'));

  test('is posted as JSON with the key, and its id is kept', async () => {
    expect(await send(retailConfig(provider.port))).toEqual({ kind: 'accepted', providerMessageId: '12345', response: 'HTTP 200' });
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/ext/api/v1/messages/send', headers: { 'x-api-key': 'an-invented-key' } });
    expect(JSON.parse(provider.accepted[0]?.body ?? '')).toEqual({ messages: [{ phone: '12025550143', text: aText('a:1').text, type: 'sms' }] });
  });

  test.skipIf(spec === null)('is a request as its interface is described', async () => {
    await send(retailConfig(provider.port));
    const body = '/paths/~1ext~1api~1v1~1messages~1send/post/requestBody/content/application~1json/schema';
    expect(faultsBy(spec, body, JSON.parse(provider.accepted[0]?.body ?? ''))).toEqual([]);
    expect(faultsBy(spec, body, { messages: [{ phone: '+1 (202)', text: 'Hello', type: 'sms' }] })).not.toEqual([]);
  });

  test.for([
    [200, { success: false }, { kind: 'refused', severity: 'soft' }],
    [200, { success: true, messages: [] }, { kind: 'unknown' }],
    [200, '<html>welcome</html>', { kind: 'unknown' }],
    [200, 'OK', { kind: 'unknown' }],
    [400, { success: false }, { kind: 'refused', severity: 'soft' }],
    [401, {}, { kind: 'refused', severity: 'soft' }],
    [429, {}, { kind: 'refused', severity: 'soft' }],
    [500, { success: false }, { kind: 'unknown' }],
  ] as const)('HTTP %i with %j is judged by what it proves', async ([status, body, outcome]) => {
    answer = body;
    provider.nextOnly({ act: 'answer', status });
    expect(await send(retailConfig(provider.port))).toMatchObject(outcome);
  });

  test('what looks like a placeholder in the text is sent as it is', async () => {
    await send(retailConfig(provider.port), aText('x', { text: 'Say {{secret.apiKey}} or "{{to}}"\n' }));
    expect(provider.accepted[0]?.body).toContain(String.raw`Say {{secret.apiKey}} or \"{{to}}\"\n`);
  });
});

describe('a text by 23Telecom', () => {
  beforeEach(() => start('telecom'));
  const sentQuery = () => Object.fromEntries(new URL(seen.at(-1)?.url ?? '', 'http://x').searchParams);

  test('is asked for by GET, never cut, and its id is kept', async () => {
    const outcome = await send(telecomConfig(provider.port), aText('x', { text: 'Tee & Kekse: 5 € für +1 = „ja“' }));
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: 'alss-a1b2c3d4-e5f67890', response: 'HTTP 200' });
    expect(seen[0]?.method).toBe('GET');
    expect(sentQuery()).toEqual({
      username: 'shop',
      password: 'an-invented-password',
      command: 'submit',
      ani: 'Teahouse',
      dnis: '12025550143',
      message: 'Tee & Kekse: 5 € für +1 = „ja“',
      longMessageMode: 'split',
    });
  });

  test.skipIf(spec === null)('is a request as its interface is described', async () => {
    await send(telecomConfig(provider.port), aText('x', { from: '+15005550006' }));
    const query = sentQuery();
    const { parameters } = (spec as { paths: { '/sms/api': { get: { parameters: { name: string; required: boolean }[] } } } }).paths['/sms/api'].get;
    for (const [index, { name, required }] of parameters.entries()) {
      if (required) expect(query).toHaveProperty(name);
      if (name in query) expect(faultsBy(spec, `/paths/~1sms~1api/get/parameters/${index}/schema`, query[name])).toEqual([]);
    }
    expect(Object.keys(query).filter((name) => !parameters.some((parameter) => parameter.name === name))).toEqual([]);
  });

  test.for([
    [200, 'NO ROUTES', { kind: 'refused', severity: 'soft', outage: true, response: 'HTTP 200, NO ROUTES' }],
    [400, 'SRC POI NOT FOUND', { kind: 'refused', severity: 'soft', outage: true }],
    [400, 'Destination number is too long: 12025550143', { kind: 'refused', severity: 'hard', response: 'HTTP 400, Destination number' }],
    [200, 'Something else about 12025550143', { kind: 'refused', severity: 'soft', response: 'HTTP 200, an error in plain text' }],
    [200, '<html>', { kind: 'unknown' }],
    [200, '{"message_', { kind: 'unknown' }],
    [200, '', { kind: 'unknown' }],
    [401, 'login', { kind: 'refused', severity: 'soft' }],
    [408, 'NO ROUTES', { kind: 'unknown' }],
    [503, 'NO ROUTES', { kind: 'unknown' }],
  ] as const)('HTTP %i with "%s" is judged by what it proves, and the ledger keeps no number', async ([status, body, outcome]) => {
    answer = body;
    provider.nextOnly({ act: 'answer', status });
    const said = await send(telecomConfig(provider.port));
    expect(said).toMatchObject(outcome);
    expect(said.response).not.toContain('1202');
  });

  test('a text that no address can hold is refused before anything is sent', async () => {
    expect(await send(telecomConfig(provider.port), aText('x', { text: 'я'.repeat(3_000) }))).toMatchObject({ kind: 'refused', severity: 'soft' });
    expect(provider.calls).toBe(0);
  });
});

describe('a gateway by configuration', () => {
  beforeEach(() => start('retail'));
  const gateway = {
    url: 'https://gateway.example.com/send.php?v=2',
    form: { login: '{{secret.login}}', phone: '{{to}}', sender: '{{from}}', mes: '{{text}}', ref: '{{key}}', callback: '{{webhookUrl}}' },
    accepted: { begins: 'OK' },
    refused: [{ text: 'bad number', severity: 'hard' }],
  };
  const config = () => ({ gateway, secrets: { login: 'me&you' }, webhookToken: 'an-invented-token', baseUrl: `http://127.0.0.1:${provider.port}` });

  test('is posted its form; what is not known is left out; the callback has the token', async () => {
    answer = 'OK: 77-a';
    provider.nextOnly({ act: 'answer', status: 200, take: true });
    const outcome = await send(config(), aText('a:1'), 'https://r.example/api/webhooks/sms-http/c');
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: '77-a', response: 'HTTP 200' });
    expect(seen[0]?.url).toBe('/send.php?v=2');
    expect(Object.fromEntries(new URLSearchParams(provider.accepted[0]?.body))).toEqual({
      login: 'me&you',
      phone: '+12025550143',
      mes: aText('a:1').text,
      ref: 'a:1',
      callback: 'https://r.example/api/webhooks/sms-http/c?token=an-invented-token',
    });
    answer = 'Bad number';
    provider.nextOnly({ act: 'answer', status: 200 });
    expect(await send(config())).toMatchObject({ kind: 'refused', severity: 'hard' });
  });

  test.for([
    ['an unknown placeholder', { gateway: { ...gateway, form: { a: '{{phone}}' } } }],
    ['a missing secret', { secrets: {} }],
    ['both', { profile: 'sms-retail' }],
    ['neither', { gateway: undefined }],
    ['a GET with a body', { gateway: { ...gateway, method: 'GET' } }],
    ['no proof of acceptance', { gateway: { ...gateway, accepted: {} } }],
    ['no web address', { gateway: { ...gateway, url: 'file:///etc/passwd' } }],
    ['a short token', { webhookToken: 'x' }],
  ] as const)('%s is refused when it is entered', ([, change]) => {
    expect(smsHttpConfig.safeParse({ ...config(), ...change }).success).toBe(false);
    expect(smsHttpConfig.safeParse(config()).success).toBe(true);
  });
});

describe('a report', () => {
  beforeEach(() => start('retail'));
  const at = { receivedAtMs: Date.UTC(2026, 10, 1, 10) };
  const store = (config: object) => ({ ...aStore, config });
  const read = (delivery: Partial<Delivery>, config: object = telecomConfig(1)) => {
    const got = smsHttpReceiver.reread({ ...posted({ raw: Buffer.alloc(0), headers: {}, ...at }), ...delivery }, store(config));
    return got.kind === 'events' ? got.events : got.kind;
  };
  const byGet = (query: string) => ({ method: 'GET' as const, url: `https://rekindle.example/api/webhooks/sms-http/c?token=x&${query}` });
  const message = { account: 'sms-http:main', providerMessageId: 'alss-a1b2c3d4-e5f67890' };
  const samples = providerSpec('sms-http/samples.json') as { stateMap: Record<'delivered' | 'failed' | 'pending' | 'unknown', string[]> } | null;

  test('comes by GET or as JSON, and states are compared in any case', () => {
    expect(read({ raw: report('delivrd') })).toMatchObject([{ type: 'message.delivered', message, permanent: false }]);
    expect(read(byGet('dnis=12025550143&command=deliver&dlvrMsgId=alss-a1b2c3d4-e5f67890&dlvrMsgStat=UNDELIV'))).toMatchObject([
      { type: 'message.failed', message, detail: 'UNDELIV', permanent: false },
    ]);
    const retail = read({ raw: Buffer.from('{"id":9007199254740993123,"status":"undelivered"}') }, retailConfig(1));
    expect(retail).toMatchObject([{ type: 'message.failed', message: { providerMessageId: '9007199254740993123' } }]);
  });

  test.skipIf(samples === null)('knows every state that the providers name', () => {
    for (const [meaning, expected] of [
      ['delivered', ['message.delivered']],
      ['failed', ['message.failed']],
      ['pending', 'ignored'],
      ['unknown', 'ignored'],
    ] as const) {
      for (const status of samples?.stateMap[meaning] ?? []) {
        const got = [telecomConfig(1), retailConfig(1)].map((config) =>
          read({ raw: Buffer.from(JSON.stringify({ id: 1, messageId: 1, status })) }, config),
        );
        expect(
          got.map((one) => (typeof one === 'string' ? one : one.map(({ type }) => type))),
          status,
        ).toContainEqual(expected);
      }
    }
  });

  test('of somebody who has opted out closes the number; one that names nobody closes the address of its message', () => {
    const optedOut = (more: object) => read({ raw: Buffer.from(JSON.stringify({ id: 7, status: 'unsubscribed', ...more })) }, retailConfig(1));
    expect(optedOut({ phone: '436641234567' })).toMatchObject([
      { type: 'message.failed', permanent: false },
      { type: 'contact.opted_out', person: { phone: '+436641234567' }, channel: 'sms', final: false },
    ]);
    expect(optedOut({})).toMatchObject([{ type: 'message.failed', permanent: true }]);
  });

  test('a text that somebody sends is theirs, whatever the gateway writes before the number', () => {
    for (const ani of ['436641234567', '%2B436641234567', '00436641234567'])
      expect(read(byGet(`command=mo&ani=${ani}&dnis=15005550006&message=STOP`))).toMatchObject([
        { type: 'message.received', person: { phone: '+436641234567' }, channel: 'sms', text: 'STOP' },
      ]);
    expect(read({ raw: theirText('ja, gern') })).toMatchObject([{ type: 'message.received', text: 'ja, gern' }]);
    expect(read(byGet('command=mo&ani=Teahouse&message=STOP'))).toBe('unreadable');
  });

  test('many come in one delivery, and a broken one takes none with it', () => {
    const list = { raw: Buffer.from(JSON.stringify([null, { status: 'DELIVRD' }, { messageId: 'a', status: 'DELIVRD' }])) };
    expect(read(list)).toMatchObject([{ message: { providerMessageId: 'a' } }]);
  });

  test('without a configuration that can be used it goes to the quarantine', () => {
    const got = smsHttpReceiver.reread(posted({ raw: report('DELIVRD'), headers: {}, ...at }), aStore);
    expect(got).toMatchObject({ kind: 'unreadable', mayBeStop: true });
  });

  test('is let in by the token in its address or by a signature, and by nothing else', () => {
    const secrets = ['an-invented-token-of-ours'] as const;
    const raw = report('DELIVRD');
    const given = (query: string, headers: Delivery['headers'] = {}) =>
      smsHttpReceiver.receive({ ...posted({ raw, headers, ...at }), url: `https://r.example/x${query}` }, secrets, store(telecomConfig(1)));
    expect(given('?token=an-invented-token-of-ours').kind).toBe('events');
    expect(given('?token=an-invented-token-of-our')).toEqual({ kind: 'refused', reason: 'bad_signature' });
    expect(given('?token=')).toEqual({ kind: 'refused', reason: 'missing_signature' });
    expect(given('')).toEqual({ kind: 'refused', reason: 'missing_signature' });
    const signed = createHmac('sha256', secrets[0]).update(raw).digest('hex');
    expect(given('', { 'x-signature': signed }).kind).toBe('events');
    expect(given('', { 'x-signature': signed.replace(/.$/, 'x') })).toEqual({ kind: 'refused', reason: 'bad_signature' });
  });

  test('a second STOP in another minute is news; a repeat at once is not', () => {
    const key = (receivedAtMs: number, token: string) =>
      smsHttpReceiver.dedupeKey({
        ...posted({ raw: Buffer.alloc(0), headers: {}, receivedAtMs }),
        url: `https://r.example/x?token=${token}&command=mo&ani=436641234567&message=STOP`,
      });
    expect(key(at.receivedAtMs, 'a')).toBe(key(at.receivedAtMs + 5_000, 'b'));
    expect(key(at.receivedAtMs, 'a')).not.toBe(key(at.receivedAtMs + 600_000, 'a'));
  });
});
