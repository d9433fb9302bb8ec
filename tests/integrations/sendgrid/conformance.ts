import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { sendGridConfig } from '../../../integrations/sendgrid/config.ts';
import { sendGridReceiver } from '../../../integrations/sendgrid/receive.ts';
import { createSendGridSender } from '../../../integrations/sendgrid/send.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { aMail } from '../a-mail.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

export const messageId = 'LRzXl_NHStOGhQ4kofSm_A';
export const testConfig = (port: number) => sendGridConfig.parse({ apiKey: 'SG.an_invented_key', baseUrl: `http://127.0.0.1:${port}` });

/** SendGrid's own answers; a message is known by the argument that it carries. */
export const sendGridDialect: Dialect = {
  keyOf: (_request, body) => /"rekindle_key":"([^"]+)"/.exec(body)?.[1] ?? '',
  taken: { status: 202, body: {}, headers: { 'x-message-id': messageId } },
  bodyOf: (status) => ({
    errors: [{ message: 'An invented sentence.', field: status === 422 ? 'personalizations.0.to.0.email' : null, help: null }],
  }),
  tell: () => ({}),
};

const privateKeys = new Map<string, KeyObject>();
/** A public key as SendGrid shows it; its private half signs. */
function aKey(): string {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const shown = pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  privateKeys.set(shown, pair.privateKey);
  return shown;
}

/** One event as SendGrid delivers it, in a list. */
export function told(event: string, more: object = {}, id = 'an-event'): Buffer {
  const fields = {
    email: 'ada@example.com',
    timestamp: 1_793_000_000,
    event,
    sg_event_id: id,
    sg_message_id: `${messageId}.filterdrecv-0`,
    rekindle_account: 'main',
  };
  return Buffer.from(JSON.stringify([{ ...fields, ...more }]));
}

const huge = 'tea'.repeat(1_000_000);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'sendgrid',
    receiver: sendGridReceiver,
    secrets: [aKey(), aKey()],
    wrongSecret: aKey(),
    signatureHeaders: ['x-twilio-email-event-webhook-signature', 'x-twilio-email-event-webhook-timestamp'],
    sign(key, raw, { id, atMs }) {
      const privateKey = privateKeys.get(key);
      if (privateKey === undefined) throw new Error('an unknown key');
      const body = Buffer.from(raw.toString().replace('an-event', JSON.stringify(id).slice(1, -1)));
      const timestamp = String(Math.floor(atMs / 1_000));
      const signature = createSign('sha256').update(timestamp).update(body).sign(privateKey).toString('base64');
      const headers = { 'x-twilio-email-event-webhook-signature': signature, 'x-twilio-email-event-webhook-timestamp': timestamp };
      return posted({ raw: body, headers, receivedAtMs: atMs });
    },
    examples: [
      { topic: 'events', raw: told('delivered', { response: '250 OK' }) },
      { topic: 'events', raw: told('bounce', { type: 'bounce', status: '5.1.1' }) },
      { topic: 'events', raw: told('dropped', { reason: 'Bounced Address' }) },
      { topic: 'events', raw: told('spamreport') },
      { topic: 'events', raw: told('unsubscribe') },
    ],
    ofTopic: (topic) => told(topic),
  },
  senders: [
    {
      name: 'sendgrid',
      payload: (size) => aMail(size === 'huge' ? { text: huge } : size === 'another' ? { subject: 'Another one' } : {}),
      start: () =>
        startHttpFarEnd(false, sendGridDialect, (port) => createSendGridSender(testConfig(port), { openTimeoutMs: 1_000, continueMs: 60_000 })),
    },
  ],
};
