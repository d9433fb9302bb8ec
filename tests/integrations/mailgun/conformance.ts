import { createHmac } from 'node:crypto';
import { mailgunConfig } from '../../../integrations/mailgun/config.ts';
import { mailgunReceiver } from '../../../integrations/mailgun/receive.ts';
import { createMailgunSender } from '../../../integrations/mailgun/send.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { aMail } from '../a-mail.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

export const messageId = 'an-invented-id@mg.shop.example.com';
export const sendKey = '018f0000-0000-7000-8000-000000000001:email_2h';
const signingKey = 'an-invented-signing-key';
export const testConfig = (port: number) =>
  mailgunConfig.parse({ apiKey: 'an-invented-key', domain: 'mg.shop.example.com', signingKey, baseUrl: `http://127.0.0.1:${port}` });

/** Mailgun's own answers; a message is known by its variables. */
export const mailgunDialect: Dialect = {
  keyOf: (_request, body) => new URLSearchParams(body).get('v:rekindle_key') ?? '',
  taken: { status: 200, body: { id: `<${messageId}>`, message: 'Queued. Thank you.' } },
  bodyOf: () => ({ message: 'an invented sentence' }),
  tell: (accepted) => ({ items: accepted.map(({ key }) => ({ event: 'accepted', 'user-variables': { rekindle_key: key } })) }),
};

/** The data of an event. */
export function told(event: string, fields: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      event,
      id: 'ncV2XwynRuKDTpDM0g_iEA',
      timestamp: Date.UTC(2026, 10, 1, 10) / 1_000 + 0.5,
      recipient: 'ada@example.com',
      message: { headers: { 'message-id': messageId, to: 'ada@example.com' } },
      'user-variables': { rekindle_account: 'main', rekindle_key: sendKey },
      ...fields,
    }),
  );
}

/** A delivery with these data: they are signed by nothing. */
export function signed(secret: string, data: Buffer, token: string, atMs: number): Buffer {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signature = createHmac('sha256', secret).update(timestamp).update(token).digest('hex');
  return Buffer.from(JSON.stringify({ signature: { timestamp, token, signature }, 'event-data': JSON.parse(data.toString()) as unknown }));
}

// Letters that a form writes as they are, so that making it takes no time from the call.
const huge = 'tea'.repeat(1_000_000);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'mailgun',
    receiver: mailgunReceiver,
    secrets: [signingKey, 'the-next-invented-key'],
    wrongSecret: 'the-key-of-a-stranger',
    signatureHeaders: [],
    provesOnlySender: true,
    sign: (secret, raw, { id, atMs }) =>
      posted({ raw: signed(secret, raw, id.replace(/\p{Surrogate}/gu, '?'), atMs), headers: {}, receivedAtMs: atMs }),
    examples: [
      { topic: 'delivered', raw: told('delivered') },
      { topic: 'failed', raw: told('failed', { severity: 'permanent', reason: 'bounce' }) },
      { topic: 'complained', raw: told('complained') },
      { topic: 'unsubscribed', raw: told('unsubscribed') },
    ],
    ofTopic: (topic) => told(topic.toLowerCase()),
  },
  senders: [
    {
      name: 'mailgun',
      payload: (size) => aMail(size === 'huge' ? { text: huge } : size === 'another' ? { subject: 'Another one' } : {}),
      start: async () => {
        const deps = { openTimeoutMs: 1_000, continueMs: 60_000, askTimeoutMs: 1_000 };
        const farEnd = await startHttpFarEnd(false, mailgunDialect, (port) => createMailgunSender(testConfig(port), deps));
        // It says so by 400, like everything else: mailgun.test.ts has it.
        return { ...farEnd, behaviours: farEnd.behaviours.filter((one) => one !== 'refuses_the_address') };
      },
    },
  ],
};
