import type { CallPayload } from '../../../integrations/port.ts';
import { signStandardWebhook } from '../../../integrations/standard-webhooks.ts';
import { vapiConfig } from '../../../integrations/vapi/config.ts';
import { vapiReceiver } from '../../../integrations/vapi/receive.ts';
import { createVapiSender } from '../../../integrations/vapi/send.ts';
import { posted } from '../../helpers/a-delivery.ts';
import { aStore } from '../../helpers/a-store.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

export const callId = '018f0000-0000-7000-8000-0000000000c1';
export const sendKey = '018f0000-0000-7000-8000-000000000001:call_2d';

export const testConfig = (port: number, more: object = {}) =>
  vapiConfig.parse({
    apiKey: 'an-invented-key',
    assistantId: '018f0000-0000-7000-8000-0000000000b1',
    phoneNumberId: '018f0000-0000-7000-8000-0000000000d1',
    baseUrl: `http://127.0.0.1:${port}`,
    ...more,
  });

export function aCall(more: Partial<CallPayload> = {}): CallPayload {
  return {
    channel: 'call',
    to: '+12025550143',
    name: 'Ada Example',
    opening: 'Hello Ada, this is the assistant of Tea & Tin.',
    language: 'en',
    variables: { firstName: 'Ada', storeName: 'Tea & Tin' },
    configuration: { assistant: null, phoneNumber: null, maxSeconds: null },
    dateMs: Date.UTC(2026, 10, 1, 10),
    ...more,
  };
}

const nameIn = (body: string): string => {
  const { name } = JSON.parse(body) as { name: string };
  return name;
};

/** VAPI's answers; a call is known by its name. */
export const vapiDialect: Dialect = {
  keyOf: (_request, body) => nameIn(body),
  taken: { status: 201, body: { id: callId, type: 'outboundPhoneCall', status: 'queued' } },
  bodyOf: (status) => ({
    message: status === 422 ? ['an invented sentence'] : ['customer.name must be shorter'],
    error: 'an invented error',
    statusCode: status,
  }),
  // A list: the stand-in writes what it is given.
  tell: (accepted) => accepted.map(({ key }, index) => ({ id: `call-${index}`, name: key })) as unknown as Record<string, unknown>,
};

/** A report as VAPI delivers it. */
export function told(message: object, metadata: object = { rekindle_account: 'main', rekindle_key: sendKey }): Buffer {
  const call = { id: callId, type: 'outboundPhoneCall', status: 'ended', customer: { number: '+436641234567' }, assistantOverrides: { metadata } };
  return Buffer.from(JSON.stringify({ message: { timestamp: Date.UTC(2026, 10, 1, 10, 2), call, ...message } }));
}
export const report = (endedReason: string, transcript = '', more: object = {}, metadata?: object): Buffer =>
  told(
    {
      type: 'end-of-call-report',
      endedReason,
      startedAt: '2026-11-01T10:00:10.000Z',
      endedAt: '2026-11-01T10:02:00.000Z',
      artifact: { transcript, messages: [] },
      analysis: {},
      ...more,
    },
    metadata,
  );
export const statusUpdate = (status: string, endedReason?: string): Buffer =>
  told({ type: 'status-update', status, ...(endedReason === undefined ? {} : { endedReason }) });

const huge = 'tea'.repeat(1_000_000);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'vapi',
    receiver: vapiReceiver,
    secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'],
    wrongSecret: 'whsec_c3RyYW5nZXItc3RyYW5nZXItMTIz',
    signatureHeaders: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
    store: { ...aStore, config: testConfig(1) },
    sign(secret, raw, { id, atMs }) {
      // VAPI's own id of a delivery is the call's.
      let body = raw;
      try {
        const read = JSON.parse(raw.toString()) as { message?: { call?: { id?: string } } };
        if (typeof read.message?.call?.id === 'string') {
          read.message.call.id = id;
          body = Buffer.from(JSON.stringify(read));
        }
      } catch {
        // Sent as it is.
      }
      const timestampS = Math.floor(atMs / 1_000);
      return posted({
        raw: body,
        headers: {
          'webhook-id': 'a-delivery',
          'webhook-timestamp': String(timestampS),
          'webhook-signature': signStandardWebhook(secret, 'a-delivery', timestampS, body),
        },
        receivedAtMs: atMs,
      });
    },
    examples: [
      { topic: 'end-of-call-report', raw: report('customer-ended-call', 'AI: Hi Ada.\nUser: Call me back tomorrow at three.\n') },
      { topic: 'end-of-call-report', raw: report('voicemail') },
      { topic: 'status-update', raw: statusUpdate('ended', 'customer-did-not-answer') },
    ],
    ofTopic: (topic) => told({ type: topic }),
  },
  senders: [
    {
      name: 'vapi',
      payload: (size) => aCall(size === 'huge' ? { opening: huge } : size === 'another' ? { opening: 'Another one.' } : {}),
      start: async () => {
        const deps = { openTimeoutMs: 1_000, continueMs: 60_000, askTimeoutMs: 1_000 };
        const numbered: Dialect = {
          ...vapiDialect,
          bodyOf: (status) => (status === 422 ? vapiDialect.bodyOf(status) : { message: ['a sentence'], statusCode: status }),
        };
        const farEnd = await startHttpFarEnd(false, numbered, (port) => createVapiSender(testConfig(port), deps));
        // It says so by 400, like everything else: vapi.test.ts has it.
        return { ...farEnd, behaviours: farEnd.behaviours.filter((one) => one !== 'refuses_the_address') };
      },
    },
  ],
};
