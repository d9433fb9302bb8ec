import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NoAnswerError } from '../../integrations/http/ask.ts';
import { keyValue } from '../../integrations/postmark/config.ts';
import { postmarkReceiver } from '../../integrations/postmark/receive.ts';
import { createPostmarkSender } from '../../integrations/postmark/send.ts';
import type { Delivery } from '../../integrations/port.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { aMail } from './a-mail.ts';
import { bounce, messageId, postmarkDialect, sendKey, subscription, testConfig, told } from './postmark/conformance.ts';
import { deadlineIn } from './sender-conformance.ts';

let provider: StubProvider;
let answer: Record<string, unknown> | null;
let listed: Record<string, unknown> | null;
beforeEach(async () => {
  answer = null;
  listed = null;
  provider = await startStubProvider(false, {
    ...postmarkDialect,
    bodyOf: (status) => answer ?? postmarkDialect.bodyOf(status),
    tell: (accepted, request) => listed ?? postmarkDialect.tell(accepted, request),
  });
});
afterEach(() => provider.stop());

async function send(payload = aMail()) {
  const session = await createPostmarkSender(testConfig(provider.port)).open();
  return session.send(payload, sendKey, deadlineIn(5_000));
}
const sent = (): Record<string, unknown> => JSON.parse(provider.accepted.at(-1)?.body ?? '{}') as Record<string, unknown>;

describe('an email', () => {
  test('is posted to the stream for broadcasts, with its headers and what its receipts bring back', async () => {
    expect(await send(aMail({ replyTo: 'help@shop.example.com' }))).toEqual({ kind: 'accepted', providerMessageId: messageId, response: 'HTTP 200' });
    expect(sent()).toMatchObject({
      From: '"Tea & Tin" <hello@shop.example.com>',
      To: '"Ada Example" <ada@example.com>',
      ReplyTo: 'help@shop.example.com',
      MessageStream: 'broadcast',
      TrackOpens: false,
      TrackLinks: 'None',
      Metadata: { rekindle_account: 'main', rekindle_key: sendKey },
      Headers: [
        { Name: 'List-Unsubscribe', Value: '<https://shop.example.com/u/token>' },
        { Name: 'List-Unsubscribe-Post', Value: 'List-Unsubscribe=One-Click' },
      ],
    });
    expect(keyValue(`${sendKey}${'x'.repeat(60)}`)).toMatch(/^[0-9a-f]{64}$/);
  });

  const spec = providerSpec('email-postmark/swagger-send-and-search.json');
  test.skipIf(spec === null)('is a request as the provider’s own specification has it', async () => {
    await send(aMail({ replyTo: 'help@shop.example.com' }));
    expect(faultsBy(spec, '/paths/~1email/post/parameters/1/schema', sent())).toEqual([]);
    expect(faultsBy(spec, '/paths/~1email/post/parameters/1/schema', { From: 1, TrackOpens: 'maybe' })).not.toEqual([]);
  });

  test.for([
    [422, { ErrorCode: 406, Message: 'inactive' }, { kind: 'refused', severity: 'hard', response: 'HTTP 422, Postmark error 406' }],
    [422, { ErrorCode: 300, Message: "Invalid 'To' address: 'ada@example.com'." }, { kind: 'refused', severity: 'hard' }],
    [422, { ErrorCode: 300, Message: "Invalid 'From' address." }, { kind: 'refused', severity: 'soft' }],
    [422, { ErrorCode: 405, Message: 'no credits' }, { kind: 'refused', severity: 'soft', outage: true }],
    [401, { ErrorCode: 10, Message: 'token' }, { kind: 'refused', severity: 'soft' }],
    [429, {}, { kind: 'refused', severity: 'soft' }],
    [500, { ErrorCode: 406 }, { kind: 'unknown' }],
    [503, { ErrorCode: 100 }, { kind: 'unknown' }],
    [200, { page: 'welcome' }, { kind: 'unknown' }],
    [200, { ErrorCode: 300, MessageID: messageId }, { kind: 'unknown' }],
  ] as const)('HTTP %i with %j is judged by what it proves', async ([status, body, outcome]) => {
    answer = body;
    provider.nextOnly({ act: 'answer', status });
    expect(await send()).toMatchObject(outcome);
  });

  test('in doubt is found by its metadata, and a search that ignores them is no answer', async () => {
    const { reconciliation } = createPostmarkSender(testConfig(provider.port));
    if (reconciliation.kind !== 'find') throw new Error('cannot ask');
    expect(await reconciliation.find(sendKey, aMail())).toBe('not_accepted');
    await send();
    expect(await reconciliation.find(sendKey, aMail())).toBe('accepted');
    listed = { TotalCount: 9, Messages: [{ MessageID: 'another', Metadata: {} }] };
    await expect(reconciliation.find(sendKey, aMail())).rejects.toThrow(NoAnswerError);
  });
});

