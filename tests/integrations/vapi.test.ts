import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NoAnswerError } from '../../integrations/http/ask.ts';
import type { CallPayload } from '../../integrations/port.ts';
import { callName } from '../../integrations/vapi/config.ts';
import { outcomeOf } from '../../integrations/vapi/outcome.ts';
import { vapiReceiver } from '../../integrations/vapi/receive.ts';
import { createVapiSender } from '../../integrations/vapi/send.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { deadlineIn } from './sender-conformance.ts';
import { aCall, callId, report, sendKey, statusUpdate, testConfig, told, vapiDialect } from './vapi/conformance.ts';

let provider: StubProvider;
let answer: Record<string, unknown> | null;
let listed: unknown = null;
beforeEach(async () => {
  answer = null;
  listed = null;
  provider = await startStubProvider(false, {
    ...vapiDialect,
    bodyOf: (status) => answer ?? vapiDialect.bodyOf(status),
    tell: (accepted, request) => (listed as Record<string, unknown> | null) ?? vapiDialect.tell(accepted, request),
  });
});
afterEach(() => provider.stop());

async function send(payload: CallPayload = aCall()) {
  const session = await createVapiSender(testConfig(provider.port)).open();
  return session.send(payload, sendKey, deadlineIn(5_000));
}
const sent = (): Record<string, unknown> => JSON.parse(provider.accepted.at(-1)?.body ?? '{}') as Record<string, unknown>;
const spec = providerSpec('vapi/openapi-call-and-server-messages.json');

