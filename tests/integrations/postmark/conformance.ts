import { postmarkConfig } from '../../../integrations/postmark/config.ts';
import { postmarkReceiver } from '../../../integrations/postmark/receive.ts';
import { createPostmarkSender } from '../../../integrations/postmark/send.ts';
import { posted } from '../../helpers/a-delivery.ts';
import type { Dialect } from '../../helpers/stub-provider.ts';
import { aMail } from '../a-mail.ts';
import { startHttpFarEnd } from '../http/far-end.ts';
import type { ProviderConformance } from '../provider-conformance.ts';

export const messageId = '883953f4-6105-42a2-a16a-77a8eac79483';
export const sendKey = '018f0000-0000-7000-8000-000000000001:email_2h';
export const testConfig = (port: number) => postmarkConfig.parse({ serverToken: 'an-invented-token', baseUrl: `http://127.0.0.1:${port}` });

const keyIn = (body: string): string => {
  const { Metadata: metadata } = JSON.parse(body) as { Metadata: Record<string, string> };
  return metadata['rekindle_key'] ?? '';
};

/** Postmark's own answers; a message is known by its metadata. */
export const postmarkDialect: Dialect = {
  keyOf: (_request, body) => keyIn(body),
  taken: { status: 200, body: { To: 'ada@example.com', MessageID: messageId, ErrorCode: 0, Message: 'OK' } },
  bodyOf: (status) => (status === 422 ? { ErrorCode: 406, Message: 'an invented sentence' } : { ErrorCode: status, Message: 'an invented sentence' }),
  tell: (accepted, request) => {
    const key = new URL(request.url ?? '/', 'http://x').searchParams.get('metadata_rekindle_key');
    const found = accepted.filter((one) => one.key === key).map((one) => ({ MessageID: messageId, Metadata: { rekindle_key: one.key } }));
    return { TotalCount: found.length, Messages: found };
  },
};

const metadata = { rekindle_account: 'main', rekindle_key: sendKey };
/** A webhook as Postmark delivers it. */
export function told(recordType: string, fields: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({ RecordType: recordType, MessageID: messageId, MessageStream: 'broadcast', ServerID: 23, Metadata: metadata, ...fields }),
  );
}
const at = '2026-11-01T10:00:03Z';
export const bounce = (type: string, more: object = {}): Buffer =>
  told('Bounce', { ID: 42, Type: type, Email: 'ada@example.com', BouncedAt: at, Inactive: false, ...more });
export const subscription = (more: object): Buffer =>
  told('SubscriptionChange', { ChangedAt: at, Recipient: 'ada@example.com', Origin: 'Recipient', SuppressSending: true, ...more });

const huge = 'tea'.repeat(1_000_000);

export const conformance: ProviderConformance = {
  receiver: {
    name: 'postmark',
    receiver: postmarkReceiver,
    secrets: ['an-invented-token-of-ours', 'the-next-invented-token'],
    wrongSecret: 'the-token-of-a-stranger',
    signatureHeaders: ['x-rekindle-token'],
    provesOnlySender: true,
    sign(secret, raw, { id, atMs }) {
      let body = raw;
      try {
        const read: unknown = JSON.parse(raw.toString());
        // Postmark's own id of a delivery is the record's.
        if (typeof read === 'object' && read !== null && 'RecordType' in read) body = Buffer.from(JSON.stringify({ ...read, ID: id }));
      } catch {
        // Sent as it is.
      }
      return posted({ raw: body, headers: { 'x-rekindle-token': secret }, receivedAtMs: atMs });
    },
    examples: [
      { topic: 'Delivery', raw: told('Delivery', { Recipient: 'ada@example.com', DeliveredAt: at }) },
      { topic: 'Bounce', raw: bounce('HardBounce', { Inactive: true }) },
      { topic: 'SpamComplaint', raw: told('SpamComplaint', { ID: 44, Email: 'ada@example.com', BouncedAt: at }) },
      { topic: 'SubscriptionChange', raw: subscription({ SuppressionReason: 'ManualSuppression' }) },
    ],
    ofTopic: (topic) => told(topic.toLowerCase()),
  },
  senders: [
    {
      name: 'postmark',
      payload: (size) => aMail(size === 'huge' ? { text: huge } : size === 'another' ? { subject: 'Another one' } : {}),
      start: () =>
        startHttpFarEnd(false, postmarkDialect, (port) =>
          createPostmarkSender(testConfig(port), { openTimeoutMs: 1_000, continueMs: 60_000, askTimeoutMs: 1_000 }),
        ),
    },
  ],
};
