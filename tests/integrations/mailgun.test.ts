import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NoAnswerError } from '../../integrations/http/ask.ts';
import { mailgunReceiver } from '../../integrations/mailgun/receive.ts';
import { createMailgunSender } from '../../integrations/mailgun/send.ts';
import { posted } from '../helpers/a-delivery.ts';
import { aStore } from '../helpers/a-store.ts';
import { faultsBy, providerSpec } from '../helpers/provider-spec.ts';
import { startStubProvider, type StubProvider } from '../helpers/stub-provider.ts';
import { aMail } from './a-mail.ts';
import { mailgunDialect, messageId, sendKey, signed, testConfig, told } from './mailgun/conformance.ts';
import { deadlineIn } from './sender-conformance.ts';

let provider: StubProvider;
let answer: Record<string, unknown> | null;
let listed: Record<string, unknown> | null;
let seen: { url: string; authorization: string }[];
beforeEach(async () => {
  answer = null;
  listed = null;
  seen = [];
  provider = await startStubProvider(false, {
    ...mailgunDialect,
    keyOf: (request, body) => {
      seen.push({ url: request.url ?? '', authorization: String(request.headers.authorization) });
      return mailgunDialect.keyOf(request, body);
    },
    bodyOf: (status) => answer ?? mailgunDialect.bodyOf(status),
    tell: (accepted, request) => listed ?? mailgunDialect.tell(accepted, request),
  });
});
afterEach(() => provider.stop());

async function send(payload = aMail()) {
  const session = await createMailgunSender(testConfig(provider.port)).open();
  return session.send(payload, sendKey, deadlineIn(5_000));
}
const sent = () => Object.fromEntries(new URLSearchParams(provider.accepted.at(-1)?.body));
const spec = providerSpec('email-mailgun/messages-and-webhooks.schema.json');

describe('an email', () => {
  test('is posted as a form to its domain, untracked, with what its events bring back', async () => {
    expect(await send(aMail({ replyTo: 'help@shop.example.com' }))).toEqual({ kind: 'accepted', providerMessageId: messageId, response: 'HTTP 200' });
    expect(seen).toEqual([{ url: '/v3/mg.shop.example.com/messages', authorization: `Basic ${btoa('api:an-invented-key')}` }]);
    expect(sent()).toMatchObject({
      from: '"Tea & Tin" <hello@shop.example.com>',
      to: '"Ada Example" <ada@example.com>',
      'h:Reply-To': 'help@shop.example.com',
      'h:List-Unsubscribe': '<https://shop.example.com/u/token>',
      'h:List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      'v:rekindle_key': sendKey,
      'o:tracking': 'no',
    });
  });

  test.skipIf(spec === null)('is a request as the provider’s own specification has it', async () => {
    await send(aMail({ replyTo: 'help@shop.example.com' }));
    expect(faultsBy(spec, '/$defs/SendMessageForm', sent())).toEqual([]);
    expect(faultsBy(spec, '/$defs/SendMessageForm', { from: 'x', to: 'y', subject: 'no body' })).not.toEqual([]);
  });

  test.for([
    [400, { message: 'to parameter is not a valid address. please check documentation' }, { kind: 'refused', severity: 'hard' }],
    [400, { message: 'from parameter is not a valid address. please check documentation' }, { kind: 'refused', severity: 'soft' }],
    [401, 'Forbidden', { kind: 'refused', severity: 'soft' }],
    [402, {}, { kind: 'refused', severity: 'soft', outage: true }],
    [429, {}, { kind: 'refused', severity: 'soft' }],
    [500, {}, { kind: 'unknown' }],
    [200, { page: 'welcome' }, { kind: 'unknown' }],
  ] as const)('HTTP %i with %j is judged by what it proves', async ([status, body, outcome]) => {
    answer = typeof body === 'string' ? {} : body;
    provider.nextOnly({ act: 'answer', status });
    expect(await send()).toMatchObject(outcome);
  });

  test('in doubt is found by its variables, and a list that may be cut is no answer', async () => {
    const { reconciliation } = createMailgunSender(testConfig(provider.port));
    if (reconciliation.kind !== 'find') throw new Error('cannot ask');
    listed = { items: [{ 'user-variables': { rekindle_key: 'another' } }, { 'user-variables': {} }] };
    expect(await reconciliation.find(sendKey, aMail())).toBe('not_accepted');
    listed = { items: [{ 'user-variables': { rekindle_key: sendKey } }] };
    expect(await reconciliation.find(sendKey, aMail())).toBe('accepted');
    listed = { items: Array.from({ length: 300 }, () => ({})) };
    await expect(reconciliation.find(sendKey, aMail())).rejects.toThrow(NoAnswerError);
  });
});

describe('a webhook', () => {
  const atMs = Date.UTC(2026, 10, 1, 10, 1);
  const read = (data: Buffer) => {
    const found = mailgunReceiver.reread(posted({ raw: signed('k', data, 't', atMs), headers: {}, receivedAtMs: atMs }), aStore);
    return found.kind === 'events' ? found.events : found.kind;
  };
  const message = { account: 'mailgun:main', providerMessageId: messageId, sendKey };
  const failed = (reason: string, severity = 'permanent') => read(told('failed', { severity, reason }));

  test('of a failure closes the address where it is for good; a temporary one is not over', () => {
    for (const reason of ['bounce', 'suppress-bounce', 'suppress-complaint'])
      expect(failed(reason)).toMatchObject([{ type: 'message.failed', message, permanent: true, detail: `failed: ${reason}` }]);
    for (const reason of ['old', 'generic', 'espblock']) expect(failed(reason)).toMatchObject([{ type: 'message.failed', permanent: false }]);
    expect(failed('generic', 'temporary')).toBe('ignored');
  });

  test('of a complaint is final for its person, an unsubscribe is not', () => {
    expect(read(told('complained'))).toMatchObject([
      { type: 'message.delivered', message },
      { type: 'contact.opted_out', person: { email: 'ada@example.com' }, channel: 'email', final: true },
    ]);
    expect(read(told('unsubscribed', { 'user-variables': {} }))).toMatchObject([{ type: 'contact.opted_out', final: false }]);
    expect(read(told('delivered', { 'user-variables': {} }))).toBe('ignored');
    for (const event of ['opened', 'clicked', 'accepted']) expect(read(told(event))).toBe('ignored');
  });

  type Vectors = { signingKey: string; vectors: { signature: object; valid: boolean }[] };
  const vectors = providerSpec('email-mailgun/vectors.json') as Vectors | null;
  test.skipIf(vectors === null)('is verified as the published vectors are, and no token counts twice', () => {
    for (const { signature, valid } of vectors?.vectors ?? []) {
      const of = (event: string) =>
        posted({
          raw: Buffer.from(JSON.stringify({ signature, 'event-data': JSON.parse(told(event).toString()) as unknown })),
          headers: {},
          receivedAtMs: 1_793_000_060_000,
        });
      expect(mailgunReceiver.receive(of('delivered'), [vectors?.signingKey ?? ''], aStore).kind === 'refused').toBe(!valid);
      expect(mailgunReceiver.dedupeKey(of('delivered'))).toBe(mailgunReceiver.dedupeKey(of('complained')));
    }
  });

  test('is refused when it is older than Mailgun repeats it', () => {
    const delivery = posted({ raw: signed('k', told('delivered'), 't', atMs), headers: {}, receivedAtMs: atMs + 13 * 3_600_000 });
    expect(mailgunReceiver.receive(delivery, ['k'], aStore)).toEqual({ kind: 'refused', reason: 'stale' });
  });
});
