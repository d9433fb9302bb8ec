import type { WhatsappPayload } from '../../../integrations/port.ts';
import { whatsappConfig } from '../../../integrations/whatsapp/config.ts';
import { whatsappReceiver } from '../../../integrations/whatsapp/receive.ts';
import { createWhatsappSender } from '../../../integrations/whatsapp/send.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import { signMeta } from '../meta/conformance.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

export const messageId = 'wamid.HBgINVENTED';
export const sendKey = '018f0000-0000-7000-8000-000000000001:nudge';
export const phoneNumberId = '600000000000001';
export const config = { phoneNumberId, accessToken: 'an-invented-token', appSecret: 'an-invented-app-secret', verifyToken: 'our-own-token' };
export const testConfig = (port: number) => whatsappConfig.parse({ ...config, baseUrl: `http://127.0.0.1:${port}` });

export function aMessage(message: WhatsappPayload['message'] = { form: 'text', text: 'Your tea is still here.' }): WhatsappPayload {
  return { channel: 'whatsapp', to: '+12025550143', message };
}

/** WhatsApp's own answers; a message is known by the key that comes back with its statuses. */
export const whatsappDialect: Dialect = {
  keyOf: (_request, body) => /"biz_opaque_callback_data":"([^"]+)"/.exec(body)?.[1] ?? '',
  taken: { status: 200, body: { messaging_product: 'whatsapp', contacts: [{ wa_id: '12025550143' }], messages: [{ id: messageId }] } },
  bodyOf: (status) => ({ error: { message: 'an invented sentence', type: 'OAuthException', code: status === 422 ? 131026 : 100 } }),
  tell: () => ({}),
};

/** A delivery about messages of people, or about what became of ours. */
export function told(value: { messages?: object[]; statuses?: object[] }, field = 'messages'): Buffer {
  const metadata = { display_phone_number: '15005550006', phone_number_id: phoneNumberId };
  const changes = [{ field, value: { messaging_product: 'whatsapp', metadata, ...value } }];
  return Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '500000000000001', changes }] }));
}
const timestamp = String(Date.UTC(2026, 9, 24, 11) / 1_000);
export const inbound = (text: string, more: object = {}) =>
  told({ messages: [{ from: '12025550143', id: 'wamid.IN', timestamp, type: 'text', text: { body: text }, ...more }] });
export const status = (name: string, more: object = {}) =>
  told({
    statuses: [{ id: messageId, status: name, timestamp, recipient_id: '12025550143', biz_opaque_callback_data: sendKey, ...more }],
  });

const huge = 'tea'.repeat(1_000_000);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'whatsapp',
    receiver: whatsappReceiver,
    secrets: [config.appSecret, 'the-next-app-secret'],
    wrongSecret: 'a-stranger',
    signatureHeaders: ['x-hub-signature-256'],
    sign(secret, raw, { id, atMs }) {
      // Meta's own id of a delivery is that of the message in it.
      const body = Buffer.from(raw.toString('utf8').replace('"wamid.IN"', JSON.stringify(id.replace(/\p{Surrogate}/gu, '\ufffd'))));
      return posted({ raw: body, headers: { 'x-hub-signature-256': signMeta(secret, body) }, receivedAtMs: atMs });
    },
    examples: [
      { topic: 'messages', raw: inbound('yes, tell me more') },
      { topic: 'messages', raw: inbound('', { type: 'button', text: undefined, button: { text: 'Stop promotions', payload: 'stop' } }) },
      { topic: 'messages', raw: status('delivered') },
      { topic: 'messages', raw: status('failed', { errors: [{ code: 131026, title: 'Message undeliverable' }] }) },
    ],
    ofTopic: (topic) => told({}, topic),
  },
  senders: [
    {
      name: 'whatsapp',
      payload: (size) => aMessage({ form: 'text', text: size === 'huge' ? huge : size === 'another' ? 'Another one.' : 'Your tea is still here.' }),
      start: () =>
        startHttpFarEnd(false, whatsappDialect, (port) => createWhatsappSender(testConfig(port), { openTimeoutMs: 1_000, continueMs: 60_000 })),
    },
  ],
};
