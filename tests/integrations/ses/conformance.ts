import { createSign, generateKeyPairSync } from 'node:crypto';
import type { Delivery } from '../../../integrations/port.ts';
import { sesConfig } from '../../../integrations/ses/config.ts';
import { sesReceiver } from '../../../integrations/ses/receive.ts';
import { createSesSender } from '../../../integrations/ses/send.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { aMail } from '../a-mail.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

export const messageId = '0102018f-aaaa-000000';
export const sendKey = '018f0000-0000-7000-8000-000000000001:email_2h';
export const topicArn = 'arn:aws:sns:eu-west-1:123456789012:ses-events';
export const certificateUrl = 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-test.pem';
export const testConfig = (port: number) =>
  sesConfig.parse({
    accessKeyId: 'AKIAINVENTEDKEY00001',
    secretAccessKey: 'an-invented-secret-key',
    region: 'eu-west-1',
    configurationSet: 'rekindle',
    topicArn,
    baseUrl: `http://127.0.0.1:${port}`,
  });

/** SES's own answers; a message is known by its tag. */
export const sesDialect: Dialect = {
  keyOf: (_request, body) => /"Name":"rekindle_key","Value":"([^"]+)"/.exec(body)?.[1] ?? '',
  taken: { status: 200, body: { MessageId: messageId } },
  bodyOf: () => ({ __type: 'BadRequestException', message: 'an invented sentence' }),
  tell: () => ({}),
};

// SNS's own, in a test: the certificate of deliveries.
const pair = generateKeyPairSync('rsa', { modulusLength: 2_048 });
export const certificate = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString();

/** An event of SES. */
export function told(eventType: string, part: Record<string, object> = {}, tags: object = ourTags): Buffer {
  const mail = { timestamp: '2026-10-24T11:00:00.000Z', messageId, destination: ['ada@example.com'], tags };
  return Buffer.from(JSON.stringify({ eventType, mail, ...part }));
}
const ourTags = { rekindle_account: ['main'], rekindle_key: [Buffer.from(sendKey).toString('base64url')] };

const timestamp = '2026-10-24T11:00:03.000Z';
export const bounce = (bounceType: string, bounceSubType: string) =>
  told('Bounce', { bounce: { bounceType, bounceSubType, bouncedRecipients: [{ emailAddress: 'ada@example.com' }], timestamp } });
export const complaint = (more: object = {}, tags?: object) =>
  told('Complaint', { complaint: { complainedRecipients: [{ emailAddress: 'ada@example.com' }], timestamp, ...more } }, tags);

/** What SNS makes of it. `order`: the names whose values are signed. */
export function fromSns(topic: string, fields: Record<string, string>, atMs: number, order?: readonly string[]): Delivery {
  const all = { TopicArn: topic, Timestamp: new Date(atMs).toISOString(), ...fields } as Record<string, string>;
  const names = order ?? ['Message', 'MessageId', 'Subject', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'].filter((name) => name in all);
  const text = names.map((name) => `${name}\n${all[name]}\n`).join('');
  const signature = createSign('sha256').update(text).sign(pair.privateKey).toString('base64');
  const body = { ...all, SignatureVersion: '2', Signature: signature, SigningCertURL: certificateUrl };
  return { ...posted({ raw: Buffer.from(JSON.stringify(body)), headers: {}, receivedAtMs: atMs }), certificate };
}

const huge = 'tea'.repeat(1_000_000);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'ses',
    receiver: sesReceiver,
    secrets: [topicArn, `${topicArn}-next`],
    wrongSecret: 'arn:aws:sns:eu-west-1:210987654321:a-stranger',
    signatureHeaders: [],
    // The signature covers named fields, not bytes: ses.test.ts alters each of them.
    provesOnlySender: true,
    sign: (topic, raw, { id, atMs }) =>
      fromSns(
        topic,
        {
          Type: 'Notification',
          MessageId: id.replace(/\p{Surrogate}/gu, '\ufffd'),
          Message: raw.toString().replace(/\p{Surrogate}/gu, '\ufffd'),
        },
        atMs,
      ),
    examples: [
      { topic: 'Delivery', raw: told('Delivery', { delivery: { timestamp, recipients: ['ada@example.com'] } }) },
      { topic: 'Bounce', raw: bounce('Permanent', 'General') },
      { topic: 'Complaint', raw: complaint() },
      { topic: 'Reject', raw: told('Reject', { reject: { reason: 'Bad content' } }) },
      { topic: 'Subscription', raw: told('Subscription', { subscription: { timestamp, newTopicPreferences: { unsubscribeAll: true } } }) },
    ],
    ofTopic: (topic) => told(topic),
  },
  senders: [
    {
      name: 'ses',
      payload: (size) => aMail(size === 'huge' ? { text: huge } : size === 'another' ? { subject: 'Another one' } : {}),
      start: async () => {
        const farEnd = await startHttpFarEnd(false, sesDialect, (port) =>
          createSesSender(testConfig(port), { openTimeoutMs: 1_000, continueMs: 60_000 }),
        );
        // It never says so in its answer: that an address does not exist comes as a bounce.
        return { ...farEnd, behaviours: farEnd.behaviours.filter((one) => one !== 'refuses_the_address') };
      },
    },
  ],
};
