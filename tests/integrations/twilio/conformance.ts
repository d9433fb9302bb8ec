import type { SmsPayload } from '../../../integrations/port.ts';
import { twilioConfig } from '../../../integrations/twilio/config.ts';
import { twilioReceiver } from '../../../integrations/twilio/receive.ts';
import { createTwilioSender } from '../../../integrations/twilio/send.ts';
import { signTwilioForm } from '../../../integrations/twilio/sign.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';
import { accountSid, inbound, messageSid, status } from './deliveries.ts';

export const testConfig = (port: number) =>
  twilioConfig.parse({ accountSid, authToken: 'an-invented-token', from: '+15005550006', baseUrl: `http://127.0.0.1:${port}` });

/** A text whose link is made of the send key. */
export function aText(key: string, more: Partial<SmsPayload> = {}): SmsPayload {
  const shortUrl = `https://r.example/s/${Buffer.from(key).toString('base64url')}`;
  return { channel: 'sms', to: '+12025550143', from: null, text: `Your tea is still here: ${shortUrl}`, shortUrl, segments: 1, ...more };
}

const shortLink = /https:\/\/r[.]example\/s\/[\w-]+/;

/** Twilio's own answers; a text is known by its link. */
export const twilioDialect: Dialect = {
  keyOf: (_request, body) => shortLink.exec(new URLSearchParams(body).get('Body') ?? '')?.[0] ?? '',
  taken: { status: 201, body: { sid: messageSid, status: 'queued', error_code: null } },
  bodyOf: (httpStatus) => ({ code: httpStatus === 422 ? 21211 : 20000 + httpStatus, message: 'an invented sentence', status: httpStatus }),
  tell: (accepted, request) => {
    const to = new URL(request.url ?? '/', 'http://x').searchParams.get('To');
    const messages = accepted.map(({ body }) => new URLSearchParams(body)).filter((form) => form.get('To') === to);
    return { messages: messages.map((form) => ({ body: form.get('Body'), to, direction: 'outbound-api' })), next_page_uri: null };
  },
};

// Letters that a form writes as they are, so that making it takes no time from the call.
const huge = 'tea'.repeat(1_000_000);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'twilio',
    receiver: twilioReceiver,
    secrets: ['an-invented-token', 'the-next-invented-token'],
    wrongSecret: 'a-stranger',
    signatureHeaders: ['x-twilio-signature'],
    bodies: 'form',
    sign(secret, raw, { id, atMs }) {
      const form = new URLSearchParams(raw.toString());
      // Twilio's own id of a delivery is the message's.
      if (form.has('MessageSid')) form.set('MessageSid', id.replace(/\p{Surrogate}/gu, '\ufffd'));
      const body = form.has('MessageSid') ? Buffer.from(form.toString()) : raw;
      const unsigned = posted({ raw: body, headers: {}, receivedAtMs: atMs });
      return { ...unsigned, headers: { 'x-twilio-signature': signTwilioForm(secret, unsigned.url, body) } };
    },
    examples: [
      { topic: 'inbound', raw: inbound('yes, tell me more') },
      { topic: 'inbound', raw: inbound('BAJA', { OptOutType: 'STOP' }) },
      { topic: 'status/delivered', raw: status('delivered') },
      { topic: 'status/read', raw: status('read') },
      { topic: 'status/undelivered', raw: status('undelivered', { ErrorCode: '30003' }) },
      { topic: 'status/failed', raw: status('failed', { ErrorCode: '21610' }) },
      { topic: 'status/canceled', raw: status('canceled') },
    ],
    ofTopic: (topic) => status(topic),
  },
  senders: [
    {
      name: 'twilio',
      payload: (size, key) => {
        const text = aText(key);
        if (size === 'huge') return { ...text, text: `${text.text} ${huge}` };
        return size === 'another' ? { ...text, text: `Another one: ${text.shortUrl}` } : text;
      },
      start: () =>
        startHttpFarEnd(false, twilioDialect, (port) => {
          const deps = { openTimeoutMs: 1_000, continueMs: 60_000, askTimeoutMs: 1_000 };
          return createTwilioSender(testConfig(port), { webhookUrl: null }, deps);
        }),
    },
  ],
};
