import { smsHttpConfig, type SmsHttpConfig } from '../../../integrations/sms-http/config.ts';
import { smsHttpReceiver } from '../../../integrations/sms-http/receive.ts';
import { createSmsHttpSender } from '../../../integrations/sms-http/send.ts';
import type { SmsPayload } from '../../../integrations/port.ts';
import { aStore } from '../../helpers/a-store.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

const webhookToken = 'an-invented-token-of-ours';
export const retailConfig = (port: number): SmsHttpConfig =>
  smsHttpConfig.parse({ profile: 'sms-retail', secrets: { apiKey: 'an-invented-key' }, webhookToken, baseUrl: `http://127.0.0.1:${port}` });
export const telecomConfig = (port: number): SmsHttpConfig =>
  smsHttpConfig.parse({
    profile: '23telecom',
    secrets: { username: 'shop', password: 'an-invented-password' },
    from: 'Teahouse',
    webhookToken,
    baseUrl: `http://127.0.0.1:${port}`,
  });

/** SMS-Retail's answers. */
export const retailDialect: Dialect = {
  keyOf: (_request, body) => body,
  taken: { status: 200, body: { success: true, messages: [{ id: 12345, phone: '12025550143' }] } },
  bodyOf: () => ({ success: false }),
  tell: () => ({}),
};

/** 23Telecom's: errors are words, and the text is all in the address. */
export const telecomDialect: Dialect = {
  sentByGet: true,
  keyOf: (request) => request.url ?? '',
  taken: { status: 200, body: { message_id: 'alss-a1b2c3d4-e5f67890' } },
  bodyOf: (status) => (status === 422 ? 'Destination number is too long' : status === 401 ? 'Unauthorized' : 'SOMETHING IS WRONG'),
  tell: () => ({}),
};

export function aText(key: string, more: Partial<SmsPayload> = {}): SmsPayload {
  return { channel: 'sms', to: '+12025550143', from: null, text: `Your tea is still here: ${key}`, shortUrl: null, segments: 1, ...more };
}

const json = (body: object) => Buffer.from(JSON.stringify(body));
/** What 23Telecom reports. */
export const report = (status: string, more: object = {}) => json({ messageId: 'alss-a1b2c3d4-e5f67890', status, ...more });
export const theirText = (message: string) => json({ command: 'mo', ani: '436641234567', dnis: '15005550006', message });

const deps = { openTimeoutMs: 1_000, continueMs: 60_000 };
// A text of three million characters is made in the call: of letters that JSON writes as they are.
const huge = 'tea'.repeat(1_000_000);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'sms-http',
    receiver: smsHttpReceiver,
    secrets: [webhookToken, 'the-next-invented-token'],
    wrongSecret: 'the-token-of-a-stranger',
    signatureHeaders: [],
    provesOnlySender: true,
    store: { ...aStore, config: telecomConfig(1) },
    sign(secret, raw, { id, atMs }) {
      const url = `https://rekindle.example/api/webhooks/sms-http/a-connection?token=${secret}&delivery=${encodeURIComponent(id.replace(/\p{Surrogate}/gu, ''))}`;
      return { ...posted({ raw, headers: {}, receivedAtMs: atMs }), url };
    },
    examples: [
      { topic: 'receipts', raw: report('DELIVRD') },
      { topic: 'receipts', raw: report('undeliv', { error_code: '017' }) },
      { topic: 'inbound', raw: theirText('yes, tell me more') },
      { topic: 'inbound', raw: theirText('STOP') },
    ],
    ofTopic: (topic) => report(topic),
  },
  senders: [
    {
      name: 'sms-http as SMS-Retail',
      payload: (size, key) => aText(key, size === 'huge' ? { text: huge } : size === 'another' ? { text: `Another one: ${key}` } : {}),
      start: async () => {
        const farEnd = await startHttpFarEnd(false, retailDialect, (port) => createSmsHttpSender(retailConfig(port), { webhookUrl: null }, deps));
        // Nobody has said how it refuses a number.
        return { ...farEnd, behaviours: farEnd.behaviours.filter((one) => one !== 'refuses_the_address') };
      },
    },
    {
      name: 'sms-http as 23Telecom, by GET',
      payload: (size, key) => aText(key, size === 'another' ? { text: `Another one: ${key}` } : {}),
      start: () => startHttpFarEnd(false, telecomDialect, (port) => createSmsHttpSender(telecomConfig(port), { webhookUrl: null }, deps)),
    },
  ],
};