describe('a call', () => {
  test('names the assistant, the number, what is said first, and the message that its reports come back to', async () => {
    expect(await send()).toEqual({ kind: 'accepted', providerMessageId: callId, response: 'HTTP 201' });
    expect(sent()).toEqual({
      assistantId: '018f0000-0000-7000-8000-0000000000b1',
      phoneNumberId: '018f0000-0000-7000-8000-0000000000d1',
      name: callName(sendKey),
      customer: { number: '+12025550143', name: 'Ada Example' },
      assistantOverrides: {
        firstMessage: 'Hello Ada, this is the assistant of Tea & Tin.',
        maxDurationSeconds: 600,
        variableValues: { firstName: 'Ada', storeName: 'Tea & Tin' },
        metadata: { rekindle_account: 'main', rekindle_key: sendKey },
        serverMessages: ['status-update', 'end-of-call-report'],
      },
    });
  });

  test('is made as its script says, and where that says nothing, as the connection does', async () => {
    await send(aCall({ configuration: { assistant: 'of-the-script', phoneNumber: null, maxSeconds: 60 } }));
    expect(sent()).toMatchObject({
      assistantId: 'of-the-script',
      phoneNumberId: '018f0000-0000-7000-8000-0000000000d1',
      assistantOverrides: { maxDurationSeconds: 60 },
    });
  });

  test('takes nothing that somebody typed into a form for a template of VAPI’s', async () => {
    await send(aCall({ opening: 'Hi {{ "now" | date }}{% raw %}', variables: { firstName: '{{{x' }, name: 'x'.repeat(80) }));
    expect(JSON.stringify(sent())).not.toMatch(/\{\{\s*\\?"now|\{%|\{\{x/);
    expect(sent()['customer']).toEqual({ number: '+12025550143', name: 'x'.repeat(40) });
  });

  test.skipIf(spec === null)('is a request as the provider’s own specification has it', async () => {
    await send(aCall({ configuration: { assistant: 'a', phoneNumber: 'p', maxSeconds: 60 } }));
    const schema = '/components/schemas/CreateCallDTO';
    // The published schema allows one message in `serverMessages`, and means a list of them.
    const { serverMessages, ...overrides } = sent()['assistantOverrides'] as Record<string, unknown>;
    expect(serverMessages).toEqual(['status-update', 'end-of-call-report']);
    expect(faultsBy(spec, schema, { ...sent(), assistantOverrides: overrides })).toEqual([]);
    expect(faultsBy(spec, schema, { ...sent(), assistantOverrides: overrides, name: 'x'.repeat(41) })).not.toEqual([]);
  });

  test.for([
    [400, ['customer.number must be a valid phone number in the E.164 format'], { kind: 'refused', severity: 'hard' }],
    [400, ['assistantId must be a UUID'], { kind: 'refused', severity: 'soft' }],
    [400, 'Over Concurrency Limit', { kind: 'refused', severity: 'soft', outage: true }],
    [401, 'Invalid Key', { kind: 'refused', severity: 'soft' }],
    [402, 'no credit', { kind: 'refused', severity: 'soft' }],
    [429, '', { kind: 'refused', severity: 'soft' }],
    [500, ['customer.number'], { kind: 'unknown' }],
    [200, 'welcome', { kind: 'unknown' }],
  ] as const)('HTTP %i with %j is judged by what it proves', async ([status, message, outcome]) => {
    answer = { message, statusCode: status };
    provider.nextOnly({ act: 'answer', status });
    expect(await send()).toMatchObject(outcome);
  });

  test('in doubt is found by its name or its metadata, and a list that may be cut is no answer', async () => {
    const { reconciliation } = createVapiSender(testConfig(provider.port));
    if (reconciliation.kind !== 'find') throw new Error('cannot ask');
    const find = () => reconciliation.find(sendKey, aCall());
    listed = [{ id: 'a', name: 'rk another' }, { id: 'b' }];
    expect(await find()).toBe('not_accepted');
    listed = [{ id: 'a', assistantOverrides: { metadata: { rekindle_key: sendKey } } }];
    expect(await find()).toBe('accepted');
    listed = Array.from({ length: 1_000 }, (_, n) => ({ id: String(n), name: 'another' }));
    await expect(find()).rejects.toThrow(NoAnswerError);
  });
});

describe('a report', () => {
  const receivedAtMs = Date.UTC(2026, 10, 1, 10, 3);
  const read = (raw: Buffer, config: object = {}) => {
    const found = vapiReceiver.reread(posted({ raw, headers: {}, receivedAtMs }), { ...aStore, config: testConfig(1, config) });
    return found.kind === 'events' ? found.events : found.kind;
  };
  const message = { account: 'vapi:main', providerMessageId: callId, sendKey };

  test('tells by the ended reason alone whether somebody answered', () => {
    expect(read(report('customer-ended-call', 'AI: Hi.\nUser: Yes, I still want it.'))).toMatchObject([
      {
        type: 'call.ended',
        message,
        outcome: 'answered',
        wish: null,
        person: { phone: '+436641234567' },
        transcript: 'AI: Hi.\nUser: Yes, I still want it.',
      },
    ]);
    for (const reason of ['customer-did-not-answer', 'customer-busy', 'voicemail', 'twilio-failed-to-connect-call'])
      expect(read(report(reason, 'User: please leave a message')), reason).toMatchObject([{ outcome: 'not_reached', wish: null }]);
    expect(read(report('pipeline-error-openai-llm-failed', 'User: yes'))).toMatchObject([{ outcome: 'failed' }]);
    expect(read(report('twilio-reported-customer-misdialed'))).toMatchObject([{ outcome: 'not_reached', permanent: true }]);
    expect(read(statusUpdate('ended', 'customer-busy'))).toMatchObject([{ type: 'call.ended', outcome: 'not_reached', transcript: null }]);
    for (const raw of [statusUpdate('ringing'), statusUpdate('ended'), told({ type: 'tool-calls' })]) expect(read(raw)).toBe('ignored');
  });

  test.skipIf(spec === null)('knows a call that was answered among all the reasons that are published', () => {
    type Published = { components: { schemas: { Call: { properties: { endedReason: { enum: string[] } } } } } };
    const reasons = (spec as Published).components.schemas.Call.properties.endedReason.enum;
    const answered = reasons.filter((reason) => outcomeOf(reason) === 'answered');
    expect(answered.length).toBeGreaterThan(8);
    expect(answered.filter((reason) => /error|fail|busy|voicemail|not-answer/.test(reason))).toEqual([]);
  });

  test('brings the person’s wish by their own words, never by the assistant’s', () => {
    expect(read(report('customer-ended-call', 'AI: Shall I call you back tomorrow?\nUser: No.'))).toMatchObject([{ wish: null, keywords: [] }]);
    expect(read(report('customer-ended-call', 'AI: Hi.\nUser: Please call me tomorrow at 3 pm.'))).toMatchObject([
      { wish: { kind: 'later_at', days: 1, minute: 900 }, keywords: ['call me tomorrow', 'tomorrow at 3 pm'] },
    ]);
    expect(read(report('customer-ended-call', 'AI: Hi.\nUser: Stop calling me!'))).toMatchObject([{ wish: { kind: 'stop' } }]);
    const own = { keywords: { stop: [], later: ['melde dich wieder'] } };
    expect(read(report('customer-ended-call', 'User: Melde dich wieder.'), own)).toMatchObject([{ wish: { kind: 'later' } }]);
  });

  test('of a call that somebody else made by the account is ignored; a stop in it counts', () => {
    expect(read(report('customer-ended-call', 'User: yes', {}, {}))).toBe('ignored');
    expect(read(report('customer-ended-call', 'User: stop calling', {}, {}))).toMatchObject([
      { type: 'contact.opted_out', channel: 'call', person: { phone: '+436641234567' } },
    ]);
  });

  type Vectors = { vectors: { plan?: { secretKey: string }; headers: Record<string, string>; body: string; valid: boolean }[] };
  const vectors = providerSpec('vapi/vectors.json') as Vectors | null;
  test.skipIf(vectors === null)('is let in by each credential that VAPI has, as the vectors show, and no altered one is', () => {
    for (const { plan, headers, body } of vectors?.vectors ?? []) {
      const secret = plan?.secretKey ?? 'vapi-legacy-secret';
      const at = { receivedAtMs: 1_793_000_060_000 };
      const kindOf = (raw: string, secrets: [string]) =>
        vapiReceiver.receive(posted({ raw: Buffer.from(raw), headers, ...at }), secrets, aStore).kind;
      expect(kindOf(body, [secret])).not.toBe('refused');
      expect(kindOf(body, ['c3RyYW5nZXItc3RyYW5nZXItMTIz'])).toBe('refused');
      if (plan !== undefined) expect(kindOf(`${body} `, [secret])).toBe('refused');
    }
  });
});
