import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createResendSender } from '../../integrations/resend/send.ts';
import { resendReceiver } from '../../integrations/resend/receive.ts';
import { aStore } from '../helpers/a-store.ts';
import { posted } from '../helpers/a-delivery.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { aMail } from './a-mail.ts';
import { emailId, receipt, resendDialect, testConfig } from './resend/conformance.ts';
import { deadlineIn } from './sender-conformance.ts';

let provider: StubProvider;
let answer: Record<string, unknown> | null;
beforeEach(async () => {
  answer = null;
  provider = await startStubProvider(true, { ...resendDialect, bodyOf: (status) => answer ?? resendDialect.bodyOf(status) });
});
afterEach(() => provider.stop());

async function send(payload = aMail(), key = 'enrollment:email_2h') {
  const session = await createResendSender(testConfig(provider.port)).open();
  return session.send(payload, key, deadlineIn(5_000));
}
const sent = (): Record<string, unknown> => JSON.parse(provider.accepted.at(-1)?.body ?? '{}') as Record<string, unknown>;

describe('an email', () => {
  test('is posted with its key, its headers and the account that its receipts name', async () => {
    const outcome = await send(
      aMail({ from: { name: 'Tea "&" Tin, Ltd <x@evil.example>', address: 'hello@shop.example.com' }, replyTo: 'help@shop.example.com' }),
    );
    expect(outcome).toEqual({ kind: 'accepted', providerMessageId: emailId, response: 'HTTP 200' });
    expect(provider.accepted.at(-1)?.key).toBe('enrollment:email_2h');
    expect(sent()).toMatchObject({
      from: '"Tea & Tin, Ltd x@evil.example" <hello@shop.example.com>',
      to: ['"Ada Example" <ada@example.com>'],
      reply_to: ['help@shop.example.com'],
      headers: { 'List-Unsubscribe': '<https://shop.example.com/u/token>', 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
      tags: [{ name: 'rekindle_account', value: 'main' }],
    });
  });

  const spec = providerSpec('email-resend/openapi-emails-and-webhooks.json');
  test.skipIf(spec === null)('is a request as the provider’s own specification has it', async () => {
    await send(aMail({ replyTo: 'help@shop.example.com' }));
    expect(faultsBy(spec, '/paths/~1emails/post/requestBody/content/application~1json/schema', sent())).toEqual([]);
    expect(faultsBy(spec, '/paths/~1emails/post/requestBody/content/application~1json/schema', { to: 5 })).not.toEqual([]);
  });

  test.each([
    ['an address that will never work', 422, { name: 'validation_error', message: 'Invalid `to` field.' }, { kind: 'refused', severity: 'hard' }],
    [
      'a mistake of ours in another field',
      422,
      { name: 'validation_error', message: 'Invalid `from` field.' },
      { kind: 'refused', severity: 'soft' },
    ],
    ['a quota that is used up', 429, { name: 'daily_quota_exceeded' }, { kind: 'refused', severity: 'soft', outage: true }],
    ['too many at once', 429, { name: 'rate_limit_exceeded' }, { kind: 'refused', severity: 'soft' }],
    ['a call with this key that has not ended', 409, { name: 'concurrent_idempotent_requests' }, { kind: 'unknown' }],
    ['a key that was used with other bytes', 409, { name: 'invalid_idempotent_request' }, { kind: 'refused', severity: 'soft' }],
    ['a fault of theirs', 500, { name: 'application_error' }, { kind: 'unknown' }],
  ])('%s', async (_what, status, body, outcome) => {
    answer = body;
    provider.nextOnly({ act: 'answer', status });
    const said = await send();
    expect(said).toMatchObject(outcome);
    if (said.kind === 'refused') expect('outage' in said).toBe('outage' in outcome);
  });

  test('a page of a proxy that comes with 200 is no proof', async () => {
    answer = { page: 'welcome' };
    provider.nextOnly({ act: 'answer', status: 200 });
    expect(await send()).toMatchObject({ kind: 'unknown' });
  });
});

describe('a receipt', () => {
  const told = (raw: Buffer) => {
    const read = resendReceiver.reread(posted({ raw, headers: {}, receivedAtMs: Date.parse('2026-11-01T10:00:06Z') }), aStore);
    return read.kind === 'events' ? read.events : read.kind;
  };
  const message = { account: 'resend:main', providerMessageId: emailId };

  test('of a permanent bounce closes the address; one of another kind does not', () => {
    const bounced = (type: string) => told(receipt('email.bounced', { bounce: { type, subType: 'General' } }));
    expect(bounced('Permanent')).toMatchObject([{ type: 'message.failed', message, permanent: true, detail: 'bounced: Permanent, General' }]);
    expect(bounced('Transient')).toMatchObject([{ type: 'message.failed', permanent: false }]);
    expect(bounced('Undetermined')).toMatchObject([{ type: 'message.failed', permanent: false }]);
    expect(told(receipt('email.bounced'))).toMatchObject([{ type: 'message.failed', permanent: false, detail: 'bounced' }]);
  });

  test('of a complaint is final for its person', () => {
    expect(told(receipt('email.complained'))).toMatchObject([
      { type: 'message.delivered', message },
      { type: 'contact.opted_out', person: { email: 'ada@example.com' }, channel: 'email', final: true },
    ]);
  });

  test('of a message that somebody else sent by the account is ignored; a complaint about it counts', () => {
    expect(told(receipt('email.bounced', { tags: {} }))).toBe('ignored');
    expect(told(receipt('email.complained', { tags: undefined }))).toMatchObject([{ type: 'contact.opted_out', final: true }]);
  });

  test('of what nobody acts on is ignored: opens and clicks are our own', () => {
    for (const type of ['email.opened', 'email.clicked', 'email.sent', 'email.scheduled', 'contact.created'])
      expect(told(receipt(type))).toBe('ignored');
  });

  const vectors = providerSpec('email-resend/vectors.json') as {
    vectors: { secret: string; id: string; timestamp: number; body: string; signature: string }[];
  } | null;
  test.skipIf(vectors === null)('is verified as the published vectors are', () => {
    for (const { secret, id, timestamp, body, signature } of vectors?.vectors ?? []) {
      const headers = { 'svix-id': id, 'svix-timestamp': String(timestamp), 'svix-signature': signature };
      const delivery = posted({ raw: Buffer.from(body), headers, receivedAtMs: timestamp * 1_000 });
      expect(resendReceiver.receive(delivery, [secret], aStore).kind).not.toBe('refused');
      expect(resendReceiver.receive({ ...delivery, raw: Buffer.from(`${body} `) }, [secret], aStore)).toEqual({
        kind: 'refused',
        reason: 'bad_signature',
      });
    }
  });
});
