import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sendGridReceiver } from '../../integrations/sendgrid/receive.ts';
import { createSendGridSender } from '../../integrations/sendgrid/send.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { aMail } from './a-mail.ts';
import { messageId, sendGridDialect, testConfig, told } from './sendgrid/conformance.ts';
import { deadlineIn } from './sender-conformance.ts';

let provider: StubProvider;
let answer: Record<string, unknown> | null;
beforeEach(async () => {
  answer = null;
  provider = await startStubProvider(false, { ...sendGridDialect, bodyOf: (status) => answer ?? sendGridDialect.bodyOf(status) });
});
afterEach(() => provider.stop());

async function send(payload = aMail()) {
  const session = await createSendGridSender(testConfig(provider.port)).open();
  return session.send(payload, 'enrollment:email_2h', deadlineIn(5_000));
}
const sent = (): Record<string, unknown> => JSON.parse(provider.accepted.at(-1)?.body ?? '{}') as Record<string, unknown>;

describe('an email', () => {
  test('is posted with the account that its receipts name, and its id is kept', async () => {
    expect(await send(aMail({ to: { name: null, address: 'ada@example.com' }, replyTo: 'help@shop.example.com' }))).toEqual({
      kind: 'accepted',
      providerMessageId: messageId,
      response: 'HTTP 202',
    });
    expect(sent()).toMatchObject({
      personalizations: [{ to: [{ email: 'ada@example.com' }], custom_args: { rekindle_account: 'main', rekindle_key: 'enrollment:email_2h' } }],
      from: { email: 'hello@shop.example.com', name: 'Tea & Tin' },
      reply_to: { email: 'help@shop.example.com' },
      headers: { 'List-Unsubscribe': '<https://shop.example.com/u/token>', 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
    });
  });

  const spec = providerSpec('email-sendgrid/openapi-send-and-activity.json');
  test.skipIf(spec === null)('is a request as the provider’s own specification has it', async () => {
    await send(aMail({ replyTo: 'help@shop.example.com' }));
    const body = '/paths/~1v3~1mail~1send/post/requestBody/content/application~1json/schema';
    expect(faultsBy(spec, body, sent())).toEqual([]);
    expect(faultsBy(spec, body, { subject: 5 })).not.toEqual([]);
  });

  const aboutField = (field: string | null) => ({ errors: [{ message: 'An invented sentence.', field, help: null }] });
  test.each([
    ['an address that will never work', 400, aboutField('personalizations.0.to.0.email'), { kind: 'refused', severity: 'hard' }],
    ['a mistake of ours in another field', 400, aboutField('from.email'), { kind: 'refused', severity: 'soft' }],
    ['a key that is refused', 401, aboutField(null), { kind: 'refused', severity: 'soft' }],
    ['too many at once', 429, aboutField(null), { kind: 'refused', severity: 'soft' }],
    ['a fault of theirs', 500, {}, { kind: 'unknown' }],
    ['a page of a proxy that comes with 200', 200, { page: 'welcome' }, { kind: 'unknown' }],
  ])('%s', async (_what, status, body, outcome) => {
    answer = body;
    provider.nextOnly({ act: 'answer', status });
    expect(await send()).toMatchObject(outcome);
  });
});

describe('a delivery', () => {
  const read = (raw: Buffer) => {
    const found = sendGridReceiver.reread(posted({ raw, headers: {}, receivedAtMs: 1_793_000_060_000 }), aStore);
    return found.kind === 'events' ? found.events : found.kind;
  };
  const message = { account: 'sendgrid:main', providerMessageId: messageId };

  test('of a bounce closes the address; a message that was refused for now does not', () => {
    expect(read(told('bounce', { type: 'bounce', status: '5.1.1' }))).toMatchObject([
      { type: 'message.failed', message, permanent: true, detail: 'bounced 5.1.1' },
    ]);
    expect(read(told('bounce', { type: 'blocked', status: '5.2.2' }))).toMatchObject([{ permanent: false, detail: 'bounced blocked 5.2.2' }]);
    expect(read(told('dropped', { reason: 'Bounced Address' }))).toMatchObject([{ type: 'message.failed', permanent: true }]);
    expect(read(told('dropped', { reason: 'SMTPAPI error' }))).toMatchObject([{ type: 'message.failed', permanent: false }]);
  });

  test('of a complaint is final for its person, an unsubscribe is not', () => {
    expect(read(told('spamreport'))).toMatchObject([
      { type: 'message.delivered', message },
      { type: 'contact.opted_out', person: { email: 'ada@example.com' }, channel: 'email', final: true },
    ]);
    expect(read(told('unsubscribe'))).toMatchObject([{ type: 'contact.opted_out', final: false }]);
    expect(read(told('group_unsubscribe'))).toMatchObject([{ type: 'contact.opted_out', final: false }]);
  });

  test('of many events tells them all, and one that is broken takes none with it', () => {
    const [first] = JSON.parse(told('unsubscribe').toString()) as object[];
    const [second] = JSON.parse(told('delivered').toString()) as object[];
    expect(read(Buffer.from(JSON.stringify([null, { event: 7 }, first, second])))).toMatchObject([
      { type: 'contact.opted_out' },
      { type: 'message.delivered' },
    ]);
  });

  test('of messages that somebody else sent by the account waits for none of them, and their opt-outs count', () => {
    expect(read(told('delivered', { rekindle_account: undefined }))).toBe('ignored');
    expect(read(told('spamreport', { rekindle_account: undefined }))).toMatchObject([{ type: 'contact.opted_out', final: true }]);
    for (const event of ['open', 'click', 'processed', 'deferred']) expect(read(told(event))).toBe('ignored');
  });

  type Vectors = { publicKeySpkiBase64: string; timestamp: string; vectors: { name: string; body: string; signature: string; valid: boolean }[] };
  const vectors = providerSpec('email-sendgrid/vectors.json') as Vectors | null;
  test.skipIf(vectors === null)('is verified as the published vectors are', () => {
    for (const { body, signature, valid } of vectors?.vectors ?? []) {
      const timestamp = vectors?.timestamp ?? '';
      const headers = { 'x-twilio-email-event-webhook-signature': signature, 'x-twilio-email-event-webhook-timestamp': timestamp };
      const delivery = posted({ raw: Buffer.from(body), headers, receivedAtMs: Number(timestamp) * 1_000 });
      const { kind } = sendGridReceiver.receive(delivery, [vectors?.publicKeySpkiBase64 ?? ''], aStore);
      expect(kind === 'refused').toBe(!valid);
    }
  });
});