describe('a webhook', () => {
  const receivedAtMs = Date.parse('2026-11-01T10:00:05Z');
  const read = (raw: Buffer) => {
    const found = postmarkReceiver.reread(posted({ raw, headers: {}, receivedAtMs }), aStore);
    return found.kind === 'events' ? found.events : found.kind;
  };
  const message = { account: 'postmark:main', providerMessageId: messageId, sendKey };

  test('of a bounce closes the address only where it is for good; a delay says nothing yet', () => {
    expect(read(bounce('HardBounce'))).toMatchObject([{ type: 'message.failed', message, permanent: true, detail: 'bounced: HardBounce' }]);
    expect(read(bounce('Blocked', { Inactive: true }))).toMatchObject([{ permanent: true }]);
    expect(read(bounce('SoftBounce'))).toMatchObject([{ type: 'message.failed', permanent: false }]);
    for (const type of ['Transient', 'AutoResponder']) expect(read(bounce(type))).toBe('ignored');
    expect(read(bounce('Unsubscribe'))).toMatchObject([{ type: 'contact.opted_out', final: false }]);
  });

  test('of a complaint is final, an unsubscribe is not, and reactivating at Postmark is no consent', () => {
    const complaint = [{ type: 'message.delivered' }, { type: 'contact.opted_out', person: { email: 'ada@example.com' }, final: true }];
    expect(read(told('SpamComplaint', { ID: 44, Email: 'ada@example.com', BouncedAt: '2026-11-01T10:00:03Z' }))).toMatchObject(complaint);
    expect(read(subscription({ SuppressionReason: 'ManualSuppression', MessageID: null }))).toMatchObject([
      { type: 'contact.opted_out', channel: 'email', final: false },
    ]);
    expect(read(subscription({ SuppressionReason: 'SpamComplaint' }))).toMatchObject([{ final: true }]);
    for (const more of [{ SuppressSending: false }, { SuppressionReason: 'HardBounce' }]) expect(read(subscription(more))).toBe('ignored');
  });

  test('about messages that somebody else sent waits for none of them, and their complaints count', () => {
    expect(read(bounce('HardBounce', { Metadata: {} }))).toBe('ignored');
    expect(read(told('SpamComplaint', { Email: 'ada@example.com', Metadata: undefined }))).toMatchObject([{ type: 'contact.opted_out' }]);
    for (const record of ['Open', 'Click', 'Inbound']) expect(read(told(record))).toBe('ignored');
  });

  test('is let in by its token as a header, or as the password in the address', () => {
    const given = (headers: Delivery['headers']) =>
      postmarkReceiver.receive(posted({ raw: bounce('HardBounce'), headers, receivedAtMs }), ['a-token'], aStore).kind;
    expect(given({ 'x-rekindle-token': 'a-token' })).toBe('events');
    expect(given({ authorization: `Basic ${btoa('postmark:a-token')}` })).toBe('events');
    expect(given({ authorization: `Basic ${btoa('a-token:postmark')}` })).toBe('refused');
    expect(given({})).toBe('refused');
  });

  const schema = providerSpec('email-postmark/samples.json') as { webhooks: Record<string, object> } | null;
  test.skipIf(schema === null)('of each kind that is published is understood', () => {
    for (const [name, webhook] of Object.entries(schema?.webhooks ?? {})) {
      const body = { ...webhook, Metadata: { rekindle_account: 'main' } };
      expect(read(Buffer.from(JSON.stringify(body))), name).not.toBe('unreadable');
    }
  });
});
