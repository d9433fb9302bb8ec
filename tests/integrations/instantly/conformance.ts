import { instantlyConfig } from '../../../integrations/instantly/config.ts';
import { instantlyReceiver } from '../../../integrations/instantly/receive.ts';
import { createInstantlySender } from '../../../integrations/instantly/send.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { aMail } from '../a-mail.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

export const campaign = '019ffad2-53a3-7590-935f-b48cddbf2d9e';
export const sendKey = '018f0000-0000-7000-8000-000000000001:email_2h';
export const testConfig = (port: number, more: object = {}) =>
  instantlyConfig.parse({ apiKey: 'an-invented-key', campaign, baseUrl: `http://127.0.0.1:${port}`, ...more });

export const leadId = '019ffad2-0000-7590-935f-b48cddbf2d9e';
const keyIn = (body: string): string => {
  const { custom_variables: variables } = JSON.parse(body) as { custom_variables: Record<string, string> };
  return variables['rk_attempt'] ?? '';
};
let newest = '';
/** Instantly's own answers; a lead is known by its variables. */
export const instantlyDialect: Dialect = {
  keyOf: (_request, body) => (newest = keyIn(body)),
  taken: {
    status: 200,
    get body() {
      return { id: leadId, campaign, email: 'ada@example.com', payload: { rk_attempt: newest } };
    },
  },
  bodyOf: (statusCode) => ({ statusCode, error: 'An error', message: statusCode === 422 ? 'a sentence' : 'an invented sentence' }),
  isQuestion: (request) => request.url?.endsWith('/leads/list') === true,
  tell: (accepted) => ({ items: accepted.map(({ key }, index) => ({ id: String(index), payload: { rk_attempt: key } })) }),
};

/** An event as Instantly delivers it. */
export function told(eventType: string, fields: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      timestamp: '2026-11-01T10:00:00.000Z',
      event_type: eventType,
      workspace: '019ffad2-5d00-702c-b737-76437f425f66',
      campaign_id: campaign,
      campaign_name: 'rekindle step 1',
      lead_email: 'ada@example.com',
      email_account: 'sender@example.org',
      step: 1,
      variant: 1,
      rk_account: 'main',
      rk_attempt: sendKey,
      ...fields,
    }),
  );
}

const huge = 'tea'.repeat(1_000_000);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'instantly',
    receiver: instantlyReceiver,
    secrets: ['an-invented-token-of-ours', 'the-next-invented-token'],
    wrongSecret: 'the-token-of-a-stranger',
    signatureHeaders: ['x-rekindle-token'],
    provesOnlySender: true,
    sign(secret, raw, { id, atMs }) {
      let body = raw;
      try {
        const read: unknown = JSON.parse(raw.toString());
        if (typeof read === 'object' && read !== null && 'event_type' in read) body = Buffer.from(JSON.stringify({ ...read, email_id: id }));
      } catch {
        // Sent as it is.
      }
      return posted({ raw: body, headers: { 'x-rekindle-token': secret }, receivedAtMs: atMs });
    },
    examples: [
      { topic: 'email_sent', raw: told('email_sent', { email_id: 'em_1' }) },
      { topic: 'email_bounced', raw: told('email_bounced') },
      { topic: 'reply_received', raw: told('reply_received', { reply_subject: 'Re: tea', reply_text: 'Yes please' }) },
      { topic: 'auto_reply_received', raw: told('auto_reply_received', { reply_text: 'I am out of office' }) },
      { topic: 'lead_unsubscribed', raw: told('lead_unsubscribed') },
    ],
    ofTopic: (topic) => told(topic.toLowerCase()),
  },
  senders: [
    {
      name: 'instantly',
      payload: (size) => aMail(size === 'huge' ? { text: huge } : size === 'another' ? { subject: 'Another one' } : {}),
      start: async () => {
        const deps = { openTimeoutMs: 1_000, continueMs: 60_000, askTimeoutMs: 1_000 };
        const farEnd = await startHttpFarEnd(false, instantlyDialect, (port) => createInstantlySender(testConfig(port), deps));
        // It says so by 400, like everything else: instantly.test.ts has it.
        return { ...farEnd, behaviours: farEnd.behaviours.filter((one) => one !== 'refuses_the_address') };
      },
    },
  ],
};
